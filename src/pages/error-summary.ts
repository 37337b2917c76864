import { type Fragment, html } from './html.ts'
import type { Catalogue } from './text/fr.ts'

export type SummaryItem = {
  readonly message: string
  /** Id of the refused field; absent when no single field is to blame. */
  readonly field?: string
}

/** Id of the text that fields point to when the form was refused as a whole. */
export const SUMMARY_ID = 'problem'

/**
 * What was refused, above the heading; nothing when the list is empty. It takes the focus by
 * itself when the page opens. `role=alert` stands on the inner element: focus and announcement
 * would otherwise race for the same one.
 */
export function errorSummary(text: Catalogue, items: readonly SummaryItem[]): Fragment {
  return (
    items.length > 0 &&
    html`<div class="es" tabindex="-1" autofocus aria-labelledby="es-t">
<div role="alert">
<h2 id="es-t">${text.problemHeading}</h2>
<ul id="${SUMMARY_ID}">${items.map(
      ({ message, field }) =>
        html`<li>${field === undefined ? message : html`<a href="#${field}">${message}</a>`}</li>`,
    )}</ul>
</div>
</div>
`
  )
}
