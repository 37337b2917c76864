import t from 'tap'
import type { RecordedRequest } from '../support/echo-app.ts'
import {
  type Answered,
  addBob,
  HANDSHAKE,
  SESSION,
  STRANGER,
  startGate,
  type Wanted,
} from './gate.ts'

/** What the app is told of who asks: exactly the session's person, whatever the client says. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const { app } = gate
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)

const OURS = ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email'] as const
const BOB = { user: 'bob', groups: 'staff', name: 'Bob B.', email: 'bob@example.com' }
const NOBODY = { user: '', groups: '', name: '', email: '' }

const NAMES: readonly string[] = [
  ...OURS,
  ...['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Groups', 'X-Remote-User', 'X-User'],
  ...['X-Auth-Request-User', 'X-Authentik-Username', 'X-WEBAUTH-USER', 'X-Authenticated-User'],
  ...[
    'X-Pomerium-Jwt-Assertion',
    'Cf-Access-Jwt-Assertion',
    'X-Amzn-Oidc-Identity',
    'Oidc-Claim-Sub',
  ],
]
const spelledLike = (name: string): readonly string[] => [
  name,
  name.toLowerCase(),
  name.toUpperCase(),
  name.replaceAll('-', '_'),
  name.replace('-', '_'),
  name.replaceAll('-', '.'),
  name.replaceAll('-', '~'),
  name.toUpperCase().replaceAll('-', '_'),
  `${name}\x20`,
  `${name}\t`,
  `\x20${name}`,
  `${name}\x85`,
  `${name}\xa0`,
  `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
  `${name}\0`,
]
const PUBLIC_INTO_BOTH = ['/anything', '/public/x']

/** What a CGI, WSGI or PHP app reads: names folded into variables, the last one winning. */
function folded(request: RecordedRequest): ReadonlyMap<string, readonly string[]> {
  const variables = new Map<string, string[]>()
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? '').toUpperCase().replace(/[^A-Z0-9]/g, '_')
    variables.set(name, [...(variables.get(name) ?? []), request.rawHeaders[i + 1] ?? ''])
  }
  return variables
}

/** The identity as such an app sees it; two values for one variable show as two. */
function identityOf(request: RecordedRequest) {
  const variables = folded(request)
  const read = (name: string) => variables.get(name)?.join(' AND ')
  return {
    user: read('REMOTE_USER'),
    groups: read('REMOTE_GROUPS'),
    name: read('REMOTE_NAME'),
    email: read('REMOTE_EMAIL'),
  }
}

const isPublic = ({ url }: RecordedRequest) => url.startsWith('/public/')

async function sendAll(wanted: readonly Wanted[], from?: string): Promise<readonly Answered[]> {
  app.reset()
  return gate.askAll(wanted, from)
}

t.test(
  'every spelling of every identity header is replaced by the truth (A3, A4, A18)',
  async (t) => {
    const wanted = NAMES.flatMap(spelledLike).flatMap((name) =>
      PUBLIC_INTO_BOTH.flatMap((target): Wanted[] => [
        { target, cookie, headers: [[name, 'evil']] },
        {
          target,
          cookie,
          headers: [
            [name, 'evil'],
            [name, 'evil'],
            ['Connection', `close, ${name}, Remote-User`],
          ],
        },
      ]),
    )
    for (const from of ['127.0.0.1', STRANGER]) {
      const answers = await sendAll(wanted, from)
      const refused = answers.filter((answer) => answer === undefined || answer.status === 400)
      t.equal(app.requests.length + refused.length, wanted.length, 'each is served or refused')
      t.ok(app.requests.length > wanted.length / 2)
      const told = app.requests.map((one) => [isPublic(one), identityOf(one)] as const)
      t.strictSame(
        told.filter(([open]) => !open).filter(([, is]) => !same(is, BOB)),
        [],
      )
      t.strictSame(
        told.filter(([open]) => open).filter(([, is]) => !same(is, NOBODY)),
        [],
      )
      const leaks = app.requests.filter((one) => one.rawHeaders.some((text) => /evil/i.test(text)))
      t.strictSame(
        leaks.map((one) => one.rawHeaders),
        [],
      )
      t.ok(app.requests.every((one) => OURS.every((name) => one.rawHeaders.includes(name))))
    }
  },
)

t.test('Connection cannot take away what the proxy says (A8, A9)', async (t) => {
  const told = ['Remote-User', 'Remote-Groups', 'X-Forwarded-For', 'X-Forwarded-Proto', 'Host']
  const lists = [
    ...told,
    ...told.map((name) => name.toLowerCase()),
    ...told.map((name) => name.toUpperCase()),
    ...told.map((name) => name.replaceAll('-', '_')),
    told.join(', '),
    `close,${told.join(',')}`,
    `keep-alive , ${told.join(' ,\t')}`,
    'Cookie, Content-Length, Transfer-Encoding, X-Request-Id',
    ', ,',
  ]
  await sendAll(
    lists.flatMap((value) => [
      { cookie, headers: [['Connection', value]] },
      {
        cookie,
        headers: [
          ['Connection', 'close'],
          ['connection', value],
        ],
      },
    ]),
  )
  t.equal(app.requests.length, lists.length * 2)
  for (const request of app.requests) {
    t.strictSame(identityOf(request), BOB)
    t.strictSame(request.all('x-forwarded-for'), ['127.0.0.1'])
    t.strictSame(request.all('x-forwarded-proto'), ['https'])
    t.strictSame(request.all('host'), ['app.example.com'])
  }
})

t.test('hearsay about path, host, method and address stays outside (A7, A14)', async (t) => {
  const names = [
    ...[
      'Forwarded',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Port',
    ],
    ...['X-Forwarded-Uri', 'X-Forwarded-Method', 'X-Forwarded-Prefix', 'X-Forwarded-Server'],
    ...[
      'X-Forwarded-Scheme',
      'X-Forwarded-Ssl',
      'X-Original-URL',
      'X-Original-URI',
      'X-Rewrite-URL',
    ],
    ...['X-Original-Method', 'X-Real-IP', 'Client-IP', 'True-Client-IP', 'CF-Connecting-IP'],
    ...['X-Scheme', 'X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method', 'Proxy'],
  ]
  const wanted = names.flatMap((name) =>
    [name, name.replaceAll('-', '_')].map(
      (spelled): Wanted => ({ cookie, headers: [[spelled, '6.6.6.6']] }),
    ),
  )
  await sendAll(wanted, STRANGER)
  t.equal(app.requests.length, wanted.length)
  const leaks = app.requests.filter((one) => one.rawHeaders.includes('6.6.6.6'))
  t.strictSame(
    leaks.map((one) => one.rawHeaders),
    [],
  )
  t.ok(app.requests.every((one) => one.all('x-forwarded-for').join() === STRANGER))
})

t.test('a trailer is not a header (A21)', async (t) => {
  const raw = [
    'POST /anything HTTP/1.1\r\nHost: app.example.com\r\n',
    `Cookie: ${cookie}\r\nTE: trailers\r\nTrailer: Remote-User\r\nTransfer-Encoding: chunked\r\n\r\n`,
    '5\r\nhello\r\n0\r\nRemote-User: evil\r\nRemote_User: evil\r\n\r\n',
  ].join('')
  const [answer] = await sendAll([{ raw }])
  t.equal(answer?.status, 200)
  const request = app.last()
  t.equal(request.body, 'hello')
  t.strictSame(identityOf(request), BOB)
  t.notMatch(request.rawHeaders.join(), /evil|trailer/i)
})

t.test('a WebSocket is told the same (A3, A4, A8, D8)', async (t) => {
  const handshake = [...HANDSHAKE, ['Connection', 'Remote-User, X-Forwarded-For']] as const
  const names = OURS.flatMap(spelledLike).filter((name) => /^[\w.-]+$/.test(name))
  const wanted = names.flatMap((name) =>
    PUBLIC_INTO_BOTH.map(
      (target): Wanted => ({
        target,
        cookie,
        headers: [...handshake, [name, 'evil'], ['Origin', 'https://app.example.com']],
      }),
    ),
  )
  const answers = await sendAll(wanted)
  t.ok(answers.every((answer) => answer?.status === 101))
  t.equal(app.requests.length, wanted.length)
  for (const request of app.requests) {
    t.ok(request.upgrade)
    t.strictSame(identityOf(request), isPublic(request) ? NOBODY : BOB)
    t.notMatch(request.rawHeaders.join(), /evil/)
    t.notMatch(request.all('cookie').join(), SESSION)
  }
  const origins = ['https://evil.example', 'null', 'http://app.example.com', '']
  const foreign = origins.map(
    (origin): Wanted => ({ cookie, headers: [...handshake, ['Origin', origin]] }),
  )
  const refused = await sendAll(foreign)
  t.strictSame(
    refused.map((answer) => answer?.status),
    origins.map(() => 403),
  )
  t.equal(app.requests.length, 0)
})

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
