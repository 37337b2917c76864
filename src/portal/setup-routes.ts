import type { Answer } from '../http/answer.ts'
import type { Visit } from '../http/visit.ts'
import { Secret } from '../lib/secret.ts'
import { unreachable } from '../lib/unreachable.ts'
import { PATHS } from '../pages/paths.ts'
import { problemPage } from '../pages/problem-page.ts'
import { setupPage } from '../pages/setup-page.ts'
import type { SetupView } from '../pages/views.ts'
import { endPrevious } from './login-routes.ts'
import type { PortalDeps } from './portal-deps.ts'
import type { Route } from './route.ts'
import { loginContext, sessionCookie, tooMany, toPage } from './signing-in.ts'

/** The first account, by the one-time link from the terminal. */
export function setupRoutes(deps: PortalDeps): readonly Route[] {
  const show = (visit: Visit, status: number, view: Omit<SetupView, 'minLength'>): Answer =>
    deps.frame.page(
      visit,
      status,
      (page) => setupPage(page, { ...view, minLength: deps.minPasswordLength }),
      { self: `${PATHS.setup}?token=${encodeURIComponent(view.token)}` },
    )
  const gone = (visit: Visit): Answer =>
    deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'link_gone' }))

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
            const home = `${visit.site.origin}/`
            const returnTicket = deps.appAt(home) === undefined ? '' : deps.tickets.issue(home)
            return toPage(`${PATHS.newTotp}?required=1`, returnTicket, [
              sessionCookie(deps, visit, outcome.issued),
            ])
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
          case 'busy': {
            const again = show(visit, 503, { token, ...typed, problems: [], problem: 'busy' })
            return { ...again, headers: [...again.headers, ['Retry-After', '5']] }
          }
          case 'gone':
            return gone(visit)
          default:
            return unreachable(outcome)
        }
      },
    },
  ]
}
