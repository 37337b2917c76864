import type { ApiDeps } from '../api-deps.ts'
import type { ApiRoute } from '../route.ts'
import { activityRoutes } from './activity-routes.ts'
import { appLoginRoutes } from './app-login-routes.ts'
import { passwordRoutes } from './password-routes.ts'
import { profileRoutes } from './profile-routes.ts'
import { sessionListRoutes } from './session-list-routes.ts'

/** Everything about one's own account but its factors. */
export function accountRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    ...profileRoutes(deps),
    ...passwordRoutes(deps),
    ...sessionListRoutes(deps),
    ...activityRoutes(deps),
    ...appLoginRoutes(deps),
  ]
}
