import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { Secret } from '../../lib/secret.ts'
import { unreachable } from '../../lib/unreachable.ts'
import {
  type ForgottenView,
  forgottenPage,
  resetSentPage,
} from '../../pages/links/forgotten-page.ts'
import { type ResetView, resetPage } from '../../pages/links/reset-page.ts'
import { PATHS } from '../../pages/paths.ts'
import { problemPage } from '../../pages/problems/problem-page.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { endPrevious } from '../sign-in/login-routes.ts'
import { loginContext, noSessionCookie, redirect, tooMany } from '../signing-in.ts'
import { linkGone, oneTimePage } from './one-time-page.ts'

/** Longest name or address that is shown again. */
const MAX_SHOWN = 320

/** A forgotten password: asking for a link, and the page the link leads to. */
export function resetRoutes(deps: PortalDeps): readonly Route[] {
  const ask = (visit: Visit, status: number, view: ForgottenView): Answer =>
    deps.frame.page(visit, status, (page) => forgottenPage(page, view), {
      headers: status === 503 ? [['Retry-After', '5']] : [],
    })
  const off = (visit: Visit): Answer =>
    deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'not_found' }))
  const show = (visit: Visit, status: number, view: Omit<ResetView, 'asked'>): Answer =>
    oneTimePage(
      deps,
      visit,
      status,
      (page) => resetPage(page, { ...view, asked: deps.passwordPolicy.asked }),
      { path: PATHS.reset, token: view.token },
    )
  const gone = (visit: Visit, kind: 'expired' | 'gone'): Answer =>
    linkGone(deps, visit, kind, deps.resets.offered ? PATHS.forgotten : undefined)

  return [
    {
      method: 'GET',
      path: PATHS.forgotten,
      handle: async (visit) =>
        deps.resets.offered ? ask(visit, 200, { username: '' }) : off(visit),
    },
    {
      method: 'POST',
      path: PATHS.forgotten,
      handle: async (visit, form) => {
        if (!deps.resets.offered) return off(visit)
        const username = form.value('username').slice(0, MAX_SHOWN).toWellFormed()
        if (username.trim() === '') return ask(visit, 422, { username: '', problem: 'empty' })
        const outcome = deps.resets.request(username, loginContext(deps, visit))
        switch (outcome.kind) {
          case 'noted':
            return deps.frame.page(visit, 200, (page) =>
              resetSentPage(page, { username, lasts: deps.linkLifetimes.reset }),
            )
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy':
            return ask(visit, 503, { username, problem: 'busy' })
          default:
            return unreachable(outcome)
        }
      },
    },
    {
      method: 'GET',
      path: PATHS.reset,
      handle: async (visit, query) => {
        const token = query.get('token') ?? ''
        const peek = await deps.resets.open(token)
        if (peek.kind !== 'open') return gone(visit, peek.kind)
        return show(visit, 200, { token, username: peek.account.name, endSessions: true })
      },
    },
    {
      method: 'POST',
      path: PATHS.reset,
      handle: async (visit, form) => {
        const token = form.value('token')
        const endSessions = form.value('end_sessions') === '1'
        const password = new Secret(form.value('password'))
        const outcome = await deps.resets.use(
          token,
          { password, endSessions },
          loginContext(deps, visit),
        )
        switch (outcome.kind) {
          case 'changed':
            // Whoever set a password goes and uses it; the second factor is asked for there.
            await endPrevious(deps, visit)
            return redirect(`${PATHS.login}?notice=password_reset`, [noSessionCookie(visit)])
          case 'refused': {
            const { account, problem } = outcome
            const username = account.name
            return show(visit, 422, { token, username, endSessions, problem })
          }
          case 'busy': {
            const username = outcome.account.name
            return show(visit, 503, { token, username, endSessions, problem: 'busy' })
          }
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'expired':
          case 'gone':
            return gone(visit, outcome.kind)
          default:
            return unreachable(outcome)
        }
      },
    },
  ]
}
