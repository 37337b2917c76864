import { errorSummary, SUMMARY_ID } from './error-summary.ts'
import { form, inputField, usernameForManagers } from './fields.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'
import { PATHS } from './paths.ts'
import { accountLine, changeAccount, withTicket } from './second-step.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext, SecondStepView } from './views.ts'

/** The second step by recovery code, for who cannot use the app. */
export function recoveryPage(context: PageContext, view: SecondStepView): string {
  const text = catalogue(context.language)
  const failed = view.problem !== undefined
  const message = failed ? text.recovery.problem[view.problem] : undefined
  const busy = view.problem === 'busy'
  return layout(
    context,
    { title: text.recovery.title, failed },
    html`${errorSummary(
      text,
      message === undefined ? [] : [busy ? { message } : { message, field: 'recovery_code' }],
    )}${form(
      context,
      { action: PATHS.recovery, returnTicket: view.returnTicket },
      html`${usernameForManagers(view.username)}${inputField(context, {
        name: 'recovery_code',
        label: text.recovery.heading,
        heading: true,
        hint: text.recovery.hint,
        problem: busy ? undefined : message,
        describedBy: busy ? SUMMARY_ID : undefined,
        input: {
          type: 'text',
          class: 'mono',
          autocomplete: 'off',
          autocapitalize: 'characters',
          autocorrect: 'off',
          spellcheck: 'false',
          dir: 'ltr',
          enterkeyhint: 'go',
          autofocus: !failed,
        },
      })}<button type="submit">${text.recovery.submit}</button>`,
    )}${accountLine(context, view.username)}${
      view.otherWay &&
      html`<p><a href="${withTicket(PATHS.totp, view.returnTicket)}">${text.recovery.useTotp}</a></p>\n`
    }${changeAccount(context, view.returnTicket)}`,
  )
}
