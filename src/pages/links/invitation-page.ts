import { errorSummary, type SummaryItem } from '../error-summary.ts'
import { form, hidden, inputField, usernameForManagers } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { accountLine } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { FieldProblem, PageContext, PasswordAskedView } from '../views.ts'

export type InvitationView = {
  /** One-time token, sent back in the hidden field `token`. */
  readonly token: string
  /** The address the invitation went to; it becomes the account's. */
  readonly email: string
  /** The name that comes with the invitation; empty: one is chosen here. */
  readonly givenName: string
  readonly username: string
  readonly displayName: string
  readonly asked: PasswordAskedView
  readonly problems: readonly FieldProblem<'username' | 'display_name' | 'email' | 'password'>[]
  /** Too many passwords at once: nothing was judged. */
  readonly problem?: 'busy'
}

/** An account of one's own, by a link that was sent to one's address. */
export function invitationPage(context: PageContext, view: InvitationView): string {
  const text = catalogue(context.language)
  const words = text.links.invitation
  const problems = new Map(
    view.problems.map(({ field, problem, detail, what }) => [
      field,
      text.fieldProblem(field, problem, detail, what),
    ]),
  )
  const shown: ReadonlySet<string> = new Set([
    ...(view.givenName === '' ? ['username'] : []),
    'display_name',
    'password',
  ])
  const items: readonly SummaryItem[] = [
    ...(view.problem === undefined ? [] : [{ message: text.busy }]),
    ...[...problems].map(([field, message]) =>
      shown.has(field) ? { field, message } : { message },
    ),
  ]
  const failed = items.length > 0
  return layout(
    context,
    { title: words.title, failed },
    html`${errorSummary(text, items)}<h1>${words.title}</h1>
<p class="lead">${words.lead} <strong><bdi>${view.email}</bdi></strong></p>
${view.givenName !== '' && accountLine(context, view.givenName)}${form(
  context,
  { action: PATHS.invitation },
  html`${hidden('token', view.token)}
${
  view.givenName === ''
    ? inputField(context, {
        name: 'username',
        label: text.username,
        problem: problems.get('username'),
        input: {
          type: 'text',
          value: view.username,
          autocomplete: 'username',
          autocapitalize: 'none',
          autocorrect: 'off',
          spellcheck: 'false',
          enterkeyhint: 'next',
          autofocus: !failed,
        },
      })
    : usernameForManagers(view.givenName)
}${inputField(context, {
  name: 'display_name',
  label: `${text.displayName} ${text.optional}`,
  problem: problems.get('display_name'),
  input: {
    type: 'text',
    value: view.displayName,
    autocomplete: 'name',
    spellcheck: 'false',
    enterkeyhint: 'next',
  },
})}${inputField(context, {
  name: 'password',
  label: text.password,
  hint: text.passwords.hint(view.asked),
  problem: problems.get('password'),
  input: {
    type: 'password',
    autocomplete: 'new-password',
    autocapitalize: 'none',
    spellcheck: 'false',
    enterkeyhint: 'go',
  },
})}<button type="submit">${words.submit}</button>`,
)}`,
  )
}
