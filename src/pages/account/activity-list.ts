import { type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import type { Catalogue } from '../text/fr.ts'

/** One thing that happened to the account. */
export type ActivityItem = {
  readonly at: number
  /** An event's name, e.g. `auth.password`. */
  readonly event: string
  readonly outcome: string
  /** What it was about, e.g. a device's name; may be empty. */
  readonly detail: string
  /** e.g. `Firefox`, `Linux`; empty when unknown. */
  readonly browser: string
  readonly system: string
  readonly address: string
}

/** What happened, when, on which device and from where, in the order given. */
export function activityList(text: Catalogue, items: readonly ActivityItem[]): Html {
  return html`<ul class="cards">${items.map((item) => {
    const device = text.accountPage.deviceName(item.browser, item.system)
    const detail = detailOf(text, item)
    const where = [device, item.address].filter((part) => part !== '')
    return html`<li><strong>${wordsFor(text, item)}</strong>${
      detail !== '' && html`${text.colon} <bdi>${detail}</bdi>`
    }<span class="hint">${instant(text, item.at)}${where.map((part) => html`, ${part}`)}</span></li>
`
  })}</ul>
`
}

/** Names of devices are as their owner wrote them; anything else is a word of ours. */
function detailOf(text: Catalogue, { event, detail }: ActivityItem): string {
  const { details } = text.activity
  if (event.startsWith('factor.') || !Object.hasOwn(details, detail)) return detail
  return details[detail] ?? detail
}

/** An event nobody wrote words for is shown by its name. */
function wordsFor(text: Catalogue, { event, outcome }: ActivityItem): string {
  const { events } = text.activity
  const words = Object.hasOwn(events, event) ? events[event] : undefined
  if (words === undefined) return `${event} (${outcome})`
  const [success, other = success] = words
  return outcome === 'success' ? success : other
}
