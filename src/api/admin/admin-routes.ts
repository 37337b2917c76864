import type { ApiDeps } from '../api-deps.ts'
import type { ApiRoute } from '../route.ts'
import { adminSessionRoutes } from './admin-session-routes.ts'
import { auditRoutes } from './audit-routes.ts'
import { banRoutes } from './ban-routes.ts'
import { groupRoutes } from './group-routes.ts'
import { adminTokenRoutes } from './token-routes.ts'
import { userFactorRoutes } from './user-factor-routes.ts'
import { userRoutes } from './user-routes.ts'
import { userStateRoutes } from './user-state-routes.ts'

/** Everything that only administrators may do. */
export function adminRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    ...userRoutes(deps),
    ...userStateRoutes(deps),
    ...userFactorRoutes(deps),
    ...groupRoutes(deps),
    ...adminSessionRoutes(deps),
    ...adminTokenRoutes(deps),
    ...banRoutes(deps),
    ...auditRoutes(deps),
  ]
}
