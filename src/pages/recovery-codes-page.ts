import { errorSummary } from './error-summary.ts'
import { checkbox, form } from './fields.ts'
import { html } from './html.ts'
import { instant } from './instant.ts'
import { layout } from './layout.ts'
import { localLink } from './link.ts'
import { PATHS } from './paths.ts'
import { accountLine } from './second-step.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext, RecoveryCodesView } from './views.ts'

/** The recovery codes, shown this once. On paper: organisation, account, date and codes only. */
export function recoveryCodesPage(context: PageContext, view: RecoveryCodesView): string {
  const text = catalogue(context.language)
  const message = view.problem === undefined ? undefined : text.codes.notSaved
  return layout(
    context,
    { title: text.codes.title, failed: message !== undefined },
    html`${errorSummary(text, message === undefined ? [] : [{ message, field: 'saved' }])}<h1>${text.codes.title}</h1>
<p class="lead screen">${text.codes.lead} <strong>${text.codes.once}</strong></p>
<p class="screen">${text.codes.how}</p>
<ol class="codes" aria-label="${text.codes.list}">
${view.codes.map((code) => html`<li><code>${code}</code></li>\n`)}</ol>
<p class="hint">${text.codes.printed(view.codes.length)}</p>
${accountLine(context, view.username)}<p class="who">${text.codes.createdAt} ${instant(text, view.createdAt)}</p>
${form(
  context,
  { action: localLink(view.continueTo) ?? PATHS.account, returnTicket: view.returnTicket },
  html`${checkbox(context, { name: 'saved', label: text.codes.saved, problem: message })}<button type="submit">${text.codes.submit}</button>`,
)}`,
  )
}
