import { errorSummary } from '../error-summary.ts'
import { form, inputField, usernameForManagers } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext, SecondStepView } from '../views.ts'
import { accountLine, confirmField, otherWaysList, refusedCode, wayOut } from './second-step.ts'

/** The second step by recovery code, for who cannot use the app. */
export function recoveryPage(context: PageContext, view: SecondStepView): string {
  const text = catalogue(context.language)
  const refused = refusedCode(text, 'recovery_code', view.problem, text.recovery.problem)
  const failed = view.problem !== undefined
  return layout(
    context,
    { title: text.recovery.title, failed },
    html`${errorSummary(text, refused.items)}${form(
      context,
      { returnTicket: view.returnTicket },
      html`${confirmField(view.confirm)}${usernameForManagers(view.username)}${inputField(context, {
        name: 'recovery_code',
        label: text.recovery.heading,
        heading: true,
        hint: text.recovery.hint,
        ...refused.field,
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
    )}${accountLine(context, view.username)}${otherWaysList(context, text.recovery.noCodes, view.others)}${wayOut(context, view)}`,
  )
}
