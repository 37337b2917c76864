import { errorSummary } from '../error-summary.ts'
import { form, hidden } from '../fields.ts'
import { type Fragment, html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { passkeyForm } from '../sign-in/passkey-field.ts'
import type { PasskeyProblem } from '../sign-in/passkey-problem.ts'
import { changeAccount } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type PasskeyEnrolView = {
  readonly returnTicket: string
  /** JSON for the browser, for a passkey and for a plain key; absent: they do not work here. */
  readonly options?: { readonly passkey: string; readonly key: string }
  /** `offer`: it is offered after a sign-in; `required`: nothing goes on without. */
  readonly kind: 'asked' | 'offer' | 'required'
  readonly problem?: PasskeyProblem
}

/** Adding a passkey, or a security key that only proves that it is there. */
export function passkeyEnrolPage(context: PageContext, view: PasskeyEnrolView): string {
  const text = catalogue(context.language)
  const { enrol, problem } = text.passkeys
  const items = view.problem === undefined ? [] : [{ message: problem[view.problem] }]
  return layout(
    context,
    { title: enrol.title, failed: items.length > 0 },
    html`${errorSummary(text, items)}<h1>${enrol.heading}</h1>
${view.kind === 'required' && html`<p class="notice">${enrol.required}</p>\n`}${ceremonies(context, view)}${wayOut(context, view)}`,
  )
}

function ceremonies(context: PageContext, view: PasskeyEnrolView): Fragment {
  const { enrol } = catalogue(context.language).passkeys
  if (view.options === undefined) return html`<p class="notice">${enrol.unavailable}</p>\n`
  const kept = view.kind === 'asked' ? undefined : hidden(view.kind, '1')
  const shape = {
    action: PATHS.newPasskey,
    returnTicket: view.returnTicket,
    use: 'create',
  } as const
  return html`<p>${enrol.lead}</p>
<p class="notice">${enrol.shared}</p>
${passkeyForm(context, {
  ...shape,
  options: view.options.passkey,
  submit: enrol.submit,
  fields: kept,
})}<details><summary>${enrol.key}</summary>
<p>${enrol.keyLead}</p>
${passkeyForm(context, {
  ...shape,
  options: view.options.key,
  submit: enrol.keySubmit,
  quiet: true,
  fields: html`${kept}${hidden('key', '1')}`,
})}</details>
`
}

function wayOut(context: PageContext, view: PasskeyEnrolView): Fragment {
  const text = catalogue(context.language)
  if (view.kind === 'required') return changeAccount(context, view.returnTicket)
  if (view.kind === 'asked') {
    return html`<p class="aside"><a href="${PATHS.account}">${text.cancel}</a></p>\n`
  }
  return form(
    context,
    { action: PATHS.laterPasskey, returnTicket: view.returnTicket, class: 'aside' },
    html`<button type="submit" class="quiet">${text.passkeys.enrol.later}</button>`,
  )
}
