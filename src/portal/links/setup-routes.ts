import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { Secret } from '../../lib/secret.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { setupPage } from '../../pages/links/setup-page.ts'
import { PATHS } from '../../pages/paths.ts'
import type { SetupView } from '../../pages/views.ts'
import type { Issued } from '../../sessions/sessions.ts'
import { rememberDevice } from '../known-devices.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { endPrevious } from '../sign-in/login-routes.ts'
import { loginContext, sessionCookie, tooMany, toPage } from '../signing-in.ts'
import { linkGone, oneTimePage } from './one-time-page.ts'

/** The first account, by the one-time link from the terminal. */
export function setupRoutes(deps: PortalDeps): readonly Route[] {
  const show = (visit: Visit, status: number, view: Omit<SetupView, 'asked'>): Answer =>
    oneTimePage(
      deps,
      visit,
      status,
      (page) => setupPage(page, { ...view, asked: deps.passwordPolicy.asked }),
      { path: PATHS.setup, token: view.token },
    )
  const gone = (visit: Visit): Answer => linkGone(deps, visit, 'gone')

  return [
    {
      method: 'GET',
      path: PATHS.setup,
      handle: async (visit, query) => {
        const token = query.get('token') ?? ''
        if (!(await deps.setup.isOpen(token))) return gone(visit)
        return show(visit, 200, { token, username: '', displayName: '', email: '', problems: [] })
      },
    },
    {
      method: 'POST',
      path: PATHS.setup,
      handle: async (visit, form) => {
        const token = form.value('token')
        const typed = {
          username: form.value('username'),
          displayName: form.value('display_name'),
          email: form.value('email'),
        }
        const outcome = await deps.setup.claim(
          token,
          { ...typed, password: new Secret(form.value('password')) },
          loginContext(deps, visit),
        )
        switch (outcome.kind) {
          case 'created': {
            await endPrevious(deps, visit)
            return enrolFirst(deps, visit, outcome.issued)
          }
          case 'invalid':
            return show(visit, 422, {
              token,
              ...typed,
              problems: outcome.problems.flatMap(({ field, ...problem }) =>
                field === 'groups' ? [] : [{ field, ...problem }],
              ),
            })
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy':
            return show(visit, 503, { token, ...typed, problems: [], problem: 'busy' })
          case 'gone':
            return gone(visit)
          default:
            return unreachable(outcome)
        }
      },
    },
  ]
}

/** On to a second factor, with the session of an account that was made a moment ago, here. */
export function enrolFirst(deps: PortalDeps, visit: Visit, issued: Issued): Answer {
  const home = `${visit.site.origin}/`
  const returnTicket = deps.appAt(home) === undefined ? '' : deps.tickets.issue(home)
  return toPage(`${PATHS.newTotp}?required=1`, returnTicket, [
    sessionCookie(deps, visit, issued),
    rememberDevice(deps.keys, visit, issued.session.userId),
  ])
}
