import { createHash } from 'node:crypto'
import type { Answer } from '../http/answer.ts'
import { cookieName, mentionsCookie } from '../http/cookies.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import type { SessionId } from '../identity/principal.ts'
import { SECOND } from '../lib/duration.ts'
import { PATHS } from '../pages/paths.ts'
import { problemPage } from '../pages/problems/problem-page.ts'
import type { Session } from '../sessions/session.ts'
import { toSelf } from './own-links.ts'
import type { PortalDeps } from './portal-deps.ts'
import { ticketFor } from './returning.ts'

/**
 * What keeps a sign-in from ever finishing, as far as one request shows it.
 * `form`: the cookie of the page before did not come back; `session`: the one of the sign-in did
 * not; `app`: it comes to these pages and does not come with what the app is asked.
 */
export type LostCookie = 'form' | 'session' | 'app'

/** A browser is back within this time of having been sent on. */
const AT_ONCE = 30 * SECOND

/**
 * A form of ours whose page set a cookie that was not sent with it. Whoever signs in without
 * cookies is asked to sign in for ever: it ends before the password is looked at.
 */
export function formCookieLost(visit: Visit, hasToken: boolean): boolean {
  return hasToken && !mentionsCookie(visit.headers, cookieName('form', visit.site.binding))
}

/**
 * Whether somebody without a session has just signed in. The page they come from stays in
 * `Referer` over every redirect: it was the login page, for another ticket or, at the second step,
 * for the same one, and no link there leads here.
 */
export function sessionCookieLost(deps: PortalDeps, visit: Visit, returnTicket: string): boolean {
  const from = firstHeader(visit.headers, 'referer') ?? ''
  if (visit.method !== 'GET' || !URL.canParse(from)) return false
  const { origin, pathname, searchParams } = new URL(from)
  if (origin !== visit.site.origin || !SIGN_IN.has(pathname)) return false
  const path = visit.target.split('?', 1)[0] ?? ''
  if (path !== PATHS.login) return pathname === PATHS.login
  if ((searchParams.get('rt') ?? '') === returnTicket) return false
  const ticket = ticketFor(deps, visit, returnTicket)
  return ticket !== undefined && deps.clock.now() - ticket.issuedAt < AT_ONCE
}

const SIGN_IN: ReadonlySet<string> = new Set([
  PATHS.login,
  PATHS.passkeyLogin,
  PATHS.totp,
  PATHS.passkeyStep,
  PATHS.recovery,
])

/**
 * Whether an app keeps sending somebody here who is signed in: it was asked without the cookie
 * that came to this page, though it had been sent on to an app half a minute ago. Once alone is
 * no loop: some programs look at a link, without cookies, before they hand it to a browser.
 *
 * @throws AppError `store_unavailable`
 */
export async function appCookieLost(
  deps: PortalDeps,
  visit: Visit,
  session: Session,
  returnTicket: string,
): Promise<boolean> {
  const ticket = ticketFor(deps, visit, returnTicket)
  if (ticket?.reason !== 'refused' || visit.method !== 'GET') return false
  const now = deps.clock.now()
  const proved = Math.max(...session.factors.map(({ at }) => at))
  if (ticket.issuedAt <= proved || now - ticket.issuedAt >= AT_ONCE) return false
  const turn = Math.floor(now / AT_ONCE)
  const before = await mark(deps, session.id, turn - 1)
  return !((await mark(deps, session.id, turn)) && before)
}

/**
 * Notes that a sign-in led to an app, so that coming back at once without the cookie is known.
 * @throws AppError `store_unavailable`
 */
export async function noteSentOn(
  deps: PortalDeps,
  visit: Visit,
  session: Session,
  returnTicket: string,
): Promise<void> {
  if (ticketFor(deps, visit, returnTicket)?.reason !== 'refused') return
  await mark(deps, session.id, Math.floor(deps.clock.now() / AT_ONCE))
}

/** Marks a half minute of a session; `false` when it was marked already. */
function mark(deps: PortalDeps, session: SessionId, turn: number): Promise<boolean> {
  const digest = createHash('sha256').update(`${session} ${turn}`).digest('base64url')
  return deps.spent.spend('loop', digest, (turn + 2) * AT_ONCE)
}

/** The page that ends the loop: which cookie, why, and the ways out. */
export function lostCookiePage(
  deps: PortalDeps,
  visit: Visit,
  lost: LostCookie,
  returnTicket: string,
): Answer {
  deps.onLoop(visit, lost)
  const use = lost === 'form' ? 'form' : 'session'
  const url = ticketFor(deps, visit, returnTicket)?.url
  // The same ticket leads to the login page again; for who is signed in there is but the app.
  const retry = lost === 'app' ? (url ?? PATHS.account) : toSelf(PATHS.login, returnTicket)
  return deps.frame.page(
    visit,
    lost === 'form' ? 403 : 400,
    (page) =>
      problemPage(page, {
        kind: 'lost_cookie',
        lost,
        cookie: cookieName(use, visit.site.binding),
        host: new URL(lost === 'app' && url !== undefined ? url : visit.site.origin).host,
        https: visit.site.https,
        retry,
        ...(lost === 'app' ? { account: PATHS.account } : {}),
      }),
    { oneLanguage: visit.method !== 'GET' },
  )
}
