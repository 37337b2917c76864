import { errorSummary } from './error-summary.ts'
import { type Attributes, form, inputField, usernameForManagers } from './fields.ts'
import { type Fragment, html } from './html.ts'
import { layout } from './layout.ts'
import { helpLink } from './link.ts'
import { PATHS } from './paths.ts'
import { accountLine, changeAccount, refusedCode, withTicket } from './second-step.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext, SecondStepView } from './views.ts'

/** The second step by authenticator app. */
export function totpPage(context: PageContext, view: SecondStepView): string {
  const text = catalogue(context.language)
  const refused = refusedCode(text, 'totp', view.problem, text.totp.problem)
  const failed = view.problem !== undefined
  return layout(
    context,
    { title: text.totp.title, failed },
    html`${errorSummary(text, refused.items)}${form(
      context,
      { returnTicket: view.returnTicket },
      html`${usernameForManagers(view.username)}${inputField(context, {
        name: 'totp',
        label: text.totp.heading,
        heading: true,
        hint: text.totp.hint,
        ...refused.field,
        input: { ...TOTP_INPUT, autofocus: !failed },
      })}<button type="submit">${text.totp.submit}</button>`,
    )}${accountLine(context, view.username)}<details><summary>${text.totp.noAccess}</summary>
${otherWays(context, view)}</details>
${changeAccount(context, view.returnTicket)}`,
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

function otherWays(context: PageContext, view: SecondStepView): Fragment {
  const text = catalogue(context.language)
  const help = helpLink(context.brand.help, text.helpSubject(context.reference))
  const recovery = withTicket(PATHS.recovery, view.returnTicket)
  return html`${
    view.otherWay
      ? html`<p><a href="${recovery}">${text.totp.useRecovery}</a></p>\n`
      : html`<p>${text.totp.noOtherWay}</p>\n`
  }${help !== undefined && html`<p><a href="${help}">${text.help}</a></p>\n`}`
}
