import { type Html, html } from './html.ts'
import type { Catalogue } from './text/fr.ts'

/** An instant (milliseconds since the epoch) as a person reads it, and as a program does. */
export function instant(
  text: Catalogue,
  at: number,
  style: 'dateTime' | 'time' = 'dateTime',
): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${text.format[style](at)}</time>`
}
