import type { Milliseconds } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'
import type { LiveLimits } from '../proxy/live-connections.ts'

/** At most `count` in `window`. Written `5/1m` in the file. */
export type Rate = { readonly count: number; readonly window: Milliseconds }

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
  /** Shown on the 403 page. */
  readonly explanation?: LocalText
  readonly remediation?: LocalText
}

export type SecurityPreset = 'strict' | 'legacy' | 'off'

export type AppSettings = {
  readonly name: string
  /** Canonical host names without port, or `*.example.fr`. */
  readonly hosts: readonly string[]
  /** Origin of the app, e.g. `http://127.0.0.1:3000`; absent: forward-auth only. */
  readonly upstream?: string
  /** Names of the identity headers the app is given. */
  readonly identityHeaders: {
    readonly user: string
    readonly groups: string
    readonly name: string
    readonly email: string
  }
  /** Fixed headers set on every forwarded request; values may be secrets. */
  readonly requestHeaders: ReadonlyMap<string, Secret<string>>
  readonly securityHeaders: { readonly preset: SecurityPreset; readonly csp?: string }
  /** Further origins that may open WebSockets; the app's own origin always may. */
  readonly websocketOrigins: readonly string[]
  /** Lets `%2F` in a path through; both readings are judged and the stricter holds. */
  readonly allowEncodedSlash: boolean
  readonly timeouts: {
    readonly connect: Milliseconds
    /** To the first byte of the answer. */
    readonly firstByte: Milliseconds
  }
  readonly rules: readonly RuleSettings[]
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
  }
  readonly listen: { readonly http: { readonly host: string; readonly port: number } }
  readonly trustedProxies: readonly string[]
  /** Absent: a key file beside the database, made at the first start. */
  readonly masterKey?: Secret<string>
  /** Absolute path of the SQLite file. */
  readonly store: { readonly path: string }
  readonly sessions: {
    readonly idle: Milliseconds
    readonly absolute: Milliseconds
    readonly remember: Milliseconds
  }
  readonly login: {
    readonly password: { readonly minLength: number }
    readonly recoveryCodes: { readonly count: number }
  }
  readonly limits: {
    readonly auth: Rate
    readonly default: Rate
    readonly session: Rate
    readonly lockout: { readonly failures: number; readonly duration: Milliseconds }
  }
  /** How many WebSockets one session, and one address, may have open. */
  readonly websockets: LiveLimits
  readonly apps: readonly AppSettings[]
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error'
    readonly format: 'auto' | 'json' | 'pretty'
  }
}
