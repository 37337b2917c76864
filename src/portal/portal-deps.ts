import type { Account } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { Totp } from '../factors/totp.ts'
import type { ReturnTickets } from '../http/return-ticket.ts'
import type { Visit } from '../http/visit.ts'
import type { Clock } from '../lib/clock.ts'
import type { Milliseconds } from '../lib/duration.ts'
import type { SpentStore } from '../lib/spent.ts'
import type { Login } from '../login/login.ts'
import type { Setup } from '../login/setup.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Keys } from '../tokens/keys.ts'
import type { Frame } from './frame.ts'
import type { ShownCodesShelf } from './shown-codes.ts'

/** What the portal's routes are made of. */
export type PortalDeps = {
  readonly frame: Frame
  readonly sessions: Sessions
  readonly login: Login
  readonly setup: Setup
  readonly totp: Totp
  readonly recoveryCodes: RecoveryCodes
  readonly tickets: ReturnTickets
  readonly spent: Pick<SpentStore, 'spend'>
  readonly shownCodes: ShownCodesShelf
  readonly keys: Keys
  readonly audit: Audit
  readonly clock: Clock
  /** Told of a sign-in that cannot finish: a cookie is lost on the way, or an address is changed. */
  readonly onLoop: (visit: Visit, reason: 'form' | 'session' | 'app' | 'address') => void
  /** The app a URL belongs to, for "Sign in to …" and to check where one may return. */
  readonly appAt: (url: string) => { readonly name: string; readonly host: string } | undefined
  readonly brandName: string
  readonly minPasswordLength: number
  readonly rememberFor: Milliseconds
}

/** What audit events say of a visit. */
export function auditTrail(visit: Visit, account?: Account) {
  return {
    requestId: visit.requestId,
    clientIp: visit.client.address,
    ...(account === undefined ? {} : { user: account.name, userId: account.id }),
  }
}
