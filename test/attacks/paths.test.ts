import t from 'tap'
import { checkRegistration } from '../../src/accounts/registration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { addBob, HANDSHAKE, startGate, type Wanted } from './gate.ts'

/** Paths, hosts and methods by which peers were got around, each where it once worked. */
const OPENED = 'allow_in_paths: [encoded_slash, backslash, encoded_percent]'
const OPENED_RULES =
  '[{path: /admin/**, policy: one_factor}, {path: /secret/**, policy: deny}, {policy: public}]'
const gate = await startGate({
  apps: `
  - name: opened
    host: opened.example.com
    upstream: {{app}}
    ${OPENED}
    rules: ${OPENED_RULES}
  - name: asked-opened
    host: asked-opened.example.com
    ${OPENED}
    rules: ${OPENED_RULES}
`,
})
t.teardown(() => gate[Symbol.asyncDispose]())
const { app } = gate
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)

type Way = 'request' | 'upgrade' | 'caddy' | 'nginx' | 'envoy'
const WAYS: readonly Way[] = ['request', 'upgrade', 'caddy', 'nginx', 'envoy']

/** One request in every mode: received, as an upgrade, and asked about by a proxy. */
function through(
  way: Way,
  { method = 'GET', target = '/', host = 'app', ...more }: Wanted,
): Wanted {
  const name = `${host}.example.com`
  const asked = `asked${host === 'app' ? '' : `-${host}`}.example.com`
  const client = ['X-Forwarded-For', '192.0.2.7'] as const
  switch (way) {
    case 'request':
      return { method, target, host: name, ...more }
    case 'upgrade': {
      const headers = [...HANDSHAKE, ['Origin', `https://${name}`]] as const
      return { target, host: name, ...more, headers }
    }
    case 'caddy': {
      const fields = [
        ['X-Forwarded-Method', method],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', asked],
        ['X-Forwarded-Uri', target],
        client,
      ] as const
      return { target: '/.sallyport/check/caddy', host: asked, ...more, headers: fields }
    }
    case 'nginx': {
      const url = ['X-Original-URL', `https://${asked}${target}`] as const
      const headers = [['X-Original-Method', method], url, client] as const
      return { target: '/.sallyport/check/nginx', host: asked, ...more, headers }
    }
    case 'envoy': {
      const headers = [
        ['X-Forwarded-Proto', 'https'],
        ['Sallyport-Client', '192.0.2.7'],
        client,
      ] as const
      return { method, target: `/.sallyport/check/envoy${target}`, host: asked, ...more, headers }
    }
  }
}

/** Sends each in every mode; gives what was let through, as `way method target`. */
async function passed(wanted: readonly Wanted[], ways = WAYS): Promise<readonly string[]> {
  app.reset()
  const all = ways.flatMap((way) => wanted.map((one) => [way, one] as const))
  const answers = await gate.askAll(all.map(([way, one]) => through(way, one)))
  const open = all.filter((_, i) => [200, 101].includes(answers[i]?.status ?? 0))
  const own = open.filter(([way]) => way === 'request' || way === 'upgrade')
  t.equal(app.requests.length, own.length, 'only what was allowed reached the app')
  return open.map(([way, { method = 'GET', target }]) => `${way} ${method} ${target}`)
}
const paths = (targets: readonly string[], host = 'app') =>
  targets.map((target) => ({ target, host }))

t.test('B1 a public path is never found in the query', async (t) => {
  const open = await passed(
    paths([
      '/api/private?x=/status',
      '/api/private?/api/x/status',
      '/api/private/?/status',
      '/private?/public/',
      '/private?x=y&/public/x',
      '/private?%2fpublic%2f',
    ]),
  )
  t.strictSame(open, [])
  const real = await passed(paths(['/api/private/status?x=/admin']))
  t.equal(real.length, WAYS.length, 'and a query closes none')
})

t.test('B2 # and its encodings are no way to end a path', async (t) => {
  const marks = ['#', '%23', '%2523', '%3f', '%253f', '%ef%bc%83', '%EF%BC%9F']
  const open = await passed(
    paths(marks.flatMap((mark) => [`/foo/secret${mark}/bar`, `/foo/secret/x${mark}/bar`])),
  )
  t.strictSame(open, [])
})

t.test('B3 a prefix ends where its segment ends', async (t) => {
  const around = [
    '../x',
    './x',
    '%2e%2e/x',
    '%20/x',
    ';/../x',
    '%2e/x',
    ';a/x',
    '%3b/x',
    '.;/x',
    '//x',
  ]
  const guarded = around.map((end) => `/admin${end}`)
  t.strictSame(
    await passed(paths([...guarded, ...guarded.map((p) => `/public/..${p}`)], 'open')),
    [],
  )
  const open = await passed(paths(around.map((end) => `/public${end}`)))
  const wrong = open.filter((line) => !/ \/public(?:;a|%3b)?\/\/?x$/.test(line))
  t.strictSame(wrong, [], 'and what looks like a public one is not')
})

const SEVEN = ['2F', '5C', '00', '3B', '25', '3F', '23']
const spelled = SEVEN.flatMap((hex) =>
  [hex, hex.toLowerCase()].flatMap((one) => [`%${one}`, `%25${one}`]),
)
const around = (mark: string, path: string) => [
  path.replace(/(?<=.)\//, mark),
  path.replace(/^\/(\w+)/, `/$1${mark}`),
  `/x${mark}..${mark}${path.slice(1)}`,
  `/${mark}${path}`,
  `/x/..${mark}${path}`,
  `/public${mark}..${path}`,
]

t.test('B4 encoded separators and ends do not get around a guarded prefix', async (t) => {
  const targets = [...new Set(spelled)].flatMap((mark) => around(mark, '/admin/x'))
  t.strictSame(await passed(paths(targets, 'app')), [])
  const isGuarded = (line: string) => / \/admin(?:\/|;|%3b|%3f|%23|$)/i.test(line)
  t.strictSame((await passed(paths(targets, 'open'))).filter(isGuarded), [])
})

t.test('B4 where an app has them opened, they are judged in all readings', async (t) => {
  const guarded = [
    ...['/admin%2Fx', '/admin%2fx', '/admin%5Cx', '/admin\\x', '/admin%252Fx', '/admin%255cx'],
    ...['/%2fadmin/x', '/%5cadmin', '/%61dmin%2fx', '/%2561dmin/x', '/ADMIN%5cx', '/a%2564min%2fx'],
    ...[
      '/admin%253Bx/y',
      '/admin%253fx',
      '/admin%2523',
      '/%255cadmin\\x',
      '/\\admin',
      '/\\\\admin',
    ],
    ...['/secret%2fx', '/secret\\x', '/SECRET%255Cx', '/%2573ecret'],
  ]
  t.strictSame(await passed(paths(guarded, 'opened')), [])
  const never = ['%2e%2e', '..', '%252e%252e', '.%2E'].flatMap((dots) =>
    ['/', '%2f', '%5c', '\\', '%252f', '%255C'].flatMap((slash) => [
      `/x${slash}${dots}${slash}y`,
      `/${dots}${slash}admin`,
      `/x${slash}${dots}`,
    ]),
  )
  const nul = ['/x%00', '/x%2f%00', '/x%2500', '/%255c%2500', '/x%250d%250a']
  t.strictSame(
    await passed(paths([...never, ...nul], 'opened')),
    [],
    'dot segments, NUL: for nobody',
  )
  const harmless = ['/a%2Fb', '/a%2fb?x=%2F', '/a\\b', '/a%5Cb%5c', '/50%2525', '/a%252Fb/c%2f']
  const open = await passed(paths(harmless, 'opened'))
  t.equal(open.length, harmless.length * WAYS.length)
  t.strictSame(
    app.requests.map(({ url }) => url).toSorted(),
    [...harmless, ...harmless].toSorted(),
    'byte for byte',
  )
  t.strictSame(await passed(paths(harmless, 'open')), [], 'and for no other app')
})

t.test('B5 B6 a path that climbs, or is written another way, needs what it leads to', async (t) => {
  const climbing = [
    ...['/public/../admin', '/public/%2e%2e/admin', '//admin', '/./admin', '/public/..;/admin'],
    ...['/%61dmin', '/public/%252e%252e/admin', '/public/.%2e/admin', '/public/..%2fadmin'],
    ...['/public/%2e%2e%2fadmin', '/public//../admin', '/public/..\\admin', '/public/./../admin'],
  ]
  t.strictSame(await passed(paths(climbing)), [])
  t.strictSame(await passed(paths(climbing, 'open')), [])
})

t.test('B6 B17 only a path is a target, whatever Host says', async (t) => {
  const targets = [
    ...['http://app.example.com/public/x', 'http://evil.example/public/x', 'https://app//evil/x'],
    ...[
      'http://open.example.com/public/x',
      'app.example.com:443',
      'foo:bar',
      '*',
      'public/x',
      '?x',
    ],
    ...['HTTP://APP.EXAMPLE.COM/public/x', 'http:///public/x', 'http:/public/x', '//', 'x:y@app'],
  ]
  const methods = ['GET', 'POST', 'OPTIONS', 'HEAD']
  const wanted = methods.flatMap((method) => targets.map((target) => ({ method, target })))
  // Behind Envoy's prefix, each of these is a path of ours that there is not.
  t.strictSame(await passed(wanted, ['request', 'upgrade', 'caddy', 'nginx']), [])
  const options = await gate.ask({ method: 'OPTIONS', target: '*' })
  t.equal(options.status, 204, 'which is about the server: answered here')
})

t.test('B11 nothing of ours answers a stranger, however its path is written', async (t) => {
  const ours = ['/.sallyport/account', '/.sallyport/account/totp', '/.sallyport/check/caddy']
  const marks = [
    '/',
    '//',
    ';',
    ';x',
    '/.',
    '%2f',
    '%20',
    '.json',
    '/..;/',
    '..;/',
    '%00',
    '\\',
    '?',
    '%2e',
  ]
  const targets = ours.flatMap((path) => [
    path.toUpperCase(),
    path.replace('sallyport', 's%61llyport'),
    ...marks.flatMap((mark) => [
      `${path}${mark}`,
      path.replace('/.sallyport', `/.sallyport${mark}`),
      `/${mark}${path}`,
      path.replace('/.sallyport/', `/.sallyport/${mark}`),
    ]),
  ])
  app.reset()
  const answers = await gate.askAll(paths(targets).map((one) => through('request', one)))
  const open = targets.filter((_, i) => [200, 204, 206].includes(answers[i]?.status ?? 0))
  t.strictSame(open, [])
  t.strictSame(app.requests, [])
})

t.test('B12 a method of any case or kind asks for a session', async (t) => {
  const methods = [
    ...['get', 'GeT', 'PROPFIND', 'QUERY', 'M-SEARCH', 'TRACE', 'TRACK', 'CONNECT', 'PURGE'],
    ...['A'.repeat(33), 'POST', 'HEAD', 'OPTIONS', 'PATCH', 'LINK', 'SOURCE', 'DEBUG'],
  ]
  const targets = ['/admin/x', '/denied/x']
  const wanted = methods.flatMap((method) => targets.map((target) => ({ method, target })))
  t.strictSame(await passed(wanted, ['request', 'caddy', 'nginx', 'envoy']), [])
  const traced = await gate.askAll(
    ['TRACE', 'CONNECT'].map((method) => ({ method, target: '/x', cookie })),
  )
  t.strictSame(
    traced.map((answer) => answer?.status),
    [405, 405],
    'nor does a session let these through',
  )
})

t.test('B13 a method is the one in the request line', async (t) => {
  const names = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X_HTTP_Method']
  const wanted = names.flatMap((name) =>
    ['GET', 'HEAD', 'OPTIONS'].map(
      (value): Wanted => ({ method: 'POST', target: '/read-only', headers: [[name, value]] }),
    ),
  )
  t.strictSame(await passed(wanted, ['request']), [], 'GET is open there and POST is not')
  app.reset()
  await gate.askAll(wanted.map((one) => ({ ...one, cookie })))
  t.equal(app.requests.length, wanted.length)
  t.ok(app.requests.every((one) => one.method === 'POST' && names.every((n) => !one.all(n).length)))
  const preflight = { method: 'OPTIONS', target: '/admin/x' }
  const asking = [
    ['Origin', 'https://evil.example'],
    ['Access-Control-Request-Method', 'GET'],
  ] as const
  app.reset()
  t.equal((await gate.ask({ ...preflight, headers: asking })).status, 401)
  t.strictSame(app.requests, [])
})

t.test('B14 a host is the whole of a name', async (t) => {
  const hosts = [
    ...['evilapp.example.com', 'app.example.com.evil', 'x/app.example.com/api', 'app.example.co'],
    ...[
      'app.example.com.example.com',
      'x.app.example.com',
      'app',
      '.app.example.com',
      'app..example.com',
    ],
    ...[
      'app.example.com@evil.example',
      'app.example.com:80:80',
      'app.example.com#',
      'app%2eexample.com',
    ],
  ]
  app.reset()
  const answers = await gate.askAll(
    hosts.flatMap((host): Wanted[] => [
      { host, target: '/public/x', cookie },
      { host, target: '/public/x', cookie, headers: HANDSHAKE },
      {
        target: '/.sallyport/check/caddy',
        cookie,
        headers: [
          ['X-Forwarded-Method', 'GET'],
          ['X-Forwarded-Proto', 'https'],
          ['X-Forwarded-Host', host],
          ['X-Forwarded-Uri', '/public/x'],
          ['X-Forwarded-For', '192.0.2.7'],
        ],
      },
    ]),
  )
  t.strictSame(
    answers.filter((answer) => ![400, 403, 404].includes(answer?.status ?? 400)),
    [],
  )
  t.strictSame(app.requests, [])
})

t.test('B16 dots inside a name and in a query are nothing special', async (t) => {
  const fine = ['/public/a...b', '/public/x?x=/../', '/public/..a', '/public/a..b?y=%2e%2e/']
  const open = await passed(paths(fine))
  t.equal(open.length, fine.length * WAYS.length)
  const climbing = ['/public/%2e%2e/x', '/public/a/../../x', '/public/..', '/public/.../../x']
  t.strictSame(await passed(paths(climbing)), [])
})

t.test('B18 a name or address with other than one @ is nobody', async (t) => {
  const refused = async (username: string, email: string) => {
    const checked = await checkRegistration(
      {
        username,
        email,
        displayName: 'x',
        groups: [],
        password: new Secret('correct horse battery'),
      },
      { check: async () => ({ kind: 'ok' }) },
    )
    return checked.kind === 'refused'
  }
  const addresses = [
    ...['a@evil.com@company.com', 'a@b@c@company.com', 'company.com', '@company.com', 'a@'],
    ...['"a@evil.com"@company.com', '"a"@company.com', 'a@company.com.', 'a@.company.com'],
    ...['a@company..com', 'a@cоmpany.com', 'a＠evil.com@company.com', 'a@evil.com\0@company.com'],
    'a@evil.com,b@company.com',
  ]
  for (const address of addresses) t.ok(await refused('alice', address), address)
  const names = addresses.filter((name) => /@.*@|["＠о,\0]/.test(name))
  for (const name of names) t.ok(await refused(name, ''), name)
  t.notOk(await refused('alice@company.com', 'alice@company.com'))
})
