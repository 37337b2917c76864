import { errorSummary } from '../error-summary.ts'
import { type Attributes, form, inputField, usernameForManagers } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext, SecondStepView } from '../views.ts'
import { driftWords } from './drift.ts'
import { accountLine, confirmField, otherWaysList, refusedCode, wayOut } from './second-step.ts'

/** The second step by authenticator app. */
export function totpPage(context: PageContext, view: SecondStepView): string {
  const text = catalogue(context.language)
  const refused = refusedCode(text, 'totp', view.problem, {
    ...text.totp.problem,
    ...(view.drift === undefined ? {} : { wrong: driftWords(text, view.drift) }),
  })
  const failed = view.problem !== undefined
  return layout(
    context,
    { title: text.totp.title, failed },
    html`${errorSummary(text, refused.items)}${form(
      context,
      { returnTicket: view.returnTicket },
      html`${confirmField(view.confirm)}${usernameForManagers(view.username)}${inputField(context, {
        name: 'totp',
        label: text.totp.heading,
        heading: true,
        hint: text.totp.hint,
        ...refused.field,
        input: { ...TOTP_INPUT, autofocus: !failed },
      })}<button type="submit">${text.totp.submit}</button>`,
    )}${accountLine(context, view.username)}${otherWaysList(context, text.totp.noAccess, view.others)}${wayOut(context, view)}`,
  )
}

/** A field for a 6-digit code: filled in by managers and phones, spaces allowed, nothing cut off. */
export const TOTP_INPUT = {
  type: 'text',
  class: 'code',
  inputmode: 'numeric',
  autocomplete: 'one-time-code',
  spellcheck: 'false',
  pattern: '[0-9 ]*',
  enterkeyhint: 'go',
} as const satisfies Attributes
