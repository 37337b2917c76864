import { resolve } from 'node:path'
import type { ConfigFile } from './schema.ts'
import { toAdmin } from './sections/admin.ts'
import { toPersonalTokens } from './sections/api-tokens.ts'
import { toAssertion } from './sections/assertion.ts'
import { toBasic } from './sections/basic.ts'
import { type LogoFiles, toBrand } from './sections/branding.ts'
import { toKeys } from './sections/keys.ts'
import { toLinks } from './sections/links.ts'
import { toConnectionLimits, toListen } from './sections/listen.ts'
import { toMail } from './sections/mail.ts'
import { toPasskeys } from './sections/passkeys.ts'
import { toPasswords } from './sections/passwords.ts'
import { toPathOpenings } from './sections/paths.ts'
import { toSecondFactor } from './sections/second-factor.ts'
import { toSecurityHeaders } from './sections/security-headers.ts'
import { toTimeouts, toUpstream } from './sections/upstream.ts'
import type { UpstreamFiles } from './sections/upstream-files.ts'
import { toWebsocketLimits } from './sections/websockets.ts'
import type { AppSettings, RuleSettings, Settings } from './settings.ts'

/**
 * The checked file in the form the rest of the program uses.
 * @param options.directory what paths are relative to
 * @param options.files what the files hold that it names
 * @param options.logos the pictures that it names
 * @param options.cookieDomain as decided from all hosts; absent: the cookie is bound to one host
 */
export function toSettings(
  file: ConfigFile,
  options: {
    readonly directory: string
    readonly files: UpstreamFiles
    readonly logos: LogoFiles
    readonly cookieDomain: string | undefined
  },
): Settings {
  const { portal, limits } = file
  return {
    portal: {
      url: portal.url.origin,
      name: portal.name,
      languages: portal.languages,
      ...optional('cookieDomain', options.cookieDomain),
      ...optional('help', portal.help),
      ...optional('statusPage', portal.status_page),
      ...optional('brand', toBrand(portal.brand, options.logos)),
    },
    listen: toListen(file, options),
    ...optional('admin', toAdmin(file.listen)),
    trustedProxies: file.trusted_proxies,
    ...optional('masterKey', file.master_key),
    keys: toKeys(file.keys),
    store: { path: resolve(options.directory, file.store) },
    sessions: file.sessions,
    tokens: file.tokens,
    login: {
      password: toPasswords(file.login.password, options.directory),
      recoveryCodes: { count: file.login.recovery_codes.count },
      links: toLinks(file.login.links),
      secondFactor: toSecondFactor(file.login.second_factor),
      passkeys: toPasskeys(file.login.passkeys),
    },
    personalTokens: toPersonalTokens(file.personal_tokens),
    administrators: file.administrators,
    ...optional('sms', file.sms),
    limits: {
      auth: limits.auth,
      default: limits.default,
      session: limits.session,
      api: limits.api,
      webhook: limits.webhook,
      classes: limits.classes,
      lockout: limits.lockout,
    },
    websockets: toWebsocketLimits(limits),
    connections: toConnectionLimits(limits),
    network: file.network,
    ...optional('mail', toMail(file.mail, options)),
    apps: file.apps.map((app) => toApp(app, options)),
    log: file.log,
  }
}

function toApp(
  app: ConfigFile['apps'][number],
  options: {
    readonly directory: string
    readonly files: UpstreamFiles
    readonly logos: LogoFiles
  },
): AppSettings {
  return {
    name: app.name,
    hosts: app.host,
    ...(app.upstream === undefined ? {} : { upstream: toUpstream(app.upstream, options) }),
    identityHeaders: app.headers,
    ...optional('groupsSeparator', app.groups_separator === ',' ? undefined : app.groups_separator),
    ...optional('assertion', toAssertion(app)),
    ...optional('upstreamLogin', app.upstream_login),
    requestHeaders: app.request_headers,
    securityHeaders: toSecurityHeaders(app.security_headers),
    websocketOrigins: app.websocket_origins.map(({ origin }) => origin),
    allowInPaths: toPathOpenings(app),
    allowHeaders: app.allow_headers,
    timeouts: toTimeouts(app.timeouts),
    ...optional('basic', toBasic(app)),
    ...optional('cors', app.cors),
    ...optional('webhooks', app.webhooks),
    rules: app.rules.map(toRule),
    ...optional('hidden', app.hidden ? true : undefined),
    ...optional('maintenance', app.maintenance),
    ...optional('icon', app.icon),
    ...optional('description', app.description),
    ...optional('brand', toBrand(app.brand, options.logos)),
  }
}

function toRule(rule: ConfigFile['apps'][number]['rules'][number]): RuleSettings {
  return {
    policy: rule.policy,
    hosts: rule.host,
    paths: rule.path,
    methods: rule.methods,
    networks: rule.networks,
    users: rule.users,
    groups: rule.groups,
    ...optional('limit', rule.limit),
    ...optional('maxAge', rule.max_age),
    ...optional('factor', rule.factor),
    ...optional('explanation', rule.explanation),
    ...optional('remediation', rule.remediation),
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // A computed key is typed as `string`; the object holds `key` or nothing.
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V })
}
