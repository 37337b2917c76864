import { type Fragment, type Html, html } from '../html.ts'

/** A part of the account page under its own heading; `id` names the heading. */
export function section(id: string, heading: string, content: Fragment): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${heading}</h2>
${content}</section>
`
}
