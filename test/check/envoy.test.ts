import t from 'tap'
import { addBob, HANDSHAKE, STRANGER, startGate, type Wanted } from '../attacks/gate.ts'
import { meaningsOf, spellingsOf } from '../attacks/spellings.ts'

/** Envoy's `ext_authz` by its documentation: the request itself, behind our prefix. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)

const PREFIX = '/.sallyport/check/envoy'
const ADDED = [
  ['Content-Length', '0'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-For', '192.0.2.7,127.0.0.1'],
  ['Sallyport-Client', '192.0.2.7'],
] as const
const PAGE = [
  ['Accept', 'text/html'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
] as const

function ask(path: string, more: Wanted = {}): Wanted {
  const { headers = [], ...rest } = more
  return {
    target: `${PREFIX}${path}`,
    host: 'asked.example.com',
    headers: [...ADDED, ...headers],
    ...rest,
  }
}
const isClosed = (path: string) => /^\/(?:admin|denied)(?:\/|$)|^\/secret$/.test(path)

t.test('an allow is exactly 200, with the whole identity and nothing else', async (t) => {
  const [known, open] = await gate.askAll([ask('/x', { cookie }), ask('/public/x')])
  t.equal(known?.status, 200)
  t.equal(known?.text, '')
  t.strictSame(known?.all('remote-user'), ['bob'])
  t.strictSame(known?.all('remote-groups'), ['staff'])
  t.equal(open?.status, 200)
  for (const part of ['user', 'groups', 'name', 'email']) {
    t.strictSame(open?.all(`remote-${part}`), [''], part)
  }
})

t.test('every method is judged as the one that was asked with, its body ignored', async (t) => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']
  const answers = await gate.askAll(methods.map((method) => ask('/x', { method, cookie })))
  t.strictSame(
    answers.map((answer) => answer?.status),
    methods.map(() => 200),
  )
  const readOnly = await gate.askAll(methods.map((method) => ask('/read-only', { method })))
  t.strictSame(
    readOnly.map((answer) => answer?.status === 200),
    methods.map((method) => method === 'GET' || method === 'HEAD'),
    'a rule for GET opens nothing else',
  )
  t.equal((await gate.ask(ask('/x', { method: 'TRACE', cookie }))).status, 405)
  const head = [`POST ${PREFIX}/x HTTP/1.1`, 'Host: asked.example.com', `Cookie: ${cookie}`]
  const rest = ADDED.filter(([name]) => name !== 'Content-Length').map((field) => field.join(': '))
  const raw = [...head, ...rest, 'Transfer-Encoding: chunked', '', '3', 'abc', '0', '', ''].join(
    '\r\n',
  )
  t.equal((await gate.ask({ raw })).status, 200)
})

t.test('a refusal is one that Envoy passes on', async (t) => {
  const answers = await gate.askAll([
    ask('/x?a=1&rd=https://evil.example', { headers: PAGE }),
    ask('/x', {}),
    ask('/denied/x', { headers: PAGE }),
    ask('/%2e%2e/x', { headers: PAGE }),
    ask('/x', { host: 'evil.example', headers: PAGE }),
    ask('/x', { method: 'POST', headers: [...PAGE, ['Sec-Fetch-Site', 'same-origin']] }),
  ])
  t.strictSame(
    answers.map((answer) => answer?.status),
    [302, 401, 403, 400, 404, 401],
  )
  t.match(answers[0]?.header('location'), /^https:\/\/auth\.example\.com\/\.sallyport\/login\?rt=/)
  t.match(answers[1]?.header('content-type'), 'application/problem+json')
})

t.test('the path behind the prefix has one reading, and is never ours', async (t) => {
  const host = 'asked-open.example.com'
  const targets = ['/admin/x', '/secret'].flatMap((path) => spellingsOf(path))
  const answers = await gate.askAll(targets.map((target) => ask(target, { host })))
  const allowed = targets.filter((_, i) => (answers[i]?.status ?? 400) < 300)
  t.ok(allowed.length > 20)
  t.strictSame(
    allowed.filter((target) => [...meaningsOf(target)].some(isClosed)),
    [],
  )
  const paths = ['/page', '/livez', '/.sallyport/livez', '/.sallyport/check/envoy/public/x']
  const own = await gate.askAll(paths.map((path) => ask(path)))
  t.strictSame(
    own.map((answer) => answer?.status),
    paths.map(() => 401),
    'what Envoy asks about is the path of an app',
  )
  const others = ['', '?x=/public/x', '*', 'x/public/x', ';/public/x', '%2fpublic/x', '//../x']
  const strange = await gate.askAll(others.map((path) => ask(path, { cookie })))
  t.ok(
    strange.every((answer) => answer !== undefined && answer.status >= 300),
    strange.map((answer) => answer?.status).join(),
  )
  const twice = await gate.ask(ask('/public/%2561', { cookie }))
  t.equal(twice.status, 400, 'encoded twice, not decoded once')
  const page = await gate.ask(ask('/a%41%7e?x=%20&y=%41', { headers: PAGE }))
  const ticket = new URL(page.header('location') ?? '').searchParams.get('rt') ?? ''
  const back = Buffer.from(ticket.split('.')[0] ?? '', 'base64url').toString()
  t.ok(back.endsWith('/a%41%7e?x=%20&y=%41'), back)
  const shouted = await gate.ask({
    ...ask('/public/x'),
    target: '/.sallyport/CHECK/envoy/public/x',
  })
  t.ok(shouted.status >= 300)
})

t.test('what Envoy adds must be there, once, from a trusted network (A1, A6, A16)', async (t) => {
  const fields = ADDED.filter(([name]) => name !== 'Content-Length')
  const wanted = fields.flatMap(([name, value]) => {
    const others = fields.filter(([other]) => other !== name)
    const instead: readonly (readonly (readonly [string, string])[])[] = [
      [],
      [[name, '']],
      [
        [name, value],
        [name, value],
      ],
      [[name.replaceAll('-', '_'), value]],
    ]
    return instead.map((fault) => ({ ...ask('/public/x'), headers: [...others, ...fault] }))
  })
  const answers = await gate.askAll(wanted)
  t.strictSame(
    answers.map((answer) => answer?.status),
    wanted.map(() => 400),
  )
  t.equal((await gate.ask({ ...ask('/public/x'), from: STRANGER })).status, 401)
})

t.test('a visitor whose address does not follow from X-Forwarded-For is nobody', async (t) => {
  const told = (forwardedFor: string, client: string) =>
    gate.ask({
      ...ask('/public/x'),
      headers: [
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-For', forwardedFor],
        ['Sallyport-Client', client],
      ],
    })
  t.equal((await told('192.0.2.7', '192.0.2.7')).status, 200)
  const untrusted = await told('192.0.2.7,198.51.100.1', '192.0.2.7')
  t.equal(untrusted.status, 400, "Envoy's own address is not trusted")
  t.match(untrusted.text, 'trusted_proxies')
  t.equal((await told('192.0.2.8', '192.0.2.7')).status, 400, 'said by a client')
  const rule = ask('/intern/x', {})
  const inside = { ...rule, headers: rule.headers?.map(([n]) => [n, '10.1.1.1'] as const) ?? [] }
  t.not((await gate.ask(inside)).status, 200)
})

t.test("a WebSocket is seen, and another site's page opens none (D8)", async (t) => {
  const upgrade = HANDSHAKE.filter(([name]) => name !== 'Connection')
  const opened = (origin: string, fields: Wanted['headers'] = upgrade) =>
    ask('/x', { cookie, headers: [...(fields ?? []), ['Origin', origin]] })
  const answers = await gate.askAll([
    opened('https://asked.example.com'),
    opened('https://evil.example'),
    opened('https://asked.example.com', HANDSHAKE),
    opened('null', HANDSHAKE),
  ])
  t.strictSame(
    answers.map((answer) => answer?.status),
    [200, 403, 200, 403],
  )
})
