import { form } from './fields.ts'
import { type Html, html } from './html.ts'
import { withQuery } from './link.ts'
import { PATHS } from './paths.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext } from './views.ts'

/** Whose account it is, as text: the page does not ask for it. */
export function accountLine(context: PageContext, username: string): Html {
  const text = catalogue(context.language)
  return html`<p class="who">${text.account}${text.colon} <strong><bdi>${username}</bdi></strong></p>\n`
}

/** The way out for somebody who meant another account: ends what was begun, keeps the ticket. */
export function changeAccount(context: PageContext, returnTicket: string): Html {
  return form(
    context,
    { action: PATHS.logout, returnTicket, class: 'aside' },
    html`<button type="submit" class="link">${catalogue(context.language).changeAccount}</button>`,
  )
}

/** A link between pages of one sign-in, which keeps the ticket. */
export function withTicket(path: string, returnTicket: string): string {
  return returnTicket === '' ? path : withQuery(path, 'rt', returnTicket)
}
