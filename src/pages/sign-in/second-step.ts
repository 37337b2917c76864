import { SUMMARY_ID, type SummaryItem } from '../error-summary.ts'
import { form, hidden, type InputField } from '../fields.ts'
import { type Fragment, type Html, html } from '../html.ts'
import { helpLink, localLink, withQuery } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { OtherWay, PageContext, SecondStepView } from '../views.ts'

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

/** What to do without the way a page is about: the other ways, and whom to ask. */
export function otherWaysList(
  context: PageContext,
  summary: string,
  ways: readonly OtherWay[],
): Html {
  const text = catalogue(context.language)
  const help = helpLink(context.brand.help, text.helpSubject(context.reference))
  return html`<details><summary>${summary}</summary>
${
  ways.length === 0
    ? html`<p>${text.secondStep.noOtherWay}</p>\n`
    : ways.map(
        ({ kind, path }) =>
          html`<p><a href="${localLink(path) ?? ''}">${text.secondStep.useWay[kind]}</a></p>\n`,
      )
}${help !== undefined && html`<p><a href="${help}">${text.help}</a></p>\n`}</details>
`
}

/** Tells the server that a factor is proved once more, not for the first time. */
export function confirmField(confirm: boolean): Fragment {
  return confirm && hidden('confirm', '1')
}

/** The way out for somebody who meant another account: ends what was begun, keeps the ticket. */
export function changeAccount(context: PageContext, returnTicket: string): Html {
  return form(
    context,
    { action: PATHS.logout, returnTicket, class: 'aside' },
    html`<button type="submit" class="link">${catalogue(context.language).changeAccount}</button>`,
  )
}

/** The way out of a page of the second step: back, or to another account. */
export function wayOut(
  context: PageContext,
  view: { readonly confirm: boolean; readonly returnTicket: string },
): Html {
  if (!view.confirm) return changeAccount(context, view.returnTicket)
  const { cancel } = catalogue(context.language).secondStep.confirm
  return html`<p class="aside"><a href="${PATHS.launcher}">${cancel}</a></p>\n`
}

/** A link between pages of one sign-in, which keeps the ticket. */
export function withTicket(path: string, returnTicket: string): string {
  return returnTicket === '' ? path : withQuery(path, 'rt', returnTicket)
}
