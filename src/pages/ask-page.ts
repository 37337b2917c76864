import { errorSummary } from './error-summary.ts'
import { form, hidden } from './fields.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'
import { localLink } from './link.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext } from './views.ts'

/** A page that asks once more before something is taken away. All texts are the caller's. */
export type AskView = {
  readonly title: string
  readonly lead: string
  readonly submit: string
  /** Absolute path that leads back without doing it. */
  readonly backPath: string
  /** Hidden fields, by name. */
  readonly fields: Readonly<Record<string, string>>
  /** Why it cannot be done, in a sentence; lead and button stay away. */
  readonly refused?: string
}

export function askPage(context: PageContext, view: AskView): string {
  const text = catalogue(context.language)
  const back = localLink(view.backPath)
  const fields = Object.entries(view.fields).map(([name, value]) => hidden(name, value))
  return layout(
    context,
    { title: view.title, failed: view.refused !== undefined },
    html`${view.refused !== undefined && errorSummary(text, [{ message: view.refused }])}<h1>${view.title}</h1>
${
  view.refused === undefined &&
  html`<p>${view.lead}</p>
${form(context, {}, html`${fields}<button type="submit">${view.submit}</button>`)}`
}<p class="aside"><a href="${back ?? ''}">${text.cancel}</a></p>`,
  )
}
