import type { Account } from '../../accounts/account.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { Secret } from '../../lib/secret.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { PATHS } from '../../pages/paths.ts'
import { loginPage } from '../../pages/sign-in/login-page.ts'
import type { LoginView } from '../../pages/views.ts'
import { lostCookiePage, sessionCookieLost } from '../lost-cookie.ts'
import { toSelf } from '../own-links.ts'
import { auditTrail, type PortalDeps } from '../portal-deps.ts'
import { askedReturn, ticketFor } from '../returning.ts'
import type { Route } from '../route.ts'
import {
  arrive,
  currentSession,
  loginContext,
  onward,
  sessionCookie,
  tooMany,
  toPage,
} from '../signing-in.ts'
import { signInOptions } from './passkey-options-for.ts'
import { bestWayPath } from './ways.ts'

const NOTICES = new Set<string | null>(['session_ended', 'password_reset'])

/** Name and password. */
export function loginRoutes(deps: PortalDeps): readonly Route[] {
  const show = (
    visit: Visit,
    status: number,
    view: Partial<LoginView> & { readonly returnTicket: string },
  ): Answer => showLogin(deps, visit, status, view)

  return [
    {
      method: 'GET',
      path: PATHS.login,
      handle: async (visit, query) => {
        const returnTicket = query.get('rt') ?? ''
        const asked = returnTicket === '' ? askedReturn(deps, visit, query) : undefined
        if (asked !== undefined) {
          return toPage(PATHS.login, deps.tickets.issue(asked))
        }
        const current = await currentSession(deps, visit)
        if (current.kind === 'pending') {
          if (current.owes === 'password') return toPage(PATHS.changePassword, returnTicket)
          const path = await bestWayPath(deps, current.account, { confirm: false })
          return toPage(path, returnTicket)
        }
        if (current.kind === 'active') {
          return onward(deps, visit, current.session, returnTicket)
        }
        if (current.kind === 'none' && sessionCookieLost(deps, visit, returnTicket)) {
          return lostCookiePage(deps, visit, 'session', returnTicket)
        }
        const notice = query.get('notice')
        return show(visit, 200, {
          returnTicket,
          ...(NOTICES.has(notice) ? { notice: notice as NonNullable<LoginView['notice']> } : {}),
        })
      },
    },
    {
      method: 'POST',
      path: PATHS.login,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const username = form.value('username')
        const remember = form.value('remember') === '1'
        const again = { returnTicket, username, remember }
        if (username.trim() === '' || form.value('password') === '') {
          return show(visit, 422, { ...again, problem: 'empty' })
        }
        const password = new Secret(form.value('password'))
        const outcome = await deps.login.withPassword(
          { username, password, remember },
          loginContext(deps, visit),
        )
        switch (outcome.kind) {
          case 'signed_in': {
            await endPrevious(deps, visit, outcome.account)
            if (outcome.next === 'done') {
              return await arrive(deps, visit, outcome.account, outcome.issued, returnTicket, form)
            }
            const path = await bestWayPath(deps, outcome.account, { confirm: false })
            return toPage(path, returnTicket, [sessionCookie(deps, visit, outcome.issued)])
          }
          case 'refused':
            return show(visit, 422, { ...again, problem: 'wrong' })
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy':
          case 'gone': {
            const page = show(visit, 503, { ...again, problem: 'busy' })
            return { ...page, headers: [...page.headers, ['Retry-After', '5']] }
          }
          default:
            return unreachable(outcome)
        }
      },
    },
  ]
}

/** The sign-in page, with a passkey's options where passkeys work. */
export function showLogin(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  view: Partial<LoginView> & { readonly returnTicket: string },
): Answer {
  const ticket = ticketFor(deps, visit, view.returnTicket)
  const app = ticket === undefined ? undefined : deps.appAt(ticket.url)
  return deps.frame.page(
    visit,
    status,
    (page) =>
      loginPage(page, {
        username: '',
        remember: false,
        rememberFor: deps.rememberFor,
        canReset: deps.resets.offered,
        ...(app === undefined ? {} : { app }),
        ...signInOptions(deps, visit, page.formToken),
        ...view,
      }),
    { self: toSelf(PATHS.login, view.returnTicket) },
  )
}

/**
 * A browser has one session: signing in again ends the one before (session fixation).
 * @param next whose session takes its place
 */
export async function endPrevious(deps: PortalDeps, visit: Visit, next?: Account): Promise<void> {
  const previous = await currentSession(deps, visit)
  if (previous.kind === 'none') return
  await deps.sessions.end(previous.session.id)
  deps.audit(
    { event: 'session.ended', outcome: 'success', reason: 'replaced' },
    {
      ...auditTrail(visit, previous.account),
      session: previous.session.id,
      ...(next === undefined ? {} : { successor: next.id }),
    },
  )
}
