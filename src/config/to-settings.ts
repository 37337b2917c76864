import { resolve } from 'node:path'
import type { ConfigFile } from './schema.ts'
import { toWebsocketLimits } from './sections/websockets.ts'
import type { AppSettings, RuleSettings, Settings } from './settings.ts'

/**
 * The checked file in the form the rest of the program uses.
 * @param options.directory what the path of the store is relative to
 * @param options.cookieDomain as decided from all hosts; absent: the cookie is bound to one host
 */
export function toSettings(
  file: ConfigFile,
  options: { readonly directory: string; readonly cookieDomain: string | undefined },
): Settings {
  const { portal, limits } = file
  return {
    portal: {
      url: portal.url.origin,
      name: portal.name,
      languages: portal.languages,
      ...optional('cookieDomain', options.cookieDomain),
      ...optional('help', portal.help),
    },
    listen: file.listen,
    trustedProxies: file.trusted_proxies,
    ...optional('masterKey', file.master_key),
    store: { path: resolve(options.directory, file.store) },
    sessions: file.sessions,
    login: {
      password: { minLength: file.login.password.min_length },
      recoveryCodes: { count: file.login.recovery_codes.count },
    },
    limits: {
      auth: limits.auth,
      default: limits.default,
      session: limits.session,
      lockout: limits.lockout,
    },
    websockets: toWebsocketLimits(limits),
    apps: file.apps.map(toApp),
    log: file.log,
  }
}

function toApp(app: ConfigFile['apps'][number]): AppSettings {
  return {
    name: app.name,
    hosts: app.host,
    ...optional('upstream', app.upstream?.origin),
    identityHeaders: app.headers,
    requestHeaders: app.request_headers,
    securityHeaders: {
      preset: app.security_headers.preset,
      ...optional('csp', app.security_headers.csp),
    },
    websocketOrigins: app.websocket_origins.map(({ origin }) => origin),
    allowEncodedSlash: app.allow_encoded_slash,
    timeouts: { connect: app.timeouts.connect, firstByte: app.timeouts.first_byte },
    rules: app.rules.map(toRule),
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
    ...optional('explanation', rule.explanation),
    ...optional('remediation', rule.remediation),
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // A computed key is typed as `string`; the object holds `key` or nothing.
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V })
}
