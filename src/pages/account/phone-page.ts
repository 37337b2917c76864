import { errorSummary } from '../error-summary.ts'
import { form, inputField } from '../fields.ts'
import { type Fragment, html } from '../html.ts'
import { instant } from '../instant.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type PhoneView = {
  readonly returnTicket: string
  /** The number codes go to now, as it may be shown. */
  readonly current?: { readonly masked: string; readonly verifiedAt: number }
  /** As typed. */
  readonly phone: string
  readonly problem?:
    | 'empty'
    | 'invalid'
    | 'not_mobile'
    | 'failed'
    /** Milliseconds until a code may be sent. */
    | { readonly tooSoon: number }
}

/** Setting the number that codes go to, or another in its place. */
export function phonePage(context: PageContext, view: PhoneView): string {
  const text = catalogue(context.language)
  const words = text.sms.phone
  const { current, problem } = view
  const typo = problem === 'empty' || problem === 'invalid' || problem === 'not_mobile'
  const message =
    problem === undefined
      ? undefined
      : typeof problem === 'object'
        ? text.sms.problem.tooSoon(problem.tooSoon)
        : words.problem[problem]
  const items = message === undefined ? [] : [{ message, ...(typo ? { field: 'phone' } : {}) }]
  return layout(
    context,
    { title: words.title, failed: problem !== undefined },
    html`${errorSummary(text, items)}<h1>${words.title}</h1>
<p>${words.lead}</p>
<p class="notice">${words.weak}</p>
${presentNumber(context, view)}${form(
  context,
  { action: PATHS.phone, returnTicket: view.returnTicket },
  html`${inputField(context, {
    name: 'phone',
    label: current === undefined ? words.label : words.newLabel,
    hint: words.hint,
    problem: typo ? message : undefined,
    input: {
      type: 'tel',
      value: view.phone,
      autocomplete: 'tel',
      enterkeyhint: 'send',
      autofocus: problem === undefined,
    },
  })}<button type="submit">${words.submit}</button>`,
)}${
  current !== undefined &&
  html`<p class="aside"><a href="${PATHS.removePhone}">${words.remove}</a></p>\n`
}<p class="aside"><a href="${PATHS.account}">${text.cancel}</a></p>`,
  )
}

function presentNumber(context: PageContext, { current }: PhoneView): Fragment {
  if (current === undefined) return undefined
  const text = catalogue(context.language)
  const words = text.sms.phone
  return html`<dl><dt>${words.current}</dt><dd><bdi>${current.masked}</bdi></dd>
<dt>${words.verifiedAt}</dt><dd>${instant(text, current.verifiedAt)}</dd></dl>
<p class="hint">${words.replaced}</p>
`
}
