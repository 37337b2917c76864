import { errorSummary } from '../error-summary.ts'
import { form, hidden, inputField, usernameForManagers } from '../fields.ts'
import { type Fragment, html, trustedMarkup } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { driftWords } from '../sign-in/drift.ts'
import { changeAccount } from '../sign-in/second-step.ts'
import { TOTP_INPUT } from '../sign-in/totp-page.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext, TotpEnrolView } from '../views.ts'
import { copyButton } from './copy-button.ts'

/**
 * Adding an authenticator app: open it, scan or type the key, prove it with one code. The secret
 * itself stays on the server; the form sends only the code and a name for the device.
 */
export function totpEnrolPage(context: PageContext, view: TotpEnrolView): string {
  const text = catalogue(context.language)
  const failed = view.problem !== undefined
  const message = !failed
    ? undefined
    : view.drift === undefined
      ? text.enrol.problem[view.problem]
      : driftWords(text, view.drift)
  return layout(
    context,
    { title: text.enrol.title, failed },
    html`${errorSummary(text, message === undefined ? [] : [{ message, field: 'totp' }])}<h1>${text.enrol.title}</h1>
${view.required && html`<p class="notice">${text.enrol.required}</p>\n`}<p class="lead">${text.enrol.lead}</p>
<ol class="steps">
<li><h2>${text.enrol.open}</h2>
<details><summary>${text.enrol.noApp}</summary><p>${text.enrol.kinds}</p></details></li>
<li><h2>${text.enrol.scan}</h2>
${openInApp(view, text.enrol.openLink)}<div class="qr" role="img" aria-label="${text.enrol.qr}">${trustedMarkup(view.qrSvg)}</div>
${manualKey(context, view)}</li>
<li><h2>${text.enrol.prove}</h2>
${form(
  context,
  { action: PATHS.newTotp, returnTicket: view.returnTicket },
  html`${view.required && hidden('required', '1')}${usernameForManagers(view.username)}${inputField(
    context,
    {
      name: 'totp',
      label: text.enrol.code,
      problem: message,
      input: TOTP_INPUT,
    },
  )}${inputField(context, {
    name: 'label',
    label: text.enrol.label,
    hint: text.enrol.labelHint,
    input: { type: 'text', value: view.label, autocomplete: 'off', enterkeyhint: 'go' },
  })}<button type="submit">${text.enrol.submit}</button>`,
)}</li>
</ol>
${
  view.required
    ? changeAccount(context, view.returnTicket)
    : html`<p class="aside"><a href="${PATHS.account}">${text.cancel}</a></p>\n`
}`,
  )
}

/** On the phone that has the app there is nothing to scan; pointing devices do not see this. */
function openInApp(view: TotpEnrolView, label: string): Fragment {
  return (
    view.otpauthUri.startsWith('otpauth://') &&
    html`<p class="touch"><a class="button quiet" href="${view.otpauthUri}">${label}</a></p>\n`
  )
}

function manualKey(context: PageContext, view: TotpEnrolView): Fragment {
  const text = catalogue(context.language)
  return html`<details><summary>${text.enrol.cannotScan}</summary>
<p>${text.enrol.typeKey}</p>
<p id="key"><code class="key">${view.key}</code></p>
${copyButton('key', text.enrol.copyKey, text.enrol.keyCopied)}<dl><dt>${text.account}</dt><dd><bdi>${view.issuer}</bdi>${text.colon} <bdi>${view.username}</bdi></dd>
<dt>${text.enrol.keyKind}</dt><dd>${text.enrol.keySettings}</dd></dl></details>`
}
