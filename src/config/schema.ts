import { z } from 'zod'
import { DAY, HOUR, MINUTE, SECOND } from '../lib/duration.ts'
import { APP_DEFAULTS, DEFAULTS, MAINTENANCE_WORDS } from './defaults.ts'
import { adminKeys } from './sections/admin.ts'
import { administratorsSchema } from './sections/administrators.ts'
import { personalTokensSchema } from './sections/api-tokens.ts'
import { assertion, assertionSchema } from './sections/assertion.ts'
import { basicKeys } from './sections/basic.ts'
import { brand, brandSchema, launcherKeys, statusPage } from './sections/branding.ts'
import { clientHeaderKeys } from './sections/client-headers.ts'
import { cors, corsSchema } from './sections/cors.ts'
import { identityHeadersSchema, identityKeys } from './sections/identity.ts'
import { keysSchema } from './sections/keys.ts'
import { rateClassKeys, ruleLimit } from './sections/limits.ts'
import { linksSchema } from './sections/links.ts'
import { connectionKeys, listenKeys } from './sections/listen.ts'
import { mailSchema } from './sections/mail.ts'
import { networkSchema } from './sections/network.ts'
import { passkeysSchema } from './sections/passkeys.ts'
import { leakSchema, passwordSchema } from './sections/passwords.ts'
import { pathKeys } from './sections/paths.ts'
import { requiredForSchema, secondFactorSchema, stepUpKeys } from './sections/second-factor.ts'
import { securityHeaders, securityHeadersSchema } from './sections/security-headers.ts'
import { sms, smsProviderSchema, smsSchema } from './sections/sms.ts'
import { certificateSchema, tlsSchema } from './sections/tls.ts'
import { tokensSchema } from './sections/tokens.ts'
import {
  timeoutKeys,
  upstream,
  upstreamHealthSchema,
  upstreamSchema,
  upstreamTlsSchema,
} from './sections/upstream.ts'
import { upstreamLogin, upstreamLoginSchema } from './sections/upstream-login.ts'
import { webhookSchema, webhooks } from './sections/webhooks.ts'
import { websocketKeys } from './sections/websockets.ts'
import type { LocalText, RuleSettings } from './settings.ts'
import { choice, flag, line, version, whole } from './values/basics.ts'
import { duration, rate } from './values/duration.ts'
import { requestHeaders } from './values/header.ts'
import { host, hostPattern } from './values/host.ts'
import { leaf, report } from './values/leaf.ts'
import { listOf } from './values/list.ts'
import { masterKey } from './values/master-key.ts'
import { network, trustedProxy } from './values/network.ts'
import { helpLink, origin } from './values/origin.ts'
import { method, pathGlob, personName } from './values/rule-parts.ts'
import { sqlitePath } from './values/store.ts'

const MAX_APPS = 1000
const MAX_RULES = 2000

const POLICIES = [
  'public',
  'one_factor',
  'two_factor',
  'deny',
] as const satisfies readonly RuleSettings['policy'][]

const localTextSchema = z.strictObject({
  fr: leaf(line(500)).optional(),
  en: leaf(line(500)).optional(),
})

/** Text for people: one string for both languages, or one per language. */
const localText = z.preprocess(
  (raw) => (typeof raw === 'string' ? { fr: raw, en: raw } : raw),
  localTextSchema.transform(({ fr, en }, context): LocalText => {
    if (fr === undefined && en === undefined) report(context, [{ kind: 'blank' }])
    return { ...(fr === undefined ? {} : { fr }), ...(en === undefined ? {} : { en }) }
  }),
)

/** `true`, or the owner's own words about it. */
const maintenance = z.preprocess(
  (raw) => (raw === true ? MAINTENANCE_WORDS : raw === false ? undefined : raw),
  localText.optional(),
)

/** One rule of an app. */
export const ruleSchema = z.strictObject({
  host: leaf(listOf(hostPattern)).default([]),
  path: leaf(listOf(pathGlob)).default([]),
  methods: leaf(listOf(method)).default([]),
  networks: leaf(listOf(network)).default([]),
  users: leaf(listOf(personName)).default([]),
  groups: leaf(listOf(personName)).default([]),
  policy: leaf(choice(POLICIES)),
  limit: ruleLimit,
  ...stepUpKeys,
  explanation: localText.optional(),
  remediation: localText.optional(),
})

const { timeouts } = APP_DEFAULTS

const timeoutsSchema = z.strictObject({
  connect: leaf(duration(SECOND, 5 * MINUTE)).default(timeouts.connect),
  first_byte: leaf(duration(SECOND, HOUR)).default(timeouts.firstByte),
  ...timeoutKeys,
})

/** One app. */
export const appSchema = z.strictObject({
  name: leaf(line(64)),
  host: leaf(listOf(hostPattern)),
  upstream: upstream.optional(),
  ...identityKeys,
  assertion,
  upstream_login: upstreamLogin.optional(),
  request_headers: leaf(requestHeaders).default(new Map()),
  security_headers: securityHeaders,
  websocket_origins: leaf(
    listOf(origin, { mayBeEmpty: true, textOf: (one) => one.origin }),
  ).default([]),
  ...pathKeys,
  ...launcherKeys,
  description: localText.optional(),
  maintenance,
  brand: brand.optional(),
  ...clientHeaderKeys,
  timeouts: timeoutsSchema.prefault({}),
  ...basicKeys,
  cors: cors.optional(),
  webhooks: webhooks.optional(),
  rules: z.array(ruleSchema).max(MAX_RULES).default([]),
})

/** What concerns the pages people sign in on. */
export const portalSchema = z.strictObject({
  url: leaf(origin),
  name: leaf(line(64)).default(DEFAULTS.name),
  cookie_domain: leaf(host).optional(),
  languages: leaf(listOf(choice(['fr', 'en']))).default(DEFAULTS.languages),
  help: leaf(helpLink).optional(),
  status_page: leaf(statusPage).optional(),
  brand: brand.optional(),
  insecure_http: leaf(flag).default(false),
})

const { sessions, login, limits, log } = DEFAULTS

const listenSchema = z.strictObject({ ...listenKeys, ...adminKeys })

/** How long a sign-in lasts. */
export const sessionsSchema = z.strictObject({
  idle: leaf(duration(MINUTE, 30 * DAY)).default(sessions.idle),
  absolute: leaf(duration(MINUTE, 365 * DAY)).default(sessions.absolute),
  remember: leaf(duration(MINUTE, 365 * DAY)).default(sessions.remember),
})

const recoveryCodesSchema = z.strictObject({
  count: leaf(whole(4, 50)).default(login.recoveryCodes.count),
})

const loginSchema = z.strictObject({
  password: passwordSchema.prefault({}),
  recovery_codes: recoveryCodesSchema.prefault({}),
  links: linksSchema.prefault({}),
  second_factor: secondFactorSchema.prefault({}),
  passkeys: passkeysSchema.prefault({}),
})

const lockoutSchema = z.strictObject({
  failures: leaf(whole(3, 1000)).default(limits.lockout.failures),
  duration: leaf(duration(SECOND, DAY)).default(limits.lockout.duration),
})

const limitsSchema = z.strictObject({
  auth: leaf(rate).default(limits.auth),
  default: leaf(rate).default(limits.default),
  session: leaf(rate).default(limits.session),
  ...rateClassKeys,
  ...websocketKeys,
  ...connectionKeys,
  lockout: lockoutSchema.prefault({}),
})

const logSchema = z.strictObject({
  level: leaf(choice(['debug', 'info', 'warn', 'error'])).default(log.level),
  format: leaf(choice(['auto', 'json', 'pretty'])).default(log.format),
})

/** The whole file, version 1. Keys are as they are written there. */
export const fileSchema = z.strictObject({
  version: leaf(version),
  portal: portalSchema,
  listen: listenSchema.prefault({}),
  tls: tlsSchema.optional(),
  trusted_proxies: leaf(listOf(trustedProxy, { mayBeEmpty: true })).default([]),
  master_key: leaf(masterKey).optional(),
  keys: keysSchema.prefault({}),
  store: leaf(sqlitePath).default(DEFAULTS.storePath),
  sessions: sessionsSchema.prefault({}),
  tokens: tokensSchema.prefault({}),
  login: loginSchema.prefault({}),
  personal_tokens: personalTokensSchema.prefault({}),
  administrators: administratorsSchema.prefault({}),
  sms: sms.optional(),
  limits: limitsSchema.prefault({}),
  network: networkSchema.prefault({}),
  mail: mailSchema.optional(),
  apps: z.array(appSchema).min(1).max(MAX_APPS),
  log: logSchema.prefault({}),
})

/** A file whose every value is right by itself. */
export type ConfigFile = z.output<typeof fileSchema>

/** Every place that has named keys; `[]` stands for each entry of a list. */
const SECTIONS: Readonly<Record<string, z.ZodObject>> = {
  '': fileSchema,
  portal: portalSchema,
  listen: listenSchema,
  tls: tlsSchema,
  'tls.certificates[]': certificateSchema,
  sessions: sessionsSchema,
  tokens: tokensSchema,
  login: loginSchema,
  'login.password': passwordSchema,
  'login.password.leaked': leakSchema,
  'login.recovery_codes': recoveryCodesSchema,
  'login.links': linksSchema,
  'login.second_factor': secondFactorSchema,
  'login.second_factor.required_for': requiredForSchema,
  'login.passkeys': passkeysSchema,
  administrators: administratorsSchema,
  limits: limitsSchema,
  network: networkSchema,
  mail: mailSchema,
  'limits.lockout': lockoutSchema,
  personal_tokens: personalTokensSchema,
  sms: smsSchema,
  'sms.providers[]': smsProviderSchema,
  log: logSchema,
  keys: keysSchema,
  'portal.brand': brandSchema,
  'apps[]': appSchema,
  'apps[].brand': brandSchema,
  'apps[].description': localTextSchema,
  'apps[].maintenance': localTextSchema,
  'apps[].upstream': upstreamSchema,
  'apps[].upstream.health': upstreamHealthSchema,
  'apps[].upstream.tls': upstreamTlsSchema,
  'apps[].headers': identityHeadersSchema,
  'apps[].assertion': assertionSchema,
  'apps[].upstream_login': upstreamLoginSchema,
  'apps[].security_headers': securityHeadersSchema,
  'apps[].timeouts': timeoutsSchema,
  'apps[].cors': corsSchema,
  'apps[].webhooks[]': webhookSchema,
  'apps[].rules[]': ruleSchema,
  'apps[].rules[].explanation': localTextSchema,
  'apps[].rules[].remediation': localTextSchema,
}

/** The names of all keys, by the place they belong to. */
export const KEYS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(SECTIONS).map(([place, section]) => [place, Object.keys(section.shape)]),
)
