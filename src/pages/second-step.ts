import { SUMMARY_ID, type SummaryItem } from './error-summary.ts'
import { form, type InputField } from './fields.ts'
import { type Html, html } from './html.ts'
import { withQuery } from './link.ts'
import { PATHS } from './paths.ts'
import { catalogue } from './text/catalogue.ts'
import type { Catalogue } from './text/fr.ts'
import type { PageContext, SecondStepView } from './views.ts'

/** Whose account it is, as text: the page does not ask for it. */
export function accountLine(context: PageContext, username: string): Html {
  const text = catalogue(context.language)
  return html`<p class="who">${text.account}${text.colon} <strong><bdi>${username}</bdi></strong></p>\n`
}

/**
 * A refused code for the summary and for its field. When the server was too busy to look at it,
 * nothing is wrong with what was typed: then the field only points to the summary.
 */
export function refusedCode(
  text: Catalogue,
  field: string,
  problem: SecondStepView['problem'],
  words: Readonly<Record<'empty' | 'format' | 'wrong', string>>,
): {
  readonly items: readonly SummaryItem[]
  readonly field: Pick<InputField, 'problem' | 'describedBy'>
} {
  if (problem === undefined) return { items: [], field: {} }
  if (problem === 'busy') {
    return { items: [{ message: text.busy }], field: { describedBy: SUMMARY_ID } }
  }
  const message = words[problem]
  return { items: [{ message, field }], field: { problem: message } }
}

/** The way out for somebody who meant another account: ends what was begun, keeps the ticket. */
export function changeAccount(context: PageContext, returnTicket: string): Html {
  return form(
    context,
    { action: PATHS.logout, returnTicket, class: 'aside' },
    html`<button type="submit" class="link">${catalogue(context.language).changeAccount}</button>`,
  )
}

/** A link between pages of one sign-in, which keeps the ticket. */
export function withTicket(path: string, returnTicket: string): string {
  return returnTicket === '' ? path : withQuery(path, 'rt', returnTicket)
}
