import t from 'tap'
import { PORTAL, startGate, type Wanted } from '../attacks/gate.ts'
import type { RawResponse } from '../support/raw-http.ts'

/** What somebody without a session is answered, by what their client says it is doing (2.16). */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())

type Fields = readonly (readonly [string, string])[]
type Row = {
  readonly method?: string
  readonly headers: Fields
  readonly is: 'led on' | 'led to the front page' | 'page here' | 'framed' | 'problem'
}

const HTML = ['Accept', 'text/html,application/xhtml+xml,*/*;q=0.8'] as const
const mode = (mode: string, dest: string, site = 'same-origin'): Fields => [
  HTML,
  ['Sec-Fetch-Mode', mode],
  ['Sec-Fetch-Dest', dest],
  ['Sec-Fetch-Site', site],
]
const own = (host: string) => ['Origin', `https://${host}`] as const

/** One for each line of the table; `{host}` is the app's. */
const ROWS: Readonly<Record<string, Row>> = {
  'a link that is followed': { headers: mode('navigate', 'document'), is: 'led on' },
  'a link from another site': {
    headers: mode('navigate', 'document', 'cross-site'),
    is: 'led on',
  },
  'a page’s head': { method: 'HEAD', headers: mode('navigate', 'document'), is: 'led on' },
  'a form of the same origin': {
    method: 'POST',
    headers: mode('navigate', 'document'),
    is: 'page here',
  },
  'a form of another site': {
    method: 'POST',
    headers: mode('navigate', 'document', 'cross-site'),
    is: 'led to the front page',
  },
  'a page in a frame': { headers: mode('navigate', 'iframe'), is: 'framed' },
  'an embedded page': { headers: mode('navigate', 'embed'), is: 'framed' },
  'a script that reads': { headers: mode('cors', 'empty'), is: 'problem' },
  'a script that writes': { method: 'PUT', headers: mode('same-origin', 'empty'), is: 'problem' },
  'an image': { headers: mode('no-cors', 'image'), is: 'problem' },
  'a service worker': { headers: mode('same-origin', 'serviceworker'), is: 'problem' },
  'a preflight': {
    method: 'OPTIONS',
    headers: [...mode('cors', 'empty', 'cross-site'), ['Access-Control-Request-Method', 'PUT']],
    is: 'problem',
  },
  'an older browser': { headers: [HTML], is: 'led on' },
  'an older browser’s form': {
    method: 'POST',
    headers: [HTML, own('{host}')],
    is: 'page here',
  },
  'an older browser’s form of another site': {
    method: 'POST',
    headers: [HTML, own('evil.example')],
    is: 'led to the front page',
  },
  'a program': { headers: [['Accept', '*/*']], is: 'problem' },
  'a program that takes pages': {
    headers: [HTML, ['Authorization', 'Bearer x']],
    is: 'problem',
  },
  'an old script': { headers: [HTML, ['X-Requested-With', 'XMLHttpRequest']], is: 'problem' },
}

const TARGET = '/deep/page?x=1'

/** How each proxy puts the question; `nginx` shows what its second request is answered. */
const WAYS: Readonly<
  Record<string, { readonly host: string; readonly ask: (row: Row, headers: Fields) => Wanted }>
> = {
  proxy: {
    host: 'app.example.com',
    ask: ({ method = 'GET' }, headers) => ({ method, target: TARGET, headers }),
  },
  ...Object.fromEntries(
    ['caddy', 'traefik', 'haproxy'].map((name) => [
      name,
      {
        host: 'asked.example.com',
        ask: ({ method = 'GET' }: Row, headers: Fields) => ({
          target: `/.sallyport/check/${name}`,
          headers: [
            ...headers,
            ['X-Forwarded-Method', method],
            ['X-Forwarded-Proto', 'https'],
            ['X-Forwarded-Host', 'asked.example.com'],
            ['X-Forwarded-Uri', TARGET],
            ['X-Forwarded-For', '192.0.2.7'],
          ] as const,
        }),
      },
    ]),
  ),
  nginx: {
    host: 'asked.example.com',
    ask: ({ method = 'GET' }, headers) => ({
      target: '/.sallyport/check/nginx/page',
      headers: [
        ...headers,
        ['X-Original-Method', method],
        ['X-Original-URL', `https://asked.example.com${TARGET}`],
        ['X-Forwarded-For', '192.0.2.7'],
      ],
    }),
  },
  envoy: {
    host: 'asked.example.com',
    ask: ({ method = 'GET' }, headers) => ({
      method,
      host: 'asked.example.com',
      target: `/.sallyport/check/envoy${TARGET}`,
      headers: [
        ...headers,
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-For', '192.0.2.7'],
        ['Sallyport-Client', '192.0.2.7'],
      ],
    }),
  },
}

/** Where a ticket in an address leads. */
function returnsTo(address: string): string {
  const [body = ''] = (new URL(address).searchParams.get('rt') ?? '').split('.')
  return Buffer.from(body, 'base64url').toString().split(' ').slice(2).join(' ')
}

const LOGIN = `https://${PORTAL}/.sallyport/login`

function kindOf(answer: RawResponse, host: string): string {
  const { status } = answer
  const location = answer.header('location')
  if (location !== undefined) {
    if (!location.startsWith(`${LOGIN}?rt=`)) return `${status} ${location}`
    const to = returnsTo(location)
    if (status === 302 && to === `refused https://${host}${TARGET}`) return 'led on'
    if (status === 303 && to === `asked https://${host}/`) return 'led to the front page'
    return `${status} to ${to}`
  }
  const session = `Session login_uri="${LOGIN}"`
  if (status !== 401 || answer.header('www-authenticate') !== session) return `${status}`
  if (answer.header('content-type') === 'application/problem+json') {
    const { type, title, login_url, code, reference, ...rest } = JSON.parse(answer.text)
    const whole = [type, title, reference].every((part) => typeof part === 'string')
    const right = code === 'session_required' && login_url === LOGIN && rest.status === 401
    return whole && right ? 'problem' : answer.text
  }
  const link = /href="([^"]*\/login\?rt=[^"]*)"/.exec(answer.text)?.[1] ?? ''
  const to = returnsTo(link)
  const policy = answer.header('content-security-policy') ?? ''
  if (/target="_top"/.test(answer.text)) {
    const shown = policy.includes('frame-ancestors *') && !answer.header('x-frame-options')
    return shown && to === `asked https://${host}${TARGET}` ? 'framed' : `${policy} ${to}`
  }
  const here = /target="_blank"/.test(answer.text) && policy.includes("frame-ancestors 'none'")
  return here && to === `interrupted https://${host}${TARGET}` ? 'page here' : `${policy} ${to}`
}

for (const [name, row] of Object.entries(ROWS)) {
  t.test(`nobody is signed in: ${name}: ${row.is}, whoever asks`, async (t) => {
    for (const [way, { host, ask }] of Object.entries(WAYS)) {
      const headers = row.headers.map(
        ([field, value]) => [field, value.replace('{host}', host)] as const,
      )
      const answer = await gate.ask(ask(row, headers))
      t.equal(kindOf(answer, host), row.is, way)
      t.equal(answer.header('cache-control'), 'no-store', way)
    }
  })
}

t.test('nobody is signed in: a WebSocket: 401 before it is opened', async (t) => {
  const answer = await gate.ask({
    target: '/socket',
    headers: [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['Origin', 'https://app.example.com'],
    ],
  })
  t.equal(kindOf(answer, 'app.example.com'), 'problem')
  t.strictSame(gate.app.requests, [], 'and nothing of all this reached the app')
})
