import { errorSummary, type SummaryItem } from '../error-summary.ts'
import { form, hidden, inputField } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext, SetupView } from '../views.ts'

/** The first account's form, opened by the one-time link. */
export function setupPage(context: PageContext, view: SetupView): string {
  const text = catalogue(context.language)
  const problems = new Map(
    view.problems.map(({ field, problem, detail, what }) => [
      field,
      text.fieldProblem(field, problem, detail, what),
    ]),
  )
  const items: readonly SummaryItem[] = [
    ...(view.problem === undefined ? [] : [{ message: text.busy }]),
    ...[...problems].map(([field, message]) => ({ field, message })),
  ]
  const failed = items.length > 0
  return layout(
    context,
    { title: text.setup.title, failed },
    html`${errorSummary(text, items)}<h1>${text.setup.title}</h1>
<p class="lead">${text.setup.lead}</p>
${form(
  context,
  { action: PATHS.setup },
  html`${hidden('token', view.token)}
${inputField(context, {
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
})}${inputField(context, {
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
  name: 'email',
  label: `${text.email} ${text.optional}`,
  problem: problems.get('email'),
  input: {
    type: 'email',
    value: view.email,
    autocomplete: 'email',
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
})}<button type="submit">${text.setup.submit}</button>`,
)}`,
  )
}
