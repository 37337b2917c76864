import { errorSummary } from '../error-summary.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { OtherWay, PageContext } from '../views.ts'
import { forgetPasskey, passkeyForm } from './passkey-field.ts'
import type { ForgottenPasskey, PasskeyProblem } from './passkey-problem.ts'
import { accountLine, confirmField, otherWaysList, wayOut } from './second-step.ts'

export type PasskeyStepView = {
  readonly username: string
  readonly returnTicket: string
  readonly confirm: boolean
  /** JSON for the browser; absent: passkeys do not work at this address. */
  readonly options?: string
  readonly problem?: PasskeyProblem
  readonly forgotten?: ForgottenPasskey
  readonly ways: readonly OtherWay[]
}

/** The second step by passkey. Nothing is asked of the browser before the button is pressed. */
export function passkeyPage(context: PageContext, view: PasskeyStepView): string {
  const text = catalogue(context.language)
  const { step, problem, enrol } = text.passkeys
  const failed = view.problem !== undefined
  const items = view.problem === undefined ? [] : [{ message: problem[view.problem] }]
  return layout(
    context,
    { title: step.title, failed },
    html`${errorSummary(text, items)}${forgetPasskey(view.forgotten)}<h1>${step.heading}</h1>
${
  view.options === undefined
    ? html`<p class="notice">${enrol.unavailable}</p>\n`
    : html`<p>${step.lead}</p>
${passkeyForm(context, {
  action: PATHS.passkeyStep,
  returnTicket: view.returnTicket,
  use: 'get',
  options: view.options,
  submit: failed ? step.again : step.submit,
  fields: confirmField(view.confirm),
})}`
}${accountLine(context, view.username)}${otherWaysList(
  context,
  view.confirm ? step.confirmOtherWays : step.otherWays,
  view.ways,
)}${wayOut(context, view)}`,
  )
}
