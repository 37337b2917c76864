import type { Account } from '../accounts/account.ts'
import type { Answer } from '../http/answer.ts'
import { cookieName, readCookie, setCookie } from '../http/cookies.ts'
import { rateLimitHeaders } from '../http/rate-limit-headers.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import { levelOf } from '../identity/principal.ts'
import { MINUTE } from '../lib/duration.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import type { LoginContext } from '../login/login.ts'
import { PATHS } from '../pages/paths.ts'
import { problemPage } from '../pages/problem-page.ts'
import type { Session } from '../sessions/session.ts'
import type { Issued, Resolution } from '../sessions/sessions.ts'
import { knownDevice, rememberDevice } from './known-devices.ts'
import { appCookieLost, lostCookiePage, noteSentOn } from './lost-cookie.ts'
import type { PortalDeps } from './portal-deps.ts'
import { follow } from './returning.ts'

/** Changes to factors need a proof that is at most this old (OWASP ASVS 5.0, 7.5.1). */
export const PROOF_FOR = 10 * MINUTE

/** The session cookie's value, if the browser sent one. */
export function sessionToken(visit: Visit): string | undefined {
  return readCookie(visit.headers, cookieName('session', visit.site.binding))
}

/** Whose session the visit belongs to. */
export async function currentSession(deps: PortalDeps, visit: Visit): Promise<Resolution> {
  const token = sessionToken(visit)
  return token === undefined ? { kind: 'none' } : deps.sessions.resolve(token)
}

/** The cookie that carries a fresh session. */
export function sessionCookie(deps: PortalDeps, visit: Visit, { token, session }: Issued): string {
  const maxAge = session.remember ? session.endsAt - deps.clock.now() : undefined
  return setCookie('session', token.reveal(), visit.site.binding, maxAge)
}

/** The cookie that takes the session away from the browser. */
export function noSessionCookie(visit: Visit): string {
  return setCookie('session', '', visit.site.binding, 0)
}

/** What login steps need to know of a visit. */
export function loginContext(deps: PortalDeps, visit: Visit): LoginContext {
  return {
    requestId: visit.requestId,
    address: visit.client.address,
    userAgent: (firstHeader(visit.headers, 'user-agent') ?? '').slice(0, 256),
    knownDevice: (account) => knownDevice(deps.keys, visit, account.id),
  }
}

/** Goes on to another page of ours, keeping the return ticket. */
export function toPage(
  path: string,
  returnTicket: string,
  cookies: readonly string[] = [],
): Answer {
  if (returnTicket === '') return redirect(path, cookies)
  // It is as a client sent it, and may be anything.
  const ticket = encodeURIComponent(returnTicket)
  return redirect(`${path}${path.includes('?') ? '&' : '?'}rt=${ticket}`, cookies)
}

/** Sends on somebody who is signed in already, unless that would go on for ever. */
export async function onward(
  deps: PortalDeps,
  visit: Visit,
  session: Session,
  returnTicket: string,
): Promise<Answer> {
  if (await appCookieLost(deps, visit, session, returnTicket)) {
    return lostCookiePage(deps, visit, 'app', returnTicket)
  }
  return redirect(await follow(deps, visit, returnTicket))
}

/** Ends a finished sign-in: new cookie, known device, and on to the app. */
export async function arrive(
  deps: PortalDeps,
  visit: Visit,
  account: Account,
  issued: Issued,
  returnTicket: string,
): Promise<Answer> {
  const location = await follow(deps, visit, returnTicket)
  await noteSentOn(deps, visit, issued.session, returnTicket)
  return redirect(location, [
    sessionCookie(deps, visit, issued),
    rememberDevice(deps.keys, visit, account.id),
  ])
}

/**
 * Always 303: after a form, the browser follows with GET (RFC 9110 15.4.4). Without a fragment of
 * its own, the address takes over the fragment of the page before (Fetch standard, 4.4).
 */
export function redirect(location: string, cookies: readonly string[] = []): Answer {
  return {
    status: 303,
    headers: [
      ['Location', location],
      ['Cache-Control', 'no-store'],
      ...cookies.map((cookie) => ['Set-Cookie', cookie] as const),
    ],
    body: '',
  }
}

/** 429 with the time to wait. */
export function tooMany(deps: PortalDeps, visit: Visit, budget: Budget, take: Take): Answer {
  const wait = take.kind === 'limited' ? take.retryAfter : 0
  return deps.frame.page(
    visit,
    429,
    (page) =>
      problemPage(page, {
        kind: 'too_many',
        retryAt: deps.clock.now() + wait,
        retryAfterSeconds: Math.max(1, Math.ceil(wait / 1000)),
      }),
    { headers: rateLimitHeaders(budget, take) },
  )
}

/** A session that may change factors: proved lately, and with both factors where there are two. */
export type Fresh =
  | { readonly kind: 'fresh'; readonly session: Session; readonly account: Account }
  /** Where to go first. */
  | { readonly kind: 'first'; readonly answer: Answer }

/** Settings are opened by a recent proof of everything the account can prove. */
export async function freshSession(
  deps: PortalDeps,
  visit: Visit,
  resolution: Resolution,
  returnTicket: string,
): Promise<Fresh> {
  if (resolution.kind === 'none') {
    return { kind: 'first', answer: toPage(PATHS.login, backHere(deps, visit, returnTicket)) }
  }
  const { session, account } = resolution
  const owes =
    resolution.kind === 'pending' ||
    (levelOf(session.factors) === 'one_factor' && (await deps.totp.hasDevice(account.id)))
  if (owes) {
    return { kind: 'first', answer: toPage(PATHS.totp, backHere(deps, visit, returnTicket)) }
  }
  const proved = Math.max(...session.factors.map((factor) => factor.at))
  if (deps.clock.now() - proved > PROOF_FOR) {
    const path = `${PATHS.login}?confirm=1`
    return { kind: 'first', answer: toPage(path, backHere(deps, visit, returnTicket)) }
  }
  return { kind: 'fresh', session, account }
}

/** After signing in, back to this page; a POST's page is asked for again with GET. */
function backHere(deps: PortalDeps, visit: Visit, returnTicket: string): string {
  const path = visit.target.split('?', 1)[0] ?? PATHS.account
  const page = path.startsWith(PATHS.newTotp) ? path : PATHS.account
  const query = returnTicket === '' ? '' : `?rt=${encodeURIComponent(returnTicket)}`
  return deps.tickets.issue(`${visit.site.origin}${page}${query}`)
}
