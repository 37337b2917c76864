import { launcherPage } from '../pages/launcher-page.ts'
import { PATHS } from '../pages/paths.ts'
import type { PortalDeps } from './portal-deps.ts'
import type { Route } from './route.ts'
import { currentSession, sessionToken, toPage } from './signing-in.ts'

/** The apps one may use: where people arrive who were going nowhere in particular. */
export function launcherRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.launcher,
      handle: async (visit) => {
        const current = await currentSession(deps, visit)
        const back = () => deps.tickets.issue(`${visit.site.origin}${PATHS.launcher}`)
        if (current.kind === 'none') return toPage(PATHS.login, back())
        if (current.kind === 'pending') {
          const owed = current.owes === 'password' ? PATHS.changePassword : PATHS.secondStep
          return toPage(owed, back())
        }
        const apps = await deps.launcher(visit, sessionToken(visit))
        const language = deps.frame.language(visit)
        return deps.frame.page(visit, 200, (page) =>
          launcherPage(page, {
            username: current.account.name,
            apps: apps.map(({ description, ...app }) => ({
              ...app,
              description: description[language] ?? description.en ?? description.fr ?? '',
            })),
          }),
        )
      },
    },
  ]
}
