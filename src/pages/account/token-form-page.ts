import { errorSummary, type SummaryItem } from '../error-summary.ts'
import { checkbox, form, hidden, inputField } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'
import { proofLinks, type TokenProofView } from './token-proof-page.ts'

export type TokenFormField = 'name' | 'days' | 'apps' | 'methods' | 'paths'

export type TokenFormView = {
  /** Lets the form be sent once: a page that is loaded again makes no second token. */
  readonly once: string
  readonly name: string
  readonly days: string
  readonly methods: string
  readonly paths: string
  /** Those that may be chosen. `field`: unique, without spaces. */
  readonly apps: readonly {
    readonly field: string
    readonly name: string
    readonly chosen: boolean
  }[]
  readonly mostDays: number
  /** Whether days may be left out. */
  readonly endless: boolean
  /** `value`: the entry that is meant. */
  readonly problems: readonly {
    readonly field: TokenFormField
    readonly value: string
    readonly tooMany: boolean
  }[]
  /** There are as many tokens as there may be. */
  readonly full?: number
  /** The session was opened by a one-time link alone: what to prove before this is sent again. */
  readonly proof?: TokenProofView
}

/** What a new token is to be called, and may be used for. */
export function tokenFormPage(context: PageContext, view: TokenFormView): string {
  const text = catalogue(context.language)
  const { form: words, problem, proof } = text.tokens
  const messageOf = (field: TokenFormField): string | undefined => {
    const found = view.problems.find((one) => one.field === field)
    if (found === undefined) return undefined
    if (found.tooMany && field !== 'name' && field !== 'days') return problem.list
    switch (field) {
      case 'name':
        return problem.name
      case 'days':
        return problem.days(view.mostDays)
      case 'apps':
        return problem.apps
      case 'methods':
        return problem.methods(found.value)
      case 'paths':
        return problem.paths(found.value)
    }
  }
  const firstApp = view.apps[0]?.field
  const items: readonly SummaryItem[] = [
    ...(view.proof === undefined ? [] : [{ message: proof.lead }]),
    ...(view.full === undefined ? [] : [{ message: problem.full(view.full) }]),
    ...(['name', 'days', 'apps', 'methods', 'paths'] as const).flatMap((field) => {
      const message = messageOf(field)
      if (message === undefined) return []
      if (field !== 'apps') return [{ message, field }]
      return [{ message, ...(firstApp === undefined ? {} : { field: firstApp }) }]
    }),
  ]
  const field = (name: 'name' | 'days' | 'methods' | 'paths', label: string, hint: string) =>
    inputField(context, {
      name,
      label,
      hint,
      problem: messageOf(name),
      input: {
        type: 'text',
        value: view[name],
        autocomplete: 'off',
        ...(name === 'days' ? { inputmode: 'numeric' } : {}),
        ...(name === 'methods' || name === 'paths' ? { spellcheck: 'false' } : {}),
      },
    })
  const daysHint = view.endless ? words.daysOrNever : words.daysHint
  return layout(
    context,
    { title: words.title, failed: items.length > 0 },
    html`${errorSummary(text, items)}<h1>${words.title}</h1>
<p class="lead">${words.lead}</p>
${
  view.proof !== undefined &&
  html`<p>${proof.keep}</p>
${proofLinks(context, view.proof, { anotherTab: true })}`
}${form(
  context,
  { action: PATHS.newToken },
  html`${hidden('once', view.once)}${field('name', words.name, words.nameHint)}${field(
    'days',
    words.days,
    daysHint(view.mostDays),
  )}${
    view.apps.length > 0 &&
    html`<fieldset><legend>${words.apps}</legend>
<p class="hint">${words.appsHint}</p>
${view.apps.map((app) => checkbox(context, { name: app.field, label: app.name, checked: app.chosen }))}</fieldset>
`
  }${field('methods', words.methods, words.methodsHint)}${field(
    'paths',
    words.paths,
    words.pathsHint,
  )}<button type="submit">${words.submit}</button>`,
)}<p class="aside"><a href="${PATHS.tokens}">${text.cancel}</a></p>`,
  )
}
