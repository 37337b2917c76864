import { errorSummary } from '../error-summary.ts'
import { form, hidden, inputField } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type AppLoginFormView = {
  readonly id: string
  readonly label: string
  /** As typed, or as kept. */
  readonly user: string
  /** What cannot be sent to the app, and the most characters of it. */
  readonly problem?: { readonly field: 'user' | 'password'; readonly most: number }
}

/** The name and the password at one app. Password managers are to keep them apart from ours. */
export function appLoginFormPage(context: PageContext, view: AppLoginFormView): string {
  const text = catalogue(context.language)
  const { form: words, problem } = text.appLogins
  const messageOf = (field: 'user' | 'password'): string | undefined =>
    view.problem?.field === field ? problem[field](view.problem.most) : undefined
  const title = words.title(view.label)
  const items = (['user', 'password'] as const).flatMap((field) => {
    const message = messageOf(field)
    return message === undefined ? [] : [{ message, field: `login_${field}` }]
  })
  const field = (name: 'user' | 'password', type: string, value: string) =>
    inputField(context, {
      name: `login_${name}`,
      label: words[name],
      problem: messageOf(name),
      input: {
        type,
        value,
        autocomplete: 'off',
        autocapitalize: 'none',
        spellcheck: 'false',
      },
    })
  return layout(
    context,
    { title, failed: items.length > 0 },
    html`${errorSummary(text, items)}<h1>${title}</h1>
<p class="lead">${words.lead}</p>
${form(
  context,
  {},
  html`${hidden('app', view.id)}${field('user', 'text', view.user)}${field('password', 'password', '')}<button type="submit">${words.submit}</button>`,
)}<p class="aside"><a href="${PATHS.appLogins}">${text.cancel}</a></p>`,
  )
}
