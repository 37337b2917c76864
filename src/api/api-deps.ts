import type { Account, AccountStore } from '../accounts/account.ts'
import type { PasswordPolicy } from '../accounts/password-policy.ts'
import type { ActivityLog } from '../audit/activity.ts'
import type { Audit } from '../audit/audit.ts'
import type { Enrolled } from '../factors/enrolled.ts'
import type { Passkeys } from '../factors/passkeys/passkeys.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { ShownPhone } from '../factors/sms/phone.ts'
import type { Totp } from '../factors/totp/totp.ts'
import type { Visit } from '../http/visit.ts'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Duty } from '../login/duty.ts'
import type { RemoveFactor } from '../login/factor-removal.ts'
import type { Login } from '../login/login.ts'
import type { OwnAppLogins } from '../login/own-app-logins.ts'
import type { PasskeyLogin } from '../login/passkey-login.ts'
import type { PasswordChange } from '../login/password-change.ts'
import type { Refresh } from '../login/refresh.ts'
import type { SmsLogin } from '../login/sms-login.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { AccessTokens } from '../tokens/access-token.ts'
import type { ApiTokens } from '../tokens/api-tokens.ts'
import type { Keys } from '../tokens/keys.ts'
import type { RefreshTokens } from '../tokens/refresh-token.ts'
import type { AdminParts } from './admin/admin-parts.ts'

/** What the routes of the API are made of: the core, as the portal has it. */
export type ApiDeps = {
  readonly sessions: Sessions
  readonly accounts: AccountStore
  readonly enrolled: Enrolled
  readonly duty: Duty
  readonly removeFactor: RemoveFactor
  readonly passkeys: Passkeys
  readonly passkeyLogin: PasskeyLogin
  readonly phones: {
    /** Whether codes can be sent at all. */
    readonly enabled: boolean
    readonly shown: (userId: UserId) => Promise<ShownPhone | undefined>
    /** Where numbers without `+` belong, for who reads this language; `undefined`: nowhere. */
    readonly countryFor: (language: 'fr' | 'en') => string | undefined
  }
  readonly sms: SmsLogin
  readonly activity: ActivityLog
  readonly apiTokens: ApiTokens
  readonly appLogins: OwnAppLogins
  readonly login: Login
  readonly passwordPolicy: Pick<PasswordPolicy, 'asked'>
  readonly passwordChange: PasswordChange
  readonly totp: Totp
  readonly recoveryCodes: RecoveryCodes
  /** Makes and reads the marks of devices. */
  readonly keys: Pick<Keys, 'sign' | 'verify'>
  readonly audit: Audit
  readonly clock: Clock
  readonly accessTokens: AccessTokens
  readonly refreshTokens: Pick<RefreshTokens, 'start' | 'endFamily'>
  readonly refresh: Refresh
  readonly admin: AdminParts
  /** Whether the account may manage others. */
  readonly isAdmin: (account: Account) => boolean
  /** As pages choose it, without cookies. */
  readonly languageOf: (visit: Visit) => 'fr' | 'en'
  /** The name people know this place by. */
  readonly name: string
}
