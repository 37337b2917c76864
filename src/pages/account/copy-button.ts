import { type Html, html } from '../html.ts'

/**
 * A button that copies the `code` elements inside the element with this id, one a line. Script
 * shows it, where there is a clipboard; `done` is said when it worked.
 */
export function copyButton(id: string, label: string, done: string): Html {
  return html`<p class="screen" hidden><button type="button" class="quiet" data-copy="${id}" data-done="${done}">${label}</button></p>
`
}
