import { DAY, HOUR, MINUTE, SECOND } from '../lib/duration.ts'
import { ADMINISTRATOR_DEFAULTS } from './sections/administrators.ts'
import { PERSONAL_TOKEN_DEFAULTS } from './sections/api-tokens.ts'
import { KEY_DEFAULTS } from './sections/keys.ts'
import { RATE_CLASS_DEFAULTS } from './sections/limits.ts'
import { LINK_DEFAULTS } from './sections/links.ts'
import { NETWORK_DEFAULTS } from './sections/network.ts'
import { PASSKEY_DEFAULTS } from './sections/passkeys.ts'
import { PASSWORD_DEFAULTS } from './sections/passwords.ts'
import { SECOND_FACTOR_DEFAULTS } from './sections/second-factor.ts'
import { TOKEN_DEFAULTS } from './sections/tokens.ts'
import type { AppSettings, Settings } from './settings.ts'

/** What holds where the file says nothing. */
export const DEFAULTS = {
  name: 'Sallyport',
  /** The first is used for whoever asks for neither. */
  languages: ['en', 'fr'],
  listen: { http: { host: '127.0.0.1', port: 9091 } },
  storePath: '/var/lib/sallyport/sallyport.db',
  sessions: { idle: 30 * MINUTE, absolute: 12 * HOUR, remember: 30 * DAY },
  tokens: TOKEN_DEFAULTS,
  login: {
    password: PASSWORD_DEFAULTS,
    recoveryCodes: { count: 10 },
    links: LINK_DEFAULTS,
    secondFactor: SECOND_FACTOR_DEFAULTS,
    passkeys: PASSKEY_DEFAULTS,
  },
  limits: {
    auth: { count: 5, window: MINUTE },
    default: { count: 120, window: MINUTE },
    session: { count: 1200, window: MINUTE },
    ...RATE_CLASS_DEFAULTS,
    lockout: { failures: 10, duration: 15 * MINUTE },
  },
  personalTokens: PERSONAL_TOKEN_DEFAULTS,
  administrators: ADMINISTRATOR_DEFAULTS,
  network: NETWORK_DEFAULTS,
  keys: KEY_DEFAULTS,
  log: { level: 'info', format: 'auto' },
} as const satisfies {
  readonly name: string
  readonly languages: Settings['portal']['languages']
  readonly listen: Settings['listen']
  readonly storePath: string
  readonly sessions: Settings['sessions']
  readonly tokens: Settings['tokens']
  readonly login: Settings['login']
  readonly limits: Settings['limits']
  readonly personalTokens: Settings['personalTokens']
  readonly administrators: Settings['administrators']
  readonly network: Settings['network']
  readonly keys: Settings['keys']
  readonly log: Settings['log']
}

/** The same for one app. */
export const APP_DEFAULTS = {
  identityHeaders: {
    user: 'Remote-User',
    groups: 'Remote-Groups',
    name: 'Remote-Name',
    email: 'Remote-Email',
  },
  securityHeaders: { preset: 'legacy' },
  timeouts: { connect: 5 * SECOND, firstByte: 60 * SECOND },
} as const satisfies Pick<AppSettings, 'identityHeaders' | 'securityHeaders' | 'timeouts'>

/** What is said of an app that is closed with `maintenance: true`; no app is unless told. */
export const MAINTENANCE_WORDS = {
  fr: 'L’application revient bientôt. Votre connexion reste active.',
  en: 'The app will be back soon. You are still signed in.',
} as const satisfies AppSettings['maintenance']
