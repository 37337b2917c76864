import assert from 'node:assert/strict'
import t from 'tap'
import { isOwnCookie } from '../../src/http/cookies.ts'
import { Secret } from '../../src/lib/secret.ts'
import { setsOwnCookie, withoutOwnCookies } from '../../src/proxy/cookies.ts'
import { createRequestHeaders, type RequestContext } from '../../src/proxy/request-headers.ts'
import { NAMES } from './wire.ts'

const context: RequestContext = {
  address: '192.0.2.7',
  scheme: 'https',
  host: 'wiki.example.fr',
  requestId: '7F3K-2Q9D',
  ours: false,
  identity: [
    ['Remote-User', 'bob'],
    ['Remote-Groups', ''],
    ['Remote-Name', 'Bob'],
    ['Remote-Email', ''],
  ],
}

const OURS = [
  'X-Forwarded-For',
  '192.0.2.7',
  'X-Forwarded-Proto',
  'https',
  'X-Forwarded-Host',
  'wiki.example.fr',
  'X-Real-IP',
  '192.0.2.7',
  'X-Request-Id',
  '7F3K-2Q9D',
]
const IDENTITY = context.identity.flat()

function build(raw: readonly string[], fixed: ReadonlyMap<string, Secret<string>> = new Map()) {
  return createRequestHeaders({ identity: NAMES, requestHeaders: fixed, isOwnCookie }).plain(
    raw,
    context,
  )
}

/** What of the client's fields got through. */
function kept(...raw: string[]): string[] {
  const { fields } = build(raw)
  assert.deepEqual(fields.slice(0, 2), ['Host', 'wiki.example.fr'])
  assert.deepEqual(fields.slice(-18), [...OURS, ...IDENTITY])
  return fields.slice(2, -18)
}

t.test(
  'plain() passes the client’s own fields on, spelling, order and repetition kept',
  async (t) => {
    const fields = [
      'ACCEPT',
      '*/*',
      'x-Custom',
      '1',
      'Authorization',
      'Basic eA==',
      'X-Custom',
      '2',
    ]
    t.strictSame(kept('Host', 'other', ...fields), fields)
  },
)

t.test('plain() leaves out every alias of an identity field (A3, A4)', async (t) => {
  const letters = ['Remote-User', 'Remote-Groups', 'X-Forwarded-User', 'X-Auth-Request-User']
  for (const name of letters) {
    for (const alias of [
      name,
      name.toUpperCase(),
      name.toLowerCase(),
      name.replaceAll('-', '_'),
      name.replace('-', '_'),
      name.replaceAll('-', '.'),
      name.replaceAll('-', '~'),
      name.replaceAll('-', '!'),
      `${name}\u0085`,
      name.replaceAll('e', '\u00e9'),
    ]) {
      t.strictSame(kept(alias, 'admin', 'Accept', '*/*'), ['Accept', '*/*'], alias)
    }
  }
})

t.test(
  'plain() passes allowed names with other characters on, and no alias of ours (A3)',
  async (t) => {
    const { plain, websocket } = createRequestHeaders({
      identity: { ...NAMES, user: 'X-Who' },
      requestHeaders: new Map([['X-Key', new Secret('k')]]),
      isOwnCookie,
      allowed: ['X_Tenant', 'x.api_key', 'X_Who', 'Remote_User', 'X_Key', 'X_Forwarded_For'].concat(
        ['Transfer_Encoding', 'Content_Length', 'Keep_Alive', 'X_Request_Id', 'X_Real.IP'],
      ),
    })
    const raw = [
      ...['X_Tenant', '1', 'x_TENANT', '2', 'X.Api_Key', '3', 'X_Tenant_', 'no', 'X.Tenant', 'no'],
      ...[
        'X_Who',
        'no',
        'x_who',
        'no',
        'Remote_User',
        'no',
        'X_Key',
        'no',
        'X_Forwarded_For',
        'no',
      ],
      ...[
        'Transfer_Encoding',
        'no',
        'Content_Length',
        'no',
        'Keep_Alive',
        'no',
        'X_Request_Id',
        'no',
      ],
      ...['X_Real.IP', 'no', 'Connection', 'X.Api_Key'],
    ]
    for (const fields of [plain(raw, context).fields, websocket(raw, context)]) {
      t.strictSame(fields.slice(2, 6), ['X_Tenant', '1', 'x_TENANT', '2'])
      t.notOk(fields.includes('no') || fields.includes('3'))
    }
  },
)

t.test(
  'plain() leaves out everything that speaks for another hop, path, host or method',
  async (t) => {
    for (const name of [
      'Forwarded',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Port',
      'X-Forwarded-Uri',
      'X-Forwarded-Method',
      'X-Forwarded-Prefix',
      'X-Forwarded-Server',
      'X-Forwarded-Scheme',
      'X-Forwarded-Ssl',
      'X-Forwarded-By',
      'X-Forwarded',
      'X-Original-URL',
      'X-Original-URI',
      'X-Original-Method',
      'X-Original-Host',
      'X-Rewrite-URL',
      'X-Real-IP',
      'Client-IP',
      'True-Client-IP',
      'CF-Connecting-IP',
      'X-Client-IP',
      'X-Cluster-Client-IP',
      'X-Scheme',
      'X-Url-Scheme',
      'X-Host',
      'X-HTTP-Method',
      'X-HTTP-Method-Override',
      'X-Method-Override',
      'Front-End-Https',
      'Proxy',
      'X-Request-Id',
      'X_Forwarded_For',
      'x_forwarded_proto',
      'x_original_url',
    ]) {
      t.strictSame(kept(name, 'x', name.toUpperCase(), 'x', name.toLowerCase(), 'x'), [], name)
    }
  },
)

t.test('plain() leaves out what belongs to the connection', async (t) => {
  for (const name of [
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'Proxy-Authenticate',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Expect',
  ]) {
    t.strictSame(kept(name, 'close'), [], name)
  }
})

t.test('plain() follows the client’s nominations, which never reach our own fields', async (t) => {
  const fields = kept(
    'Accept',
    '*/*',
    'Connection',
    'close, Remote-User, remote-groups, REMOTE-NAME, X-Forwarded-For, X-Real-Ip, Host, X-Secret',
    'X-Secret',
    '1',
    'connection',
    'Cookie,\tx-more , ,content-length',
    'x-MORE',
    '2',
    'Cookie',
    'a=1',
    'Content-Length',
    '3',
  )
  t.strictSame(fields, ['Accept', '*/*', 'Content-Length', '3'])
})

t.test('plain() names the framing and sends one Content-Length at most', async (t) => {
  t.equal(build(['Accept', '*/*']).framing, 'none')
  t.equal(build(['Content-Length', '0']).framing, 'none')
  t.equal(build(['content-length', '7']).framing, 'sized')
  const chunked = build(['Transfer-Encoding', ',chunked', 'Content-Length', '7'])
  t.equal(chunked.framing, 'chunked')
  t.notOk(chunked.fields.some((field) => field.toLowerCase() === 'content-length'))
  t.strictSame(kept('Content-Length', '7', 'content-length', '7'), ['Content-Length', '7'])
})

t.test('plain() takes our cookies out and keeps the others byte for byte', async (t) => {
  t.strictSame(kept('Cookie', 'a=1; __Host-sallyport=secret; b="x y"'), ['Cookie', 'a=1; b="x y"'])
  t.strictSame(kept('Cookie', '__Host-sallyport=secret'), [])
  t.strictSame(kept('Cookie', 'a=1', 'cookie', 'sallyport-form=2; c=3'), ['Cookie', 'a=1; c=3'])
})

t.test('withoutOwnCookies() reads names as a server does', async (t) => {
  const rest = (value: string) => withoutOwnCookies(value, isOwnCookie)
  for (const [value, expected] of [
    ['', ''],
    ['a=1;b=2;  c=3 ;', 'a=1;b=2;  c=3 ;'],
    ['__Host-sallyport=1;a=2', 'a=2'],
    ['a=2;__Host-sallyport=1', 'a=2'],
    ['a=2; __Host-sallyport =1', 'a=2'],
    ['a=2;\t__Host-sallyport=1;c', 'a=2;c'],
    ['=__Host-sallyport=1; a=2', 'a=2'],
    ['__Host-sallyport; a=2', 'a=2'],
    ['x__Host-sallyport=1', 'x__Host-sallyport=1'],
    ['sallyport=1; sallyport=2; sallyport=3', undefined],
    ['a=__Host-sallyport=1', 'a=__Host-sallyport=1'],
  ] as const) {
    t.equal(rest(value), expected, JSON.stringify(value))
  }
})

t.test('setsOwnCookie() sees through what browsers make of a name', async (t) => {
  for (const value of [
    '__Host-sallyport=x; Path=/',
    '__host-SALLYPORT=x',
    ' __Host-sallyport =x',
    '\t__Host-sallyport\t=x',
    '=__Host-sallyport=x',
    '= sallyport=x',
    'sallyport',
    'sallyport-form=x; Domain=example.fr',
  ]) {
    t.equal(setsOwnCookie(value, isOwnCookie), true, JSON.stringify(value))
  }
  for (const value of ['a=__Host-sallyport=x', 'sallyport2=x', '', 'a=b; sallyport=x']) {
    t.equal(setsOwnCookie(value, isOwnCookie), false, JSON.stringify(value))
  }
})

t.test(
  'createRequestHeaders() puts configured fields in the place of the client’s and ours',
  async (t) => {
    const fixed = new Map([
      ['authorization', new Secret('Basic c2VjcmV0')],
      ['X-Forwarded-Proto', new Secret('http')],
      ['X-Tenant', new Secret('a')],
    ])
    const { fields } = build(
      ['Authorization', 'Bearer mine', 'x-tenant', 'evil', 'X_Tenant', 'evil'],
      fixed,
    )
    t.strictSame(fields, [
      'Host',
      'wiki.example.fr',
      ...OURS.filter((field) => field !== 'X-Forwarded-Proto' && field !== 'https'),
      'authorization',
      'Basic c2VjcmV0',
      'X-Forwarded-Proto',
      'http',
      'X-Tenant',
      'a',
      ...IDENTITY,
    ])
  },
)

t.test(
  'createRequestHeaders() refuses fields that cannot be sent, and shows no value',
  async (t) => {
    for (const [name, value] of [
      ['Connection', 'x'],
      ['host', 'x'],
      ['Content-Length', '1'],
      ['Transfer-Encoding', 'chunked'],
      ['Upgrade', 'h2c'],
      ['remote-user', 'admin'],
      ['Remote_User', 'admin'],
      ['X Y', 'secret-value'],
      ['X-Y', 'secret-value\r\nX: 1'],
      ['X-Y', 'secret-value\u0100'],
    ] as const) {
      t.throws(() => build([], new Map([[name, new Secret(value)]])), { code: 'config_invalid' })
      try {
        build([], new Map([[name, new Secret(value)]]))
      } catch (error) {
        t.notMatch(String(error), /secret-value/)
      }
    }
  },
)

t.test('websocket() asks for the upgrade anew and passes the handshake on', async (t) => {
  const { websocket } = createRequestHeaders({
    identity: NAMES,
    requestHeaders: new Map(),
    isOwnCookie,
  })
  const fields = websocket(
    [
      'Connection',
      'Upgrade, Remote-User, HTTP2-Settings',
      'Upgrade',
      'websocket',
      'HTTP2-Settings',
      'AAMAAABkAAQAAP__',
      'Sec-WebSocket-Key',
      'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version',
      '13',
      'Remote_User',
      'admin',
      'Content-Length',
      '0',
    ],
    context,
  )
  t.strictSame(fields, [
    'Host',
    'wiki.example.fr',
    'Sec-WebSocket-Key',
    'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version',
    '13',
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
    ...OURS,
    ...IDENTITY,
  ])
})
