import type { Account, AccountStore } from '../accounts/account.ts'
import type { PasswordPolicy } from '../accounts/password-policy.ts'
import type { ActivityLog } from '../audit/activity.ts'
import type { Audit } from '../audit/audit.ts'
import type { Enrolled } from '../factors/enrolled.ts'
import type { Passkeys } from '../factors/passkeys/passkeys.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { ShownPhone } from '../factors/sms/phone.ts'
import type { Totp } from '../factors/totp/totp.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { ReturnTickets } from '../http/return-ticket.ts'
import type { Visit } from '../http/visit.ts'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Milliseconds } from '../lib/duration.ts'
import type { SpentStore } from '../lib/spent.ts'
import type { Duty } from '../login/duty.ts'
import type { RemoveFactor } from '../login/factor-removal.ts'
import type { Invitations } from '../login/invitation.ts'
import type { LinkLifetimes } from '../login/links.ts'
import type { Login } from '../login/login.ts'
import type { OwnAppLogins } from '../login/own-app-logins.ts'
import type { PasskeyLogin } from '../login/passkey-login.ts'
import type { PasswordChange } from '../login/password-change.ts'
import type { PasswordResets } from '../login/reset.ts'
import type { Setup } from '../login/setup.ts'
import type { SignInLinks } from '../login/sign-in-link.ts'
import type { SmsLogin } from '../login/sms-login.ts'
import type { Notify } from '../notices/notice.ts'
import type { ApiPageView } from '../pages/api/api-page.ts'
import type { Asset } from '../pages/assets.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ApiTokens } from '../tokens/api-tokens.ts'
import type { Keys } from '../tokens/keys.ts'
import type { ShownCodesShelf } from './account/shown-codes.ts'
import type { Frame } from './frame.ts'
import type { Launcher } from './launcher.ts'

/** What the portal's routes are made of. */
export type PortalDeps = {
  readonly frame: Frame
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
  /** Tells an account's owner by mail; returns at once. */
  readonly notify: Notify
  readonly setup: Setup
  readonly resets: PasswordResets
  readonly invitations: Invitations
  readonly signInLinks: SignInLinks
  readonly linkLifetimes: LinkLifetimes
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
  /** The apps that whoever holds the token may use, in the order of the file. */
  readonly launcher: Launcher
  /** Logos and style sheets of the owner's. */
  readonly brandAssets: readonly Asset[]
  readonly brandName: string
  /** The API, for the page that describes it. */
  readonly describedApi: () => Promise<ApiPageView>
  readonly rememberFor: Milliseconds
}

/** What audit events say of a visit. */
export function auditTrail(visit: Visit, account?: Account) {
  return {
    requestId: visit.requestId,
    clientIp: visit.client.address,
    userAgent: (firstHeader(visit.headers, 'user-agent') ?? '').slice(0, 256),
    ...(account === undefined ? {} : { user: account.name, userId: account.id }),
  }
}
