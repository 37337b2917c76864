import { errorSummary, SUMMARY_ID, type SummaryItem } from './error-summary.ts'
import { checkbox, form, inputField } from './fields.ts'
import { type Fragment, html } from './html.ts'
import { layout } from './layout.ts'
import { helpLink } from './link.ts'
import { catalogue } from './text/catalogue.ts'
import type { Catalogue } from './text/fr.ts'
import type { LoginView, PageContext } from './views.ts'

/**
 * Username and password. A refusal is told once, in the summary, and marks neither field: which
 * of the two was wrong is not said.
 */
export function loginPage(context: PageContext, view: LoginView): string {
  const text = catalogue(context.language)
  const problems = summaryItems(text, view)
  const failed = problems.length > 0
  const confirming = view.notice === 'confirm'
  const describedBy = failed && view.problem !== 'empty' ? SUMMARY_ID : undefined
  const messageOf = (field: string) => problems.find((item) => item.field === field)?.message
  return layout(
    context,
    {
      title: confirming ? text.login.confirmTitle : text.login.title,
      app: view.app?.name,
      failed,
    },
    html`${errorSummary(text, problems)}<h1>${heading(text, view)}</h1>
${view.app !== undefined && html`<p class="host">${view.app.host}</p>\n`}${
  view.notice !== undefined && html`<p class="notice">${text.login.notice[view.notice]}</p>\n`
}${form(
  context,
  { returnTicket: view.returnTicket },
  html`${inputField(context, {
    name: 'username',
    label: text.username,
    problem: messageOf('username'),
    describedBy,
    input: {
      type: 'text',
      value: view.username,
      autocomplete: 'username',
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
  })}<button type="submit">${confirming ? text.login.confirm : text.login.submit}</button>`,
)}${forgotten(context, text)}`,
  )
}

function heading(text: Catalogue, view: LoginView): string {
  if (view.notice === 'confirm') return text.login.confirmTitle
  return view.app === undefined ? text.login.title : text.login.titleFor(view.app.name)
}

function summaryItems(text: Catalogue, view: LoginView): readonly SummaryItem[] {
  const { problem } = text.login
  if (view.problem === undefined) return []
  if (view.problem === 'busy') return [{ message: text.busy }]
  if (view.problem === 'wrong') return [{ message: problem.wrong }]
  // The password is never sent back, so it is to be typed again in any case.
  const password = { field: 'password', message: problem.emptyPassword }
  return view.username === ''
    ? [{ field: 'username', message: problem.emptyUsername }, password]
    : [password]
}

function forgotten(context: PageContext, text: Catalogue): Fragment {
  const help = helpLink(context.brand.help, text.helpSubject(context.reference))
  return html`<details><summary>${text.login.forgotten}</summary>
<p>${text.login.forgottenHelp}</p>
${help !== undefined && html`<p><a href="${help}">${text.help}</a></p>\n`}</details>
`
}
