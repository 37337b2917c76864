import { accountRoutes } from './account/account-routes.ts'
import { adminRoutes } from './admin/admin-routes.ts'
import type { ApiDeps } from './api-deps.ts'
import { authRoutes } from './auth/auth-routes.ts'
import { openApiRoutes } from './describe/openapi-routes.ts'
import { factorRoutes } from './factors/factor-routes.ts'
import type { ApiRoute } from './route.ts'
import { ownTokenRoutes } from './tokens/own-token-routes.ts'

/** Every route of the API: what is served is what is described. */
export function apiRoutes(deps: ApiDeps, portalUrl: string): readonly ApiRoute[] {
  const routes: readonly ApiRoute[] = [
    ...authRoutes(deps),
    ...factorRoutes(deps),
    ...accountRoutes(deps),
    ...ownTokenRoutes(deps),
    ...adminRoutes(deps),
    ...openApiRoutes(portalUrl, () => routes),
  ]
  return routes
}
