import { errorSummary, type SummaryItem } from '../error-summary.ts'
import { checkbox, form, hidden, inputField, usernameForManagers } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { accountLine } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { FieldProblem, PageContext, PasswordAskedView } from '../views.ts'

export type ResetView = {
  /** One-time token, sent back in the hidden field `token`. */
  readonly token: string
  readonly username: string
  readonly asked: PasswordAskedView
  readonly endSessions: boolean
  /** Why the password is refused; `busy`: too many at once, nothing was judged. */
  readonly problem?: Omit<FieldProblem<'password'>, 'field'> | 'busy'
}

/** A new password, by the link from a mail. */
export function resetPage(context: PageContext, view: ResetView): string {
  const text = catalogue(context.language)
  const { problem } = view
  const refused =
    problem === undefined || problem === 'busy' ? undefined : text.passwords.problem(problem)
  const items: readonly SummaryItem[] =
    refused !== undefined
      ? [{ field: 'password', message: refused }]
      : problem === 'busy'
        ? [{ message: text.busy }]
        : []
  const failed = items.length > 0
  return layout(
    context,
    { title: text.passwords.dueTitle, failed },
    html`${errorSummary(text, items)}<h1>${text.passwords.dueTitle}</h1>
${accountLine(context, view.username)}${form(
  context,
  { action: PATHS.reset },
  html`${hidden('token', view.token)}${usernameForManagers(view.username)}${inputField(context, {
    name: 'password',
    label: text.passwords.next,
    hint: text.passwords.hint(view.asked),
    problem: refused,
    input: {
      type: 'password',
      autocomplete: 'new-password',
      autocapitalize: 'none',
      spellcheck: 'false',
      enterkeyhint: 'go',
      autofocus: !failed,
    },
  })}${checkbox(context, {
    name: 'end_sessions',
    label: text.passwords.endOthers,
    checked: view.endSessions,
  })}<button type="submit">${text.passwords.submit}</button>`,
)}`,
  )
}
