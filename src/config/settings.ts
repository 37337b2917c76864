import type { CorsPolicy } from '../http/cors.ts'
import type { PathOpening } from '../http/request-path.ts'
import type { GroupsSeparator, IdentityHeaderNames } from '../identity/identity-headers.ts'
import type { Milliseconds } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'
import type { ClassKey } from '../limits/rate-class.ts'
import type { ConnectionLimits } from '../listen/admission.ts'
import type { SecondFactorPolicy } from '../login/duty.ts'
import type { RuleFactor } from '../policy/step-up.ts'
import type { LiveLimits } from '../proxy/live-connections.ts'
import type { UpstreamOptions, UpstreamTimeouts } from '../proxy/upstreams.ts'
import type { AdminSettings } from './sections/admin.ts'
import type { AdministratorSettings } from './sections/administrators.ts'
import type { PersonalTokenSettings } from './sections/api-tokens.ts'
import type { AssertionSettings } from './sections/assertion.ts'
import type { BasicSettings } from './sections/basic.ts'
import type { BrandSettings } from './sections/branding.ts'
import type { KeySettings } from './sections/keys.ts'
import type { LinkSettings } from './sections/links.ts'
import type { ListenSettings } from './sections/listen.ts'
import type { MailSettings } from './sections/mail.ts'
import type { NetworkLists } from './sections/network.ts'
import type { PasskeySettings } from './sections/passkeys.ts'
import type { PasswordSettings } from './sections/passwords.ts'
import type { SecurityHeadersSettings } from './sections/security-headers.ts'
import type { SmsSettings } from './sections/sms.ts'
import type { TokenSettings } from './sections/tokens.ts'
import type { UpstreamLoginSettings } from './sections/upstream-login.ts'
import type { WebhookSettings } from './sections/webhooks.ts'

/** At most `count` in `window`. Written `5/1m` in the file. */
export type Rate = { readonly count: number; readonly window: Milliseconds }

/** A rate class of the operator's own. */
export type LimitClass = { readonly rate: Rate; readonly by: ClassKey }

/** The rate classes that the file may set or add to: their rates, and its own by name. */
export type RateClassSettings = {
  readonly api: Rate
  readonly webhook: Rate
  readonly classes: ReadonlyMap<string, LimitClass>
}

export type SettingsLanguage = 'fr' | 'en'

/** Text in one or both languages; a plain string serves both. */
export type LocalText = { readonly fr?: string; readonly en?: string }

export type RuleSettings = {
  readonly policy: 'public' | 'one_factor' | 'two_factor' | 'deny'
  /** Host patterns, canonical; empty: every host of the app. */
  readonly hosts: readonly string[]
  /** Path globs as written; empty: every path. */
  readonly paths: readonly string[]
  /** Upper case; empty: every method. */
  readonly methods: readonly string[]
  /** CIDR; empty: from everywhere. */
  readonly networks: readonly string[]
  /** Canonical names (`foldName`); both empty: everybody. */
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** Name of the rate class; absent: requests pay as any request. */
  readonly limit?: string
  /** How old the proof of who it is may be. */
  readonly maxAge?: Milliseconds
  /** What must be among the proofs. */
  readonly factor?: RuleFactor
  /** Shown on the 403 page. */
  readonly explanation?: LocalText
  readonly remediation?: LocalText
}

export type AppSettings = {
  readonly name: string
  /** Canonical host names without port, or `*.example.fr`. */
  readonly hosts: readonly string[]
  /** Where the app can be reached; absent: forward-auth only. */
  readonly upstream?: UpstreamOptions
  /** Names of the identity headers the app is given. */
  readonly identityHeaders: IdentityHeaderNames
  /** What stands between two groups there; absent: a comma. */
  readonly groupsSeparator?: GroupsSeparator
  /** What says the same in a form the app can verify; absent: it is sent none. */
  readonly assertion?: AssertionSettings
  /** How the app's own login is dealt with; absent: whoever asks does. */
  readonly upstreamLogin?: UpstreamLoginSettings
  /** Fixed headers set on every forwarded request; values may be secrets. */
  readonly requestHeaders: ReadonlyMap<string, Secret<string>>
  readonly securityHeaders: SecurityHeadersSettings
  /** Further origins that may open WebSockets; the app's own origin always may. */
  readonly websocketOrigins: readonly string[]
  /** Spellings let through in paths; every reading is judged and the strictest holds. */
  readonly allowInPaths: readonly PathOpening[]
  /** Client headers with `_` or `.` in their names that are not dropped; spelled as written. */
  readonly allowHeaders: readonly string[]
  readonly timeouts: UpstreamTimeouts
  /** What it takes as the password of HTTP Basic; absent: HTTP Basic is the app's own business. */
  readonly basic?: BasicSettings
  /** Pages of other origins that may use the app; absent: the app's own say stands. */
  readonly cors?: CorsPolicy
  /** Paths that take signed messages, past the rules. */
  readonly webhooks?: readonly WebhookSettings[]
  readonly rules: readonly RuleSettings[]
  /** It is not listed where people choose an app. */
  readonly hidden?: true
  /** Nobody gets through while it is there; the words about it. */
  readonly maintenance?: LocalText
  /** One or two characters that stand for it there; absent: the first of its name. */
  readonly icon?: string
  /** What it is for, for people. */
  readonly description?: LocalText
  /** How pages about it look; absent: as the portal's. */
  readonly brand?: BrandSettings
}

/** A configuration that was checked: every later part can rely on it. */
export type Settings = {
  readonly portal: {
    /** Origin, e.g. `https://auth.example.fr`; no trailing slash. */
    readonly url: string
    readonly name: string
    readonly languages: readonly SettingsLanguage[]
    /** Absent: the cookie is bound to one host. */
    readonly cookieDomain?: string
    /** `mailto:` or `https:` */
    readonly help?: string
    /** `https:`; shown where an app does not answer. */
    readonly statusPage?: string
    readonly brand?: BrandSettings
  }
  readonly listen: ListenSettings
  /** Absent: no metrics, and no listener for them. */
  readonly admin?: AdminSettings
  readonly trustedProxies: readonly string[]
  /** Absent: a key file beside the database, made at the first start. */
  readonly masterKey?: Secret<string>
  readonly keys: KeySettings
  /** Absolute path of the SQLite file. */
  readonly store: { readonly path: string }
  readonly sessions: {
    readonly idle: Milliseconds
    readonly absolute: Milliseconds
    readonly remember: Milliseconds
  }
  readonly tokens: TokenSettings
  readonly login: {
    readonly password: PasswordSettings
    readonly recoveryCodes: { readonly count: number }
    readonly links: LinkSettings
    readonly secondFactor: SecondFactorPolicy
    readonly passkeys: PasskeySettings
  }
  readonly personalTokens: PersonalTokenSettings
  readonly administrators: AdministratorSettings
  /** Absent: no text message is sent. */
  readonly sms?: SmsSettings
  readonly limits: {
    readonly auth: Rate
    readonly default: Rate
    readonly session: Rate
    readonly lockout: { readonly failures: number; readonly duration: Milliseconds }
  } & RateClassSettings
  /** Absent: nobody is told by mail, and pages that need it are off. */
  readonly mail?: MailSettings
  /** CIDR; an empty `allow` stands for everybody. */
  readonly network: NetworkLists
  /** How many WebSockets one session, and one address, may have open. */
  readonly websockets: LiveLimits
  /** How many connections are held at once. */
  readonly connections: ConnectionLimits
  readonly apps: readonly AppSettings[]
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error'
    readonly format: 'auto' | 'json' | 'pretty'
  }
}
