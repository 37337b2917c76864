import type { Audit } from '../audit/audit.ts'
import type { Settings } from '../config/settings.ts'
import type { Enrolled } from '../factors/enrolled.ts'
import type { Clock } from '../lib/clock.ts'
import { MINUTE } from '../lib/duration.ts'
import type { Limiter } from '../limits/limiter.ts'
import { createRefresh } from '../login/refresh.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { createAccessTokens, STAGE_FOR } from '../tokens/access-tokens.ts'
import { createRefreshTokens } from '../tokens/refresh-tokens.ts'
import type { Chore } from './chores.ts'
import type { Vault } from './vault.ts'

/** Tokens that programs hold instead of a cookie. */
export function createTokenParts(
  base: Pick<Vault, 'store' | 'keys'> & {
    readonly sessions: Sessions
    readonly enrolled: Enrolled
    readonly limiter: Limiter
    readonly audit: Audit
    readonly clock: Clock
  },
  settings: Settings,
) {
  const { store, keys, clock } = base
  const { access, refresh: lifetime } = settings.tokens
  const accessTokens = createAccessTokens(
    { keys, clock },
    {
      issuer: settings.portal.url,
      lifetimes: { complete: access, mfa_pending: STAGE_FOR, password_due: STAGE_FOR },
    },
  )
  const refreshTokens = createRefreshTokens(
    { store: store.refreshTokens, keys, clock },
    { lifetime },
  )
  const refresh = createRefresh({ ...base, refreshTokens, accounts: store.accounts })
  const chores: readonly Chore[] = [
    { event: 'refresh_tokens.sweep', every: MINUTE, work: refreshTokens.sweep },
  ]
  return { parts: { accessTokens, refreshTokens, refresh }, chores }
}

/** How long sessions of programs last: a refresh token keeps one for as long as it is good. */
export function apiSessions({ tokens }: Settings) {
  return { idle: tokens.refresh, absolute: tokens.absolute }
}
