import { errorSummary, SUMMARY_ID, type SummaryItem } from '../error-summary.ts'
import { checkbox, form, inputField, usernameForManagers } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { accountLine } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { FieldProblem, PageContext, PasswordAskedView } from '../views.ts'

export type ChangePasswordView = {
  readonly username: string
  readonly returnTicket: string
  readonly asked: PasswordAskedView
  /** Why it must be changed before anything else; absent: its owner wants to. */
  readonly due?: 'first' | 'leaked' | 'operator'
  /** The present password is typed again: it was not given lately. */
  readonly asksCurrent: boolean
  readonly endOthers: boolean
  /** Everything that was refused; `busy`: nothing was judged. */
  readonly problems: readonly ('busy' | 'empty_current' | 'wrong_current' | NewProblem)[]
}

type NewProblem = Pick<FieldProblem<'password'>, 'problem' | 'detail' | 'what'>

const CURRENT = 'current_password'
const NEXT = 'new_password'

/** One's own password: the present one where it is asked for, and the new one, once. */
export function changePasswordPage(context: PageContext, view: ChangePasswordView): string {
  const text = catalogue(context.language)
  const items = summaryItems(text, view)
  const problemOf = (name: string) => items.find(({ field }) => field === name)?.message
  const describedBy = view.problems.includes('busy') ? SUMMARY_ID : undefined
  const title = view.due === undefined ? text.passwords.title : text.passwords.dueTitle
  const password = { type: 'password', autocapitalize: 'none', spellcheck: 'false' }
  const failed = items.length > 0
  return layout(
    context,
    { title, failed },
    html`${errorSummary(text, items)}<h1>${title}</h1>
${view.due !== undefined && html`<p class="notice">${text.passwords.due[view.due]}</p>\n`}${accountLine(context, view.username)}${form(
  context,
  { action: PATHS.changePassword, returnTicket: view.returnTicket },
  html`${usernameForManagers(view.username)}${
    view.asksCurrent &&
    inputField(context, {
      name: CURRENT,
      label: text.passwords.current,
      problem: problemOf(CURRENT),
      describedBy,
      input: {
        ...password,
        autocomplete: 'current-password',
        enterkeyhint: 'next',
        autofocus: !failed,
      },
    })
  }${inputField(context, {
    name: NEXT,
    label: text.passwords.next,
    hint: text.passwords.hint(view.asked),
    problem: problemOf(NEXT),
    describedBy,
    input: {
      ...password,
      autocomplete: 'new-password',
      enterkeyhint: 'go',
      autofocus: !failed && !view.asksCurrent,
    },
  })}${checkbox(context, {
    name: 'end_others',
    label: text.passwords.endOthers,
    checked: view.endOthers,
  })}<button type="submit">${text.passwords.submit}</button>`,
)}${
  view.due === undefined
    ? html`<p class="aside"><a href="${PATHS.account}">${text.cancel}</a></p>`
    : form(
        context,
        { action: PATHS.logout, class: 'aside' },
        html`<button type="submit" class="link">${text.passwords.signOut}</button>`,
      )
}`,
  )
}

function summaryItems(text: Catalogue, view: ChangePasswordView): readonly SummaryItem[] {
  return view.problems.map((problem) => {
    if (problem === 'busy') return { message: text.busy }
    if (problem === 'empty_current') return { field: CURRENT, message: text.passwords.emptyCurrent }
    if (problem === 'wrong_current') return { field: CURRENT, message: text.passwords.wrongCurrent }
    return { field: NEXT, message: text.passwords.problem(problem) }
  })
}
