import t from 'tap'
import { foldHeaderName } from '../../src/lib/header-families.ts'
import type { RecordedRequest } from '../support/echo-app.ts'
import { addPerson } from '../support/people.ts'
import { addBob, HANDSHAKE, STRANGER, startGate, type Wanted } from './gate.ts'

/** Which names of headers get past the proxy, and that none of them can be taken for ours. */
const RULES = '[{path: /public/**, policy: public}, {policy: one_factor}]'
const gate = await startGate({
  apps: `
  - name: renamed
    host: renamed.example.com
    upstream: {{app}}
    headers: {user: x-whoami, groups: x-Team, name: Full-Name, email: x-mail}
    rules: ${RULES}
  - name: lenient
    host: lenient.example.com
    upstream: {{app}}
    allow_headers: [X_Tenant, X.Api.Key]
    rules: ${RULES}
  - name: asked-renamed
    host: asked-renamed.example.com
    headers: {user: x-whoami, groups: x-Team, name: Full-Name, email: x-mail}
    rules: ${RULES}
`,
})
t.teardown(() => gate[Symbol.asyncDispose]())
const { app } = gate
const cookie = await gate.signIn(await addBob(gate))

const BOBS = ['bob', 'staff', 'Bob B.', 'bob@example.com']
const DEFAULTS = ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email']
const RENAMED = ['x-whoami', 'x-Team', 'Full-Name', 'x-mail']
const UPGRADE = [...HANDSHAKE, ['Origin', 'https://app.example.com']] as const
/** As a plain request and as an upgrade. */
const WAYS = [[], UPGRADE] as const

/** Everything under a name, in all spellings that an app may fold into it. */
function folded(request: RecordedRequest, name: string): readonly string[] {
  return request.rawHeaders.filter(
    (_, i) =>
      i % 2 === 1 && foldHeaderName(request.rawHeaders[i - 1] ?? '') === foldHeaderName(name),
  )
}
const namesOf = (request: RecordedRequest) => request.rawHeaders.filter((_, i) => i % 2 === 0)
const fromHost = (host: string, fields: Wanted['headers'] = []) =>
  fields.map(([name, value]) =>
    name === 'Origin' ? ([name, `https://${host}`] as const) : ([name, value] as const),
  )

async function send(wanted: readonly Wanted[]) {
  app.reset()
  return gate.askAll(wanted)
}

t.test(
  'Connection and aliases of identity headers together take nothing away (A3, A8, A9, A22)',
  async (t) => {
    const aliases = (name: string) => [
      name,
      name.toUpperCase(),
      name.toLowerCase(),
      name.replaceAll('-', '_'),
      name.toUpperCase().replaceAll('-', '_'),
      name.replaceAll('-', '.'),
      name.replaceAll('-', '~'),
    ]
    const wanted = DEFAULTS.flatMap(aliases).flatMap((alias) =>
      [alias, DEFAULTS.join(', '), DEFAULTS.flatMap(aliases).join(',')].flatMap((nominated) =>
        WAYS.map(
          (way): Wanted => ({
            cookie,
            headers: [
              ...way,
              ['Connection', `close, ${nominated}, X-Forwarded-For, Cookie, Content-Length`],
              [alias, 'evil'],
              ['connection', 'X-Forwarded-Proto, Host'],
              [alias, 'evil'],
            ],
          }),
        ),
      ),
    )
    await send(wanted)
    t.equal(app.requests.length, wanted.length)
    for (const request of app.requests) {
      t.strictSame(
        DEFAULTS.map((name) => folded(request, name)),
        BOBS.map((value) => [value]),
      )
      t.strictSame(request.all('x-forwarded-for'), ['127.0.0.1'])
      t.strictSame(request.all('x-forwarded-proto'), ['https'])
      t.notMatch(request.rawHeaders.join(), /evil/)
    }
  },
)

t.test('a header name in another case than configured is the same header (A11, A18)', async (t) => {
  const spelled = RENAMED.flatMap((name) => [
    name,
    name.toUpperCase(),
    name.toLowerCase(),
    name.replaceAll('-', '_'),
    name.replaceAll('-', '.'),
  ])
  const host = 'renamed.example.com'
  const wanted = spelled.flatMap((name) =>
    WAYS.map(
      (way): Wanted => ({
        host,
        cookie,
        headers: [...fromHost(host, way), [name, 'evil'], [name, 'evil']],
      }),
    ),
  )
  await send([...wanted, { host, target: '/public/x', headers: [['X-Whoami', 'evil']] }])
  t.equal(app.requests.length, wanted.length + 1)
  const nobody = app.requests.find(({ url }) => url === '/public/x')
  for (const request of app.requests) {
    t.strictSame(
      RENAMED.map((name) => folded(request, name)),
      BOBS.map((value) => [request === nobody ? '' : value]),
    )
    t.ok(
      RENAMED.every((name) => namesOf(request).includes(name)),
      'spelled as configured',
    )
    t.notMatch(request.rawHeaders.join(), /evil/)
  }
  const allowed = await gate.ask({
    target: '/.sallyport/check/caddy',
    cookie,
    headers: [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'asked-renamed.example.com'],
      ['X-Forwarded-Uri', '/x'],
      ['X-Forwarded-For', '192.0.2.7'],
      ['X-WHOAMI', 'evil'],
      ['x_whoami', 'evil'],
    ],
  })
  t.strictSame(
    RENAMED.map((name) => allowed.all(name)),
    BOBS.map((value) => [value]),
  )
})

t.test('who has no groups and no address has none, whatever the client says (A5)', async (t) => {
  const carol = await gate.signIn(await addPerson(gate.dataDir, 'carol', { totp: false }))
  const forged = ['Remote-Groups', 'Remote-Email'].flatMap((name) => [
    [name, 'admins'] as const,
    [name.replaceAll('-', '_'), 'admins'] as const,
  ])
  await send(WAYS.map((way) => ({ cookie: carol, headers: [...way, ...forged] })))
  t.equal(app.requests.length, 2)
  for (const request of app.requests) {
    t.strictSame(
      DEFAULTS.map((name) => folded(request, name)),
      [['carol'], [''], ['carol'], ['']],
    )
  }
})

t.test('a name of any letters arrives whole and in one line, in both modes (A19)', async (t) => {
  const displayName = 'Zoë "Œuvré", 100 % 名前 😀'
  const groups = ['role:a_b.c', 'équipe/dev']
  const person = await addPerson(gate.dataDir, 'zoé', { displayName, groups, totp: false })
  const zoe = await gate.signIn(person)
  await send(WAYS.map((way) => ({ cookie: zoe, headers: way })))
  const told = app.requests.map((one) => DEFAULTS.map((name) => folded(one, name)))
  const asked = await gate.ask({
    target: '/.sallyport/check/nginx',
    cookie: zoe,
    headers: [
      ['X-Original-Method', 'GET'],
      ['X-Original-URL', 'https://asked.example.com/x'],
      ['X-Forwarded-For', '192.0.2.7'],
    ],
  })
  for (const four of [...told, DEFAULTS.map((name) => asked.all(name))]) {
    t.ok(four.flat().every((value) => /^[ -~]*$/.test(value)))
    const [user, list, name] = four.map(([value = '']) => value)
    t.equal(decodeURIComponent(user ?? ''), 'zoé')
    t.strictSame(list?.split(',').map(decodeURIComponent), groups)
    t.equal(decodeURIComponent(name ?? ''), displayName)
  }
  t.equal(told.length, 2)
})

t.test('names beyond letters, digits and dashes are dropped unless allowed (A3, A4)', async (t) => {
  const odd = [..."_.~!#$%&'*+^`|"].map((mark) => `X${mark}Tenant`)
  const harmless = ['X-Tenant', 'x-tenant-2', 'Accept', 'DNT']
  const all: Wanted['headers'] = [...odd, ...harmless, '_X', 'X_', 'X.Api.Key'].map((name) => [
    name,
    `<${name}>`,
  ])
  const hosts = ['app.example.com', 'lenient.example.com']
  for (const host of hosts) {
    const fields = WAYS.map(
      (way): Wanted => ({
        host,
        cookie,
        headers: [...fromHost(host, way), ...all, ['x_TENANT', '<again>']],
      }),
    )
    await send(fields)
    t.equal(app.requests.length, 2)
    const opened = host.startsWith('lenient') ? ['X_Tenant', 'x_TENANT', 'X.Api.Key'] : []
    for (const request of app.requests) {
      const kept = namesOf(request).filter((_, i) => /^</.test(request.rawHeaders[i * 2 + 1] ?? ''))
      t.strictSame(kept.toSorted(), [...harmless, ...opened].toSorted(), host)
    }
  }
  const evil = ['Remote_User', 'Remote.Groups', 'X_Forwarded_For', 'Content_Length', 'X_Request_Id']
  await send([
    {
      host: 'lenient.example.com',
      cookie,
      headers: evil.map((name) => [name, 'evil'] as const),
    },
  ])
  t.notMatch(app.last().rawHeaders.join(), /evil/, 'what is allowed opens nothing else')
})

t.test('scheme and host are the configured ones, whoever says otherwise (A12, A13)', async (t) => {
  const page = [
    ['Accept', 'text/html'],
    ['Sec-Fetch-Mode', 'navigate'],
    ['Sec-Fetch-Dest', 'document'],
  ] as const
  const lies = [
    ...['X-Forwarded-Proto', 'X-Forwarded-Scheme', 'X-Url-Scheme'].map((n) => [n, 'http'] as const),
    ...['X-Forwarded-Host', 'X-Host', 'X-Forwarded-Server'].map(
      (n) => [n, 'evil.example'] as const,
    ),
    ['X-Forwarded-Port', '6666'] as const,
    ['Forwarded', 'for=1.2.3.4;host=evil.example;proto=http'] as const,
  ]
  for (const from of ['127.0.0.1', STRANGER]) {
    const answer = await gate.ask({ target: '/x', from, headers: [...page, ...lies] })
    t.match(answer.header('location'), /^https:\/\/auth\.example\.com\/\.sallyport\/login\?rt=/)
    const [, ticket = ''] = /rt=([\w-]+)/.exec(answer.header('location') ?? '') ?? []
    const told = Buffer.from(ticket, 'base64url').toString('latin1')
    t.notMatch(answer.headers.join() + told, /evil|6666|http:/)
    const form = { username: 'bob', password: 'correct horse battery' }
    const login = await gate.submit('/.sallyport/login', form, { from, headers: lies })
    t.equal(login.status, 303, 'the origin of a form is held against the configured one')
    t.match(login.all('set-cookie').join(), /; Secure/)
    await send([{ cookie, from, headers: lies }])
    t.strictSame(app.last().all('x-forwarded-proto'), ['https'])
    t.strictSame(app.last().all('x-forwarded-host'), ['app.example.com'])
  }
})
