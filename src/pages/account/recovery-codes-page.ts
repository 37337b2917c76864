import { errorSummary } from '../error-summary.ts'
import { checkbox, form } from '../fields.ts'
import { type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { accountLine } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext, RecoveryCodesView } from '../views.ts'
import { copyButton } from './copy-button.ts'

/** The recovery codes, shown this once. On paper: organisation, account, date and codes only. */
export function recoveryCodesPage(context: PageContext, view: RecoveryCodesView): string {
  const words = catalogue(context.language)
  const text = words.codes
  const message = view.problem === undefined ? undefined : text.notSaved
  return layout(
    context,
    { title: text.title, failed: message !== undefined },
    html`${errorSummary(words, message === undefined ? [] : [{ message, field: 'saved' }])}<h1>${text.title}</h1>
<p class="lead screen">${text.lead} <strong>${text.once}</strong></p>
<p class="screen">${text.how}</p>
<ol class="codes" id="codes" aria-label="${text.list}">
${view.codes.map((code) => html`<li><code>${code}</code></li>\n`)}</ol>
<p class="hint">${text.printed(view.codes.length)}</p>
${accountLine(context, view.username)}<p class="who">${text.createdAt} ${instant(words, view.createdAt)}</p>
${downloadForm(context)}${copyButton('codes', text.copy, text.copied)}<p class="screen" hidden><button type="button" class="quiet" data-print>${text.print}</button></p>
${savedForm(context, view.returnTicket, message)}`,
  )
}

/** The codes as a file, while the server still has them. */
export function downloadForm(context: PageContext): Html {
  const { codes: text } = catalogue(context.language)
  return form(
    context,
    { action: PATHS.downloadRecoveryCodes },
    html`<button type="submit" class="quiet">${text.download}</button>`,
  )
}

/** On from the codes, once they are said to be kept. */
export function savedForm(context: PageContext, returnTicket: string, problem?: string): Html {
  const { codes: text } = catalogue(context.language)
  return form(
    context,
    { action: PATHS.savedRecoveryCodes, returnTicket },
    html`${checkbox(context, { name: 'saved', label: text.saved, problem })}<button type="submit">${text.submit}</button>`,
  )
}
