import type { ActivityLog } from '../audit/activity.ts'
import type { Audit } from '../audit/audit.ts'
import type { Clock } from '../lib/clock.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { Log } from '../log.ts'
import type { SecondFactorDue } from '../login/duty.ts'
import type { Notify } from '../notices/notice.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ApiTokens } from '../tokens/api-tokens.ts'
import type { Vault } from './vault.ts'

/** What the people's side of the program is made from. */
export type IdentityBase = Pick<Vault, 'store' | 'keys'> & {
  readonly sessions: Sessions
  readonly apiTokens: ApiTokens
  readonly secondFactorDue: SecondFactorDue
  readonly limiter: Limiter
  readonly audit: Audit
  readonly activity: ActivityLog
  readonly notify: Notify
  readonly clock: Clock
  readonly log: Log
  readonly budgets: Readonly<Record<'auth' | 'auth-second' | 'setup' | 'reset' | 'link', Budget>>
}
