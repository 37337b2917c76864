import type { ApiDeps } from '../api-deps.ts'
import type { ApiRoute } from '../route.ts'
import { passkeyRoutes } from './passkey-routes.ts'
import { phoneRoutes } from './phone-routes.ts'
import { recoveryCodeRoutes } from './recovery-code-routes.ts'
import { factorStatusRoutes } from './status-routes.ts'
import { totpRoutes } from './totp-routes.ts'

/** Everything about one's own factors. */
export function factorRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    ...factorStatusRoutes(deps),
    ...totpRoutes(deps),
    ...passkeyRoutes(deps),
    ...phoneRoutes(deps),
    ...recoveryCodeRoutes(deps),
  ]
}
