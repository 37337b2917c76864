import { readFile } from 'node:fs/promises'
import t from 'tap'
import { checkSettings } from '../../src/config/load.ts'
import { KEYS } from '../../src/config/schema.ts'
import type { AppSettings, Settings } from '../../src/config/settings.ts'
import { decodeMasterKey } from '../../src/config/values/master-key.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'

async function settingsOf(text: string): Promise<Settings> {
  const result = await checkSettings(text, '/etc/sallyport/config.yaml', {
    env: { WIKI_API_KEY: 'k' },
  })
  if (result.kind === 'ok') return result.settings
  throw new Error(result.problems.map(({ kind, line }) => `${line} ${kind}`).join(', '))
}

async function kindsOf(text: string): Promise<readonly string[]> {
  const result = await checkSettings(text, '/etc/sallyport/config.yaml', { env: {} })
  return (result.kind === 'ok' ? result.warnings : result.problems).map(({ kind }) => kind)
}

const file = (portal: string, host: string, app = '', top = '') => `version: 1
portal: {${portal}}
apps:
  - {name: A, host: ${host}, upstream: "http://app:3000", rules: [{policy: two_factor}]${app}}
${top}`

const appOf = async (app: string): Promise<AppSettings | undefined> =>
  (await settingsOf(file('url: https://a.example.com', 'a.example.com', `, ${app}`))).apps[0]

t.test('checkSettings() fills in every default', async (t) => {
  const settings = await settingsOf(file('url: https://auth.example.fr/', 'Wiki.Example.FR.'))
  t.strictSame(settings, {
    portal: {
      url: 'https://auth.example.fr',
      name: 'Sallyport',
      languages: ['en', 'fr'],
      cookieDomain: 'example.fr',
    },
    listen: { http: { host: '127.0.0.1', port: 9091 } },
    trustedProxies: [],
    store: { path: '/var/lib/sallyport/sallyport.db' },
    sessions: { idle: 30 * MINUTE, absolute: 12 * HOUR, remember: 30 * DAY },
    tokens: { access: 15 * MINUTE, refresh: 7 * DAY, absolute: 30 * DAY },
    login: {
      password: { preset: 'nist', minLength: 12 },
      recoveryCodes: { count: 10 },
      links: { reset: 30 * MINUTE, invitation: 7 * DAY, signIn: 15 * MINUTE },
      secondFactor: { everybody: false, users: [], groups: [], grace: 7 * DAY },
      passkeys: { enabled: true, offer: true },
    },
    personalTokens: { enabled: true, longest: 365 * DAY, endless: false, perAccount: 50 },
    connections: { connections: 20_000, connectionsPerAddress: 512 },
    websockets: { perSession: 100, perAddress: 200 },
    network: { allow: [], deny: [] },
    administrators: { groups: ['admins'] },
    keys: { warnAfter: 90 * DAY },
    limits: {
      auth: { count: 5, window: MINUTE },
      default: { count: 120, window: MINUTE },
      session: { count: 1200, window: MINUTE },
      api: { count: 100, window: MINUTE },
      webhook: { count: 10, window: MINUTE },
      classes: new Map(),
      lockout: { failures: 10, duration: 15 * MINUTE },
    },
    apps: [
      {
        name: 'A',
        hosts: ['wiki.example.fr'],
        upstream: { urls: ['http://app:3000'], policy: 'first' },
        identityHeaders: {
          user: 'Remote-User',
          groups: 'Remote-Groups',
          name: 'Remote-Name',
          email: 'Remote-Email',
        },
        requestHeaders: new Map(),
        securityHeaders: { preset: 'legacy' },
        websocketOrigins: [],
        allowInPaths: [],
        allowHeaders: [],
        timeouts: { connect: 5 * SECOND, firstByte: 60 * SECOND },
        rules: [
          {
            policy: 'two_factor',
            hosts: [],
            paths: [],
            methods: [],
            networks: [],
            users: [],
            groups: [],
          },
        ],
      },
    ],
    log: { level: 'info', format: 'auto' },
  })
})

t.test(
  'checkSettings() reads what an app takes by HTTP Basic, and what tokens may be',
  async (t) => {
    t.equal((await appOf('basic: tokens'))?.basic, 'tokens')
    t.equal((await appOf('basic: off'))?.basic, undefined)
    const top = 'personal_tokens: {enabled: false, longest: 30d, endless: true, per_account: 3}'
    const { personalTokens } = await settingsOf(
      file('url: https://a.example.com', 'a.example.com', '', top),
    )
    t.strictSame(personalTokens, {
      enabled: false,
      longest: 30 * DAY,
      endless: true,
      perAccount: 3,
    })
  },
)

t.test('checkSettings() brings hosts into the spelling requests are compared in', async (t) => {
  const hosts = async (text: string) =>
    (await settingsOf(file('url: https://a.example.com', text))).apps[0]?.hosts
  t.strictSame(await hosts('[A.Example.COM, "*.Foo.Example.com"]'), [
    'a.example.com',
    '*.foo.example.com',
  ])
  t.strictSame(await hosts('bücher.example.com.'), ['xn--bcher-kva.example.com'])
  const address = async (portal: string, text: string) =>
    (await settingsOf(file(`url: "${portal}"`, text))).apps[0]?.hosts
  t.strictSame(await address('http://[::1]:9091', '"[0:0::1]"'), ['::1'])
  t.strictSame(await address('http://127.0.0.1:9091', '127.0.0.1'), ['127.0.0.1'])
  for (const text of [
    '"1.2"',
    '0x7f.1',
    '"a b"',
    'a_.-b',
    'a/b',
    '-a.com',
    '"[::1%lo]"',
    'example.123',
  ]) {
    t.strictSame(await kindsOf(file('url: https://a.example.com', text)), ['host_invalid'], text)
  }
})

t.test('checkSettings() brings origins into the spelling browsers use', async (t) => {
  const url = async (text: string) =>
    (await settingsOf(file(`url: "${text}"`, 'localhost'))).portal.url
  t.equal(await url('HTTP://LocalHost:80/'), 'http://localhost')
  t.equal(await url('https://localhost:443'), 'https://localhost')
  t.equal(await url('https://localhost:8443'), 'https://localhost:8443')
  for (const text of [
    'https:/localhost',
    'https:\\\\\\\\localhost',
    'https://localhost:0',
    'https://[::1',
    'ftp://localhost',
    'https://',
  ]) {
    t.strictSame(await kindsOf(file(`url: "${text}"`, 'localhost')), ['bad_url'], text)
  }
})

t.test('checkSettings() E18: decides the cookie domain, never a public suffix', async (t) => {
  const domain = async (portal: string, hosts: string, more = '') =>
    (await settingsOf(file(`url: "${portal}"${more}`, hosts))).portal.cookieDomain
  t.equal(await domain('https://a.example.com', 'a.example.com'), undefined)
  t.equal(await domain('https://a.example.com', '[a.example.com, b.example.com]'), 'example.com')
  t.equal(await domain('https://a.b.example.co.uk', '"*.example.co.uk"'), 'example.co.uk')
  t.equal(await domain('https://me.duckdns.org', 'wiki.me.duckdns.org'), 'me.duckdns.org')
  t.equal(
    await domain('https://a.x.example.com', 'b.x.example.com', ', cookie_domain: x.example.com'),
    'x.example.com',
  )
  t.equal(await domain('http://auth.dev.localhost', 'wiki.dev.localhost'), 'dev.localhost')

  const kinds = (portal: string, hosts: string) => kindsOf(file(portal, hosts))
  t.strictSame(await kinds('url: https://me.duckdns.org', 'you.duckdns.org'), [
    'cookie_domain_none',
  ])
  t.strictSame(await kinds('url: http://localhost:9091', '127.0.0.1'), ['cookie_domain_none'])
  t.strictSame(await kinds('url: https://192.0.2.1', 'wiki.example.com'), ['cookie_domain_none'])
  t.strictSame(await kinds('url: https://a.example.com', 'evilexample.com'), ['cookie_domain_none'])
  for (const suffix of ['co.uk', 'duckdns.org', 'github.io', 'home.arpa']) {
    const text = `url: https://me.${suffix}, cookie_domain: ${suffix}`
    t.strictSame(await kinds(text, `you.${suffix}`), ['cookie_domain_public'], suffix)
  }
})

t.test('checkSettings() allows plain http for the portal on this machine only', async (t) => {
  for (const host of ['localhost', 'a.localhost', '127.9.9.9', '[::1]']) {
    t.strictSame(await kindsOf(file(`url: "http://${host}:1"`, `"${host}"`)), [], host)
  }
  for (const host of ['192.0.2.1', 'localhost.example.com', '128.0.0.1', '[::2]']) {
    t.strictSame(
      await kindsOf(file(`url: "http://${host}:1"`, `"${host}"`)),
      ['insecure_portal'],
      host,
    )
  }
})

t.test('checkSettings() reads addresses to listen on', async (t) => {
  const listen = async (text: string) =>
    (await settingsOf(file('url: https://a.fr', 'a.fr', '', `listen: {http: "${text}"}`))).listen
      .http
  t.strictSame(await listen(':80'), { host: '0.0.0.0', port: 80 })
  t.strictSame(await listen('[::1]:9091'), { host: '::1', port: 9091 })
  t.strictSame(await listen('[::]:0'), { host: '::', port: 0 })
  t.strictSame(await listen('localhost:9091'), { host: 'localhost', port: 9091 })
  for (const text of ['9091', '::1:9091', 'a b:1', '127.0.0.1:65536', 'http://127.0.0.1:80', ':']) {
    const kinds = await kindsOf(file('url: https://a.fr', 'a.fr', '', `listen: {http: "${text}"}`))
    t.strictSame(kinds, ['bad_listen'], text)
  }
})

t.test('checkSettings() keeps relative stores beside the file', async (t) => {
  const store = async (text: string) =>
    (await settingsOf(file('url: https://a.fr', 'a.fr', '', `store: "${text}"`))).store.path
  t.equal(await store('sqlite:data/x.db'), '/etc/sallyport/data/x.db')
  t.equal(await store('sqlite:/data/x.db'), '/data/x.db')
  for (const text of ['sqlite:', 'sqlite::memory:', 'sqlite://host/x', 'x.db', 'sqlite:/data/']) {
    const kinds = await kindsOf(file('url: https://a.fr', 'a.fr', '', `store: "${text}"`))
    t.strictSame(kinds, ['bad_store'], text)
  }
})

t.test('checkSettings() takes master keys in hexadecimal and base64', async (t) => {
  const bytes = Buffer.from(
    '8f3a9c51d2e47b60a1b9c8d7e6f50413826a7b5c4d3e2f10998877665544fbff',
    'hex',
  )
  for (const text of [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ]) {
    const top = `master_key: "${text}"`
    const { masterKey } = await settingsOf(file('url: https://a.fr', 'a.fr', '', top))
    t.ok(masterKey instanceof Secret)
    t.same(decodeMasterKey(masterKey?.reveal() ?? ''), bytes)
  }
  for (const text of [
    bytes.toString('hex').slice(2),
    bytes.toString('base64').slice(1),
    'x'.repeat(64),
  ]) {
    t.strictSame(await kindsOf(file('url: https://a.fr', 'a.fr', '', `master_key: ${text}`)), [
      'bad_master_key',
    ])
  }
  t.equal(decodeMasterKey(`${bytes.toString('base64url')}\n`), undefined)
})

t.test('checkSettings() reads what an app is told', async (t) => {
  const { identityHeaders, ...rest } = (await appOf('headers: {preset: grafana, name: X-N}')) ?? {}
  t.strictSame(identityHeaders, {
    user: 'X-WEBAUTH-USER',
    groups: 'X-WEBAUTH-GROUPS',
    name: 'X-N',
    email: 'X-WEBAUTH-EMAIL',
  })
  t.notOk('assertion' in rest || 'upstreamLogin' in rest || 'groupsSeparator' in rest)
  t.strictSame((await appOf('headers: none'))?.identityHeaders, {})
  t.equal((await appOf('groups_separator: space'))?.groupsSeparator, ' ')
  t.strictSame((await appOf('assertion: true'))?.assertion, { audience: 'A' })
  t.strictSame((await appOf('assertion: {audience: "urn:x"}'))?.assertion, { audience: 'urn:x' })
  t.equal((await appOf('assertion: false'))?.assertion, undefined)
  t.strictSame((await appOf('upstream_login: basic'))?.upstreamLogin, { kind: 'personal' })
  const shared = (await appOf('upstream_login: {user: a, password: " b "}'))?.upstreamLogin
  t.match(shared, { kind: 'shared', user: 'a' })
  t.equal(shared?.kind === 'shared' && shared.password.reveal(), ' b ')
  t.notMatch(JSON.stringify(shared), ' b ')
})

t.test('checkSettings() reads the parts of an app', async (t) => {
  t.strictSame((await appOf('headers: {user: X-WEBAUTH-USER}'))?.identityHeaders, {
    user: 'X-WEBAUTH-USER',
    groups: 'Remote-Groups',
    name: 'Remote-Name',
    email: 'Remote-Email',
  })
  t.strictSame((await appOf('security_headers: strict'))?.securityHeaders, { preset: 'strict' })
  const trial = 'security_headers: {csp_mode: report_only, report: false, hsts: host}'
  t.strictSame((await appOf(trial))?.securityHeaders, {
    preset: 'legacy',
    cspMode: 'report_only',
    report: false,
    hsts: 'host',
  })
  t.strictSame((await appOf('security_headers: {csp: "default-src *"}'))?.securityHeaders, {
    preset: 'legacy',
    csp: 'default-src *',
  })
  t.strictSame((await appOf('websocket_origins: "HTTPS://B.fr:443"'))?.websocketOrigins, [
    'https://b.fr',
  ])
  t.strictSame((await appOf('websocket_origins: []'))?.websocketOrigins, [])
  const headers = (await appOf('request_headers: {X-Key: "a b"}'))?.requestHeaders
  t.equal(headers?.get('X-Key')?.reveal(), 'a b')
  t.equal(String(headers?.get('X-Key')), '[secret]')
})

t.test('checkSettings() reads rules: one value or a list, names folded', async (t) => {
  const text = file('url: https://a.example.com', 'a.example.com').replace(
    '[{policy: two_factor}]',
    '[{policy: two_factor, users: [" ＢＯＢ"], groups: Admins, methods: PROPFIND, path: [/a/**/b*, /réservé], networks: ["::1"], host: a.example.com, explanation: No., remediation: {fr: Non.}}]',
  )
  t.strictSame((await settingsOf(text)).apps[0]?.rules, [
    {
      policy: 'two_factor',
      hosts: ['a.example.com'],
      paths: ['/a/**/b*', '/réservé'],
      methods: ['PROPFIND'],
      networks: ['::1'],
      users: ['bob'],
      groups: ['admins'],
      explanation: { fr: 'No.', en: 'No.' },
      remediation: { fr: 'Non.' },
    },
  ])
})

t.test('checkSettings() I5: refuses restrictions that restrict nothing', async (t) => {
  for (const key of ['users', 'groups', 'methods', 'networks', 'path', 'host']) {
    for (const [value, kind] of [
      ['[]', 'empty_list'],
      ['', 'no_value'],
      ['" "', 'blank'],
      ['[""]', 'blank'],
    ]) {
      const text = file('url: https://a.example.com', 'a.example.com').replace(
        'policy: two_factor',
        `policy: two_factor, ${key}: ${value}`,
      )
      t.strictSame(await kindsOf(text), [kind], `${key}: ${value}`)
    }
  }
})

t.test('checkSettings() knows which rules can never decide', async (t) => {
  const kinds = (...rules: readonly string[]) =>
    kindsOf(
      file('url: https://a.fr', 'a.fr').replace(
        '[{policy: two_factor}]',
        `[${rules.map((rule) => `{${rule}}`).join(', ')}]`,
      ),
    )
  t.strictSame(await kinds('policy: deny, groups: guests', 'policy: two_factor'), [])
  t.strictSame(await kinds('policy: two_factor, groups: a', 'policy: two_factor, groups: b'), [
    'duplicate_rule',
  ])
  t.strictSame(await kinds('path: /a/**, policy: public', 'path: /a, policy: deny'), [
    'never_reached',
  ])
  t.strictSame(await kinds('path: /a/**, policy: public', 'path: /ab, policy: deny'), [])
  t.strictSame(await kinds('path: /a/*, policy: public', 'path: /a/b, policy: deny'), [])
  t.strictSame(await kinds('networks: ::1, policy: public', 'policy: deny'), [])
  t.strictSame(await kinds('host: a.fr, policy: public', 'policy: deny'), ['duplicate_rule'])
  t.strictSame(await kinds('methods: GET, policy: public', 'methods: [HEAD], policy: deny'), [
    'never_reached',
  ])
  t.strictSame(
    await kinds('methods: GET, policy: public', 'methods: [GET, POST], policy: deny'),
    [],
  )
  t.strictSame(await kinds('path: /**, policy: deny', 'policy: public'), ['duplicate_rule'])
})

t.test('config.example.yaml is valid and shows every key', async (t) => {
  const text = await readFile(new URL('../../config.example.yaml', import.meta.url), 'utf8')
  const settings = await settingsOf(text)
  const defaults = await settingsOf(file('url: https://auth.example.com', 'wiki.example.com'))
  t.strictSame(
    { ...settings.limits, classes: defaults.limits.classes },
    defaults.limits,
    'limits are shown with their defaults, and a class of one’s own',
  )
  for (const part of ['listen', 'store', 'sessions', 'login', 'log'] as const) {
    t.strictSame(settings[part], defaults[part], `${part} is shown with its defaults`)
  }
  t.ok(
    settings.apps.some((app) => app.upstream === undefined),
    'an app behind another proxy',
  )
  for (const [place, keys] of KEYS) {
    for (const key of keys) {
      if (place.startsWith('apps[].rules[]') && key === 'host') continue
      t.match(text, new RegExp(`[\\s{]${key}:`), `${place} ${key}`)
    }
  }
})
