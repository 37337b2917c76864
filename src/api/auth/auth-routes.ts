import type { ApiDeps } from '../api-deps.ts'
import type { ApiRoute } from '../route.ts'
import { sessionRoutes } from './session-routes.ts'
import { signInRoutes } from './sign-in-routes.ts'
import { stepRoutes } from './step-routes.ts'

/** Signing in by the API, in stages, and what keeps a sign-in going. */
export function authRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    ...signInRoutes(deps),
    ...stepRoutes(deps, 'second_step'),
    ...sessionRoutes(deps),
    ...stepRoutes(deps, 'confirm'),
  ]
}
