import { readReturnTarget } from '../http/return-target.ts'
import type { ReturnTicket } from '../http/return-ticket.ts'
import type { Visit } from '../http/visit.ts'
import { PATHS } from '../pages/paths.ts'
import type { PortalDeps } from './portal-deps.ts'

/**
 * Where a finished sign-in leads: the ticket's URL, and the ticket is spent by it; the account
 * page when it was spent before, is too old, or is none of ours.
 *
 * @throws AppError `store_unavailable`: then it leads nowhere
 */
export async function follow(
  deps: PortalDeps,
  visit: Visit,
  returnTicket: string,
): Promise<string> {
  const ticket = ticketFor(deps, visit, returnTicket)
  // Who asks with HEAD goes nowhere, so nothing is used up.
  if (ticket === undefined || visit.method === 'HEAD') return PATHS.account
  if (!(await deps.tickets.spend(ticket))) return PATHS.account
  // Where a form waits in another tab, its own address is no page to show.
  return ticket.reason === 'interrupted'
    ? `${new URL(ticket.url).origin}${PATHS.resumed}`
    : ticket.url
}

/** The ticket, if it leads where this visitor may be led. */
export function ticketFor(
  deps: PortalDeps,
  visit: Visit,
  returnTicket: string,
): ReturnTicket | undefined {
  const ticket = returnTicket === '' ? undefined : deps.tickets.read(returnTicket)
  if (ticket === undefined) return undefined
  const { origin, portalOrigin } = visit.site
  const { url } = ticket
  if (url.startsWith(`${origin}/`) || url.startsWith(`${portalOrigin}/`)) return ticket
  return isConfigured(deps, visit, new URL(url)) ? ticket : undefined
}

/** What `rd` asks for, where it asks for a page of a configured host (proxy contracts, §7). */
export function askedReturn(
  deps: PortalDeps,
  visit: Visit,
  query: URLSearchParams,
): string | undefined {
  return readReturnTarget(query, (url) => isConfigured(deps, visit, url))
}

/** Of an app, or of the portal itself. */
function isConfigured(deps: PortalDeps, visit: Visit, url: URL): boolean {
  const { origin, portalOrigin } = visit.site
  if (url.origin === origin || url.origin === portalOrigin) return true
  const known = [origin, portalOrigin].map((text) => new URL(text))
  // SECURITY: a ticket's port is what some client put into `Host`, and may be somebody else's.
  const reached = known.some(({ protocol, port }) => protocol === url.protocol && port === url.port)
  return reached && deps.appAt(url.href) !== undefined
}
