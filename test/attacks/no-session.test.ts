import t from 'tap'
import { createBrowser } from '../support/browser-client.ts'
import { addBob, type Gate, HANDSHAKE, SESSION, STRANGER, startGate, type Wanted } from './gate.ts'
import { meaningsOf, otherForms, spellingsOf } from './spellings.ts'

/** Without a session nothing reaches the app but what a rule leaves open. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const { app } = gate
const bob = await addBob(gate)

const CLOSED = ['/admin/x', '/denied/y', '/strong/z', '/anything']
const isPublic = (path: string) => /^\/public(?:\/|$)|^\/foo\/[^/]*\/bar$|^\/read-only$/.test(path)
const isClosed = (path: string) => /^\/(?:admin|denied)(?:\/|$)|^\/secret$/.test(path)

/** Sends them all and gives what reached the app, with every answer that was a success. */
async function attack(gate: Gate, wanted: readonly Wanted[], from?: string) {
  app.reset()
  const answers = await gate.askAll(wanted, from)
  const open = wanted.filter((_, i) => {
    const status = answers[i]?.status ?? 400
    return status < 300 || status >= 500
  })
  return { reached: app.requests.map(({ method, url }) => `${method} ${url}`), open, answers }
}

t.test('no spelling of a path opens an app that asks everybody to sign in (B5, B11)', async (t) => {
  const paths = CLOSED.flatMap((path) => spellingsOf(path))
  const others = CLOSED.flatMap((path) => otherForms(path, 'app.example.com'))
  t.ok(paths.length > 4000)
  const wanted = [...paths, ...others].map((target) => ({ target }))
  const { reached, answers } = await attack(gate, wanted)
  const wrong = reached.filter((line) => ![...meaningsOf(line.slice(4))].every(isPublic))
  t.strictSame(wrong, [], 'what reaches it is public however it is read')
  const successes = answers.filter((answer) => (answer?.status ?? 400) < 300)
  t.equal(successes.length, reached.length, 'and nothing else looks like a success')
  t.notOk(answers.some((answer) => (answer?.status ?? 0) >= 500))
})

t.test(
  'no spelling of a closed path gets through where the rest is open (B4, B5, B11)',
  async (t) => {
    const paths = ['/admin/x', '/secret', '/denied/y'].flatMap((path) => spellingsOf(path))
    const wanted = paths.map((target) => ({ target, host: 'open.example.com' }))
    const { reached } = await attack(gate, wanted, STRANGER)
    t.ok(reached.length > 20, 'harmless spellings do')
    const wrong = reached.filter((line) => [...meaningsOf(line.slice(4))].some(isClosed))
    t.strictSame(wrong, [])
  },
)

t.test('no method opens a closed path (B12, B13)', async (t) => {
  const methods = [
    ...['get', 'GeT', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'],
    ...['M-SEARCH', 'TRACE', 'TRACK', 'CONNECT', 'DEBUG', 'LOCK', 'MKCOL', 'PURGE', 'REPORT'],
    ...['SEARCH', 'SOURCE', 'UNSUBSCRIBE', 'A'.repeat(33), 'GET\t', 'ＧＥＴ', '', 'FOO'],
  ]
  const targets = ['/admin/x', '/read-only', '/denied/x']
  const wanted = methods.flatMap((method) => targets.map((target) => ({ method, target })))
  const { reached, answers } = await attack(gate, wanted)
  t.strictSame(reached, ['HEAD /read-only'], 'only HEAD, which follows GET')
  for (const [i, { method, target }] of wanted.entries()) {
    if (method === 'TRACE' || method === 'CONNECT') t.equal(answers[i]?.status, 405, target)
  }
  const preflight = await gate.ask({
    method: 'OPTIONS',
    target: '/admin/x',
    headers: [
      ['Origin', 'https://evil.example'],
      ['Access-Control-Request-Method', 'GET'],
    ],
  })
  t.equal(preflight.status, 401)
  t.equal(preflight.header('access-control-allow-origin'), undefined)
})

t.test(
  'no header opens a closed path, from a trusted peer or a stranger (A1, A2, A7, B13)',
  async (t) => {
    const paths = [
      '/public/x',
      '/public/../admin/x',
      '/',
      'https://app.example.com/public/x',
      '',
      '*',
    ]
    const names = [
      ...['X-Forwarded-Uri', 'X-Forwarded-URL', 'X-Forwarded-Path', 'X-Forwarded-Prefix'],
      ...['X-Original-URL', 'X-Original-URI', 'X-Rewrite-URL', 'X-Envoy-Original-Path', 'X-Path'],
      ...[
        'X_Forwarded_Uri',
        'X_Original_URL',
        'X-Override-URL',
        'Referer',
        'Base-Url',
        'Request-Uri',
      ],
    ]
    const hosts = [
      'X-Forwarded-Host',
      'X-Host',
      'X-Forwarded-Server',
      'Forwarded',
      'X-Original-Host',
    ]
    const addresses = ['X-Forwarded-For', 'X-Real-IP', 'Client-IP', 'True-Client-IP', 'X-Client-IP']
    const overrides = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']
    const agents = [
      'GoogleHC/1.0',
      'kube-probe/1.31',
      'ELB-HealthChecker/2.0',
      'Envoy/HC',
      'curl/8',
    ]
    const headers: (readonly [string, string])[] = [
      ...names.flatMap((name) => paths.map((path) => [name, path] as const)),
      ...hosts.map((name) => [name, 'open.example.com'] as const),
      ['Forwarded', 'for=127.0.0.1;host=open.example.com;proto=https'],
      ...addresses.flatMap((n) => ['127.0.0.1', '::1', 'a', ''].map((ip) => [n, ip] as const)),
      ...overrides.flatMap((n) => ['GET', 'OPTIONS', 'get'].map((m) => [n, m] as const)),
      ...agents.map((agent) => ['User-Agent', agent] as const),
      ...['X-Forwarded-Proto', 'X-Forwarded-Scheme', 'X-Scheme'].map((n) => [n, 'https'] as const),
      ...[
        'Remote-User',
        'X-Forwarded-User',
        'X-Remote-User',
        'X-Auth-Request-User',
        'REMOTE_USER',
      ].map((name) => [name, 'bob'] as const),
      ...['Connection', 'Connexion'].map((n) => [n, 'close, Cookie, X-Forwarded-For'] as const),
      ...[
        'Basic Ym9iOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==',
        'Bearer x',
        'Basic',
        'Digest',
        '',
        'Basic !',
      ].map((value) => ['Authorization', value] as const),
      ['Transfer-Encoding', ',chunked'],
      ['Content-Length', '-1'],
      ['X-Sallyport-User', 'bob'],
      ['__proto__', 'x'],
      ['constructor', 'x'],
    ]
    const wanted = ['/admin/x', '/anything'].flatMap((target) =>
      headers.map((header) => ({ target, headers: [header] })),
    )
    for (const from of ['127.0.0.1', STRANGER]) {
      const { reached, open } = await attack(gate, wanted, from)
      t.strictSame({ reached, open }, { reached: [], open: [] }, from)
    }
    const intern = addresses.map((name): Wanted => {
      const value = name === 'Forwarded' ? 'for=10.1.1.1' : '10.1.1.1'
      return { target: '/intern/x', headers: [[name, value]] }
    })
    t.strictSame((await attack(gate, intern, STRANGER)).reached, [], 'a network rule by hearsay')
    t.equal((await attack(gate, intern)).reached.length, 1, "by a trusted proxy's X-Forwarded-For")
    const two = await attack(gate, [
      { raw: 'GET / HTTP/1.1\r\nHost: app.example.com\r\nHost: open.example.com\r\n\r\n' },
      { raw: 'GET / HTTP/1.1\r\nHost:\r\n\r\n' },
      { raw: 'GET / HTTP/1.1\r\n\r\n' },
      { raw: 'GET / HTTP/1.0\r\n\r\n' },
      { raw: 'GET http://open.example.com/ HTTP/1.1\r\nHost: app.example.com\r\n\r\n' },
      ...[
        'evilapp.example.com',
        'app.example.com.evil',
        'x@open.example.com',
        'open.example.com/x',
      ].map((host) => ({ host })),
    ])
    t.strictSame([two.reached, two.open], [[], []])
  },
)

t.test('no cookie that is not a session opens anything (E1)', async (t) => {
  const cookie = await gate.signIn(bob)
  const token = cookie.slice(SESSION.length + 1)
  const other = await gate.signIn(bob)
  await gate.submit('/.sallyport/logout', {}, { cookie: other })
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. %'
  const mutants = new Set<string>()
  for (let at = 0; at < token.length; at++) {
    mutants
      .add(token.slice(0, at))
      .add(token.slice(at + 1))
      .add(token.slice(at) + token.slice(0, at))
    for (let i = 0; i < 50; i++) {
      const letter = letters[(i * 9 + at) % letters.length] ?? ''
      mutants.add(token.slice(0, at) + letter + token.slice(at + 1))
    }
  }
  for (const odd of [`${token}=`, ` ${token}`, `"${token}"`, token.toUpperCase()]) mutants.add(odd)
  mutants.delete(token)
  const values = [...mutants].map((value) => `${SESSION}=${value}`)
  const names = ['sallyport', '__Host-sallyport', `${SESSION}-device`, SESSION.toUpperCase(), '']
  const cookies = [
    ...values,
    other,
    ...names.map((name) => `${name}=${token}`),
    `${cookie.slice(0, -1)}; ${SESSION}=x`,
    `${SESSION}=${'x'.repeat(43)}; ${cookie}`,
    `${cookie}; ${SESSION}=`,
    Array.from({ length: 50 }, (_, i) => `${SESSION}=${i}`).join('; '),
    `${SESSION}=${'x'.repeat(8000)}`,
    `${SESSION}`,
    '=',
    `${SESSION}=__proto__; __proto__=1; constructor=2`,
  ]
  t.ok(cookies.length > 2000)
  const { reached, open } = await attack(
    gate,
    cookies.map((value) => ({ cookie: value })),
  )
  t.strictSame(reached, [])
  t.strictSame(open, [])
  t.equal(
    (await gate.ask({ cookie: `a=b; ${cookie}; c=d` })).status,
    200,
    'the session itself does',
  )
})

t.test('no upgrade opens anything (B5, D7, D8)', async (t) => {
  const spellings = spellingsOf('/admin/x').filter((path) => !path.startsWith('/public'))
  const targets = [...spellings.slice(0, 300), '/', '/denied/x']
  const wanted: Wanted[] = targets.map((target) => ({ target, headers: HANDSHAKE }))
  const odd: Wanted[] = [
    { headers: [...HANDSHAKE, ['Origin', 'https://app.example.com']] },
    { headers: [...HANDSHAKE, ['Cookie', `${SESSION}=x`]] },
    ...['websocket', 'h2c, websocket', 'TLS/1.2'].map((name) => ({
      headers: [
        ['Connection', 'Upgrade'],
        ['Upgrade', name],
      ] as const,
    })),
    { target: '/.sallyport/check/caddy', headers: HANDSHAKE, host: 'app.example.com' },
    {
      headers: [
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
      ],
    },
    { raw: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
    {
      raw: 'CONNECT app.example.com:443 HTTP/1.1\r\nHost: app.example.com\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    },
  ]
  const { reached, answers } = await attack(gate, [...wanted, ...odd], STRANGER)
  t.strictSame(reached, [])
  t.notOk(answers.some((answer) => answer?.status === 101))
})

t.test('and an honest browser is served meanwhile', async (t) => {
  const browser = createBrowser({ route: () => ({ port: gate.sallyport().port, tls: false }) })
  const page = await browser.open('https://app.example.com/anything', { follow: true })
  t.equal(page.url.href.split('?')[0], 'https://auth.example.com/.sallyport/login')
  t.match(page.text, 'app.example.com')
})
