import t from 'tap'
import { addBob, startGate, type Wanted } from './gate.ts'

/** What was judged is what is served: the same bytes, and the same verdict in both modes (O7). */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const { app } = gate
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)

/** mulberry32: the same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const WORDS = [
  ...['public', 'admin', 'denied', 'foo', 'bar', 'api', 'set', 'secret', 'strong', 'read-only'],
  ...['Admin', 'PUBLIC', 'x', 'a.b', '...', 'é', '%20', '%C3%A9', '%e2%82%ac', '%61dmin', '[', '|'],
  ...['a;b', ';', '~', "'", '!', '(*)', '$', ',', '=', '@', ':', '+', '%2B', '%25', '^', '`', '"'],
  ...['..', '.', '%2e', '%2f', '%5c', '\\', '%00', '%', '%zz', '#', '%23', '%3f', '', '', '{}'],
]
const QUERIES = [
  '',
  '',
  '',
  '?',
  '??',
  '?x=/public/',
  '?a=1&b=%20',
  '?/../admin',
  '?%00',
  '?%',
  '?é',
]

function randomTargets(count: number, seed: number): readonly string[] {
  const random = numbers(seed)
  const pick = (list: readonly string[]) => list[random(list.length)] ?? ''
  return Array.from({ length: count }, () => {
    const segments = Array.from({ length: 1 + random(5) }, () =>
      random(4) === 0 ? pick(WORDS) + pick(WORDS) : pick(WORDS),
    )
    return `/${segments.join('/')}${pick(QUERIES)}`
  })
}

const targets = randomTargets(2500, 20260105)

t.test('a target reaches the app byte for byte or not at all (B10, O7)', async (t) => {
  app.reset()
  const wanted = targets.map((target): Wanted => ({ target, cookie, host: 'open.example.com' }))
  const answers = await gate.askAll(wanted)
  // The app itself breaks off on some targets: what it saw of them counts.
  const served = targets.filter((_, i) => [200, 502].includes(answers[i]?.status ?? 0))
  t.ok(served.length > 500)
  t.strictSame(
    [...new Set(app.requests.map(({ url }) => url))].toSorted(),
    [...new Set(served)].toSorted(),
    'what was sent, no more and no less',
  )
  t.ok(app.requests.every((one) => one.method === 'GET' && one.all('host').length === 1))
})

t.test('proxy and forward-auth give the same verdict on every target (B10)', async (t) => {
  const verdict = (status: number | undefined) =>
    status === 200 || status === 502 ? 'allowed' : (status ?? 400)
  for (const [direct, asked] of [
    ['app', 'asked'],
    ['open', 'asked-open'],
  ]) {
    for (const known of [{}, { cookie }]) {
      const some = targets.slice(0, 500).filter((target) => /^[\x21-\x7e]+$/.test(target))
      const one = await gate.askAll(
        some.map((target) => ({ target, host: `${direct}.example.com`, ...known })),
      )
      const other = await gate.askAll(
        some.map((target) => ({
          target: '/.sallyport/check/caddy',
          headers: [
            ['X-Forwarded-Method', 'GET'],
            ['X-Forwarded-Proto', 'https'],
            ['X-Forwarded-Host', `${asked}.example.com`],
            ['X-Forwarded-Uri', target],
            ['X-Forwarded-For', '192.0.2.7'],
          ],
          ...known,
        })),
      )
      const differ = some.filter((_, i) => verdict(one[i]?.status) !== verdict(other[i]?.status))
      t.strictSame(differ, [], `${direct}, ${'cookie' in known ? 'bob' : 'nobody'}`)
    }
  }
})

t.test('every spelling of a host is the same host (B8)', async (t) => {
  const name = 'open'
  const cases = Array.from({ length: 2 ** name.length }, (_, bits) =>
    [...name].map((c, i) => ((bits >> i) & 1 ? c.toUpperCase() : c)).join(''),
  )
  const hosts = cases.flatMap((first) =>
    ['', '.', ':443', ':0443', '.:443'].map((end) => `${first}.Example.COM${end}`),
  )
  const closed = await gate.askAll(hosts.map((host) => ({ target: '/admin/x', host })))
  t.strictSame(new Set(closed.map((answer) => answer?.status)), new Set([401]))
  app.reset()
  const open = await gate.askAll(hosts.map((host) => ({ target: '/x', host })))
  t.strictSame(new Set(open.map((answer) => answer?.status)), new Set([200]))
  const told = new Set(app.requests.flatMap((one) => one.all('host')))
  t.strictSame(told, new Set(['open.example.com', 'open.example.com:443']), 'and told as such')
})

t.test('an upgrade that is not taken leaves nothing behind on the connection (D7)', async (t) => {
  const inner = 'GET /smuggled HTTP/1.1\r\nHost: open.example.com\r\n\r\n'
  const head = 'Host: open.example.com\r\nConnection: Upgrade, HTTP2-Settings\r\n'
  const settings = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
  app.reset()
  const [first] = await gate.askAll([
    {
      raw: `POST /x HTTP/1.1\r\n${head}${settings}Content-Length: ${inner.length}\r\n\r\n${inner}`,
    },
  ])
  t.equal(first?.header('connection'), 'close', 'no request can follow in the wrong place')
  t.strictSame(
    app.requests.map(({ url, body }) => [url, body]),
    [['/x', inner]],
  )
  t.strictSame(app.last().all('upgrade'), [])
  t.notMatch(app.last().rawHeaders.join(), /http2-settings/i)
})
