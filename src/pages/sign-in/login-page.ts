import { errorSummary, SUMMARY_ID, type SummaryItem } from '../error-summary.ts'
import { checkbox, form, hidden, inputField } from '../fields.ts'
import { type Fragment, html } from '../html.ts'
import { layout } from '../layout.ts'
import { helpLink } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { LoginView, PageContext } from '../views.ts'
import { forgetPasskey, passkeyForm } from './passkey-field.ts'

/**
 * Username and password. A refusal is told once, in the summary, and marks neither field: which
 * of the two was wrong is not said.
 */
export function loginPage(context: PageContext, view: LoginView): string {
  const text = catalogue(context.language)
  const problems = summaryItems(text, view)
  const failed = problems.length > 0
  const describedBy = failed && view.problem !== 'empty' ? SUMMARY_ID : undefined
  const messageOf = (field: string) => problems.find((item) => item.field === field)?.message
  return layout(
    context,
    {
      title: text.login.title,
      app: view.app?.name,
      failed,
    },
    html`${errorSummary(text, problems)}${forgetPasskey(view.passkeyRefused?.forgotten)}<h1>${heading(text, view)}</h1>
${view.app !== undefined && html`<p class="host">${view.app.host}</p>\n`}${
  view.notice !== undefined && html`<p class="notice">${text.login.notice[view.notice]}</p>\n`
}${form(
  context,
  {
    returnTicket: view.returnTicket,
    ...(view.passkeyRefused === undefined ? {} : { action: PATHS.login }),
  },
  html`${inputField(context, {
    name: 'username',
    label: text.login.identifier,
    problem: messageOf('username'),
    describedBy,
    input: {
      type: 'text',
      value: view.username,
      // The last word lets browsers offer passkeys here.
      autocomplete: view.passkeyOptions === undefined ? 'username' : 'username webauthn',
      autocapitalize: 'none',
      autocorrect: 'off',
      spellcheck: 'false',
      enterkeyhint: 'next',
      autofocus: !failed && view.username === '',
    },
  })}${inputField(context, {
    name: 'password',
    label: text.password,
    problem: messageOf('password'),
    describedBy,
    input: {
      type: 'password',
      autocomplete: 'current-password',
      autocapitalize: 'none',
      spellcheck: 'false',
      enterkeyhint: 'go',
      autofocus: !failed && view.username !== '',
    },
  })}${checkbox(context, {
    name: 'remember',
    label: text.login.remember,
    hint: text.login.rememberHint(view.rememberFor),
    checked: view.remember,
  })}<button type="submit">${text.login.submit}</button>`,
)}${passkey(context, view)}${view.canReset === true ? toReset(text) : forgotten(context, text)}`,
  )
}

function heading(text: Catalogue, view: LoginView): string {
  return view.app === undefined ? text.login.title : text.login.titleFor(view.app.name)
}

function summaryItems(text: Catalogue, view: LoginView): readonly SummaryItem[] {
  const { problem } = text.login
  if (view.passkeyRefused !== undefined) {
    return [{ message: text.passkeys.problem[view.passkeyRefused.problem] }]
  }
  if (view.problem === undefined) return []
  if (view.problem === 'busy') return [{ message: text.busy }]
  if (view.problem === 'wrong') return [{ message: problem.wrong }]
  // The password is never sent back, so it is to be typed again in any case.
  const password = { field: 'password', message: problem.emptyPassword }
  return view.username.trim() === ''
    ? [{ field: 'username', message: problem.emptyUsername }, password]
    : [password]
}

/** The whole sign-in by passkey; script shows it where there can be one. */
function passkey(context: PageContext, view: LoginView): Fragment {
  if (view.passkeyOptions === undefined) return undefined
  return passkeyForm(context, {
    action: PATHS.passkeyLogin,
    returnTicket: view.returnTicket,
    use: 'sign-in',
    options: view.passkeyOptions,
    submit: catalogue(context.language).passkeys.button,
    quiet: true,
    fields: hidden('remember', ''),
  })
}

function toReset(text: Catalogue): Fragment {
  return html`<p class="aside"><a href="${PATHS.forgotten}">${text.login.forgotten}</a></p>\n`
}

function forgotten(context: PageContext, text: Catalogue): Fragment {
  const help = helpLink(context.brand.help, text.helpSubject(context.reference))
  return html`<details><summary>${text.login.forgotten}</summary>
<p>${text.login.forgottenHelp}</p>
${help !== undefined && html`<p><a href="${help}">${text.help}</a></p>\n`}</details>
`
}
