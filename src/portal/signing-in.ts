import type { Account } from '../accounts/account.ts'
import type { Answer } from '../http/answer.ts'
import { cookieName, readCookie, setCookie } from '../http/cookies.ts'
import { rateLimitHeaders } from '../http/rate-limit-headers.ts'
import { firstHeader } from '../http/raw-headers.ts'
import { MAX_RETURN_URL } from '../http/return-ticket.ts'
import type { Visit } from '../http/visit.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import type { LoginContext } from '../login/step.ts'
import { isToldOfDuty } from '../login/told-of-duty.ts'
import { PATHS } from '../pages/paths.ts'
import { problemPage } from '../pages/problems/problem-page.ts'
import { FOR_SETTINGS, lackOf } from '../policy/step-up.ts'
import type { Session } from '../sessions/session.ts'
import type { Issued, Resolution } from '../sessions/sessions.ts'
import type { Form } from './form.ts'
import { knownDevice, rememberDevice } from './known-devices.ts'
import { appCookieLost, lostCookiePage, noteSentOn } from './lost-cookie.ts'
import type { PortalDeps } from './portal-deps.ts'
import { follow } from './returning.ts'
import { isPasskeyDue } from './sign-in/passkey-offer.ts'
import { bestWayPath } from './sign-in/ways.ts'

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
  /** The form that finished a sign-in; absent: nothing is offered on the way. */
  form?: Form,
): Promise<Answer> {
  const cookies = [sessionCookie(deps, visit, issued), rememberDevice(deps.keys, visit, account.id)]
  if (account.passwordDue !== '') {
    // The ticket is spent when the password is changed.
    return toPage(PATHS.changePassword, returnTicket, cookies)
  }
  if (await isToldOfDuty(deps, account, issued.session)) {
    return toPage(PATHS.secondFactorDue, returnTicket, cookies)
  }
  if (form !== undefined && (await isPasskeyDue(deps, visit, account, form))) {
    return toPage(`${PATHS.newPasskey}?offer=1`, returnTicket, cookies)
  }
  const location = await follow(deps, visit, returnTicket)
  await noteSentOn(deps, visit, issued.session, returnTicket)
  return redirect(location, cookies)
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

/** Settings are opened by a recent proof of the strongest thing the account has proved. */
export async function freshSession(
  deps: PortalDeps,
  visit: Visit,
  resolution: Resolution,
  returnTicket: string,
): Promise<Fresh> {
  const first = (path: string): Fresh => ({
    kind: 'first',
    answer: toPage(path, backHere(deps, visit, returnTicket)),
  })
  if (resolution.kind === 'none') return first(PATHS.login)
  const { session, account } = resolution
  if (resolution.kind === 'pending' && resolution.owes === 'password') {
    return first(PATHS.changePassword)
  }
  const owes =
    resolution.kind === 'pending' ||
    (resolution.principal.level === 'one_factor' && (await deps.enrolled.hasSecond(account.id)))
  if (owes) return first(await bestWayPath(deps, account, { confirm: false }))
  if (lackOf(FOR_SETTINGS, session.factors, deps.clock.now()) !== undefined) {
    return first(PATHS.confirm)
  }
  return { kind: 'fresh', session, account }
}

/** After proving it, back to this very page; a form is asked for again. */
function backHere(deps: PortalDeps, visit: Visit, returnTicket: string): string {
  const { pathname, searchParams } = new URL(visit.target, visit.site.origin)
  const isPage = visit.method === 'POST' ? FORM_PAGES.has(pathname) : isSetting(pathname)
  const query = isPage ? searchParams : new URLSearchParams()
  query.delete('rt')
  const page = `${visit.site.origin}${isPage ? pathname : PATHS.account}`
  const plain = query.size === 0 ? page : `${page}?${query}`
  if (returnTicket === '') return deps.tickets.issue(plain)
  query.set('rt', returnTicket)
  const whole = `${page}?${query}`
  // A way back within the way back may be too long: then the page itself is worth more.
  return deps.tickets.issue(Buffer.byteLength(whole) <= MAX_RETURN_URL ? whole : plain)
}

function isSetting(path: string): boolean {
  return path.startsWith(PATHS.account) || path.startsWith(PASSWORD)
}

const PASSWORD = '/.sallyport/password/'

/** Forms that are sent to the address of the page they are on. */
const FORM_PAGES: ReadonlySet<string> = new Set([
  PATHS.changePassword,
  PATHS.newTotp,
  PATHS.totpDevice,
  PATHS.removeTotp,
  PATHS.newPasskey,
  PATHS.passkey,
  PATHS.removePasskey,
  PATHS.phone,
  PATHS.verifyPhone,
  PATHS.removePhone,
  PATHS.newToken,
  PATHS.revokeToken,
  PATHS.setAppLogin,
  PATHS.removeAppLogin,
])
