import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createCollector } from '../../src/csp/collector.ts'
import { type ReportFormat, readReports } from '../../src/csp/read-reports.ts'
import { type ReportBody, readReportBody } from '../../src/csp/report-body.ts'
import type { Violation } from '../../src/csp/violation.ts'
import type { Harvest } from '../../src/csp/violation-store.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { openRaw } from '../support/raw-http.ts'
import { tempDir } from '../support/temp-dir.ts'

const PAGE = 'https://app.example/deep/page?token=secret#frag'

const single = (report: object) =>
  read('application/csp-report', {
    'csp-report': {
      'document-uri': PAGE,
      'effective-directive': 'img-src',
      'blocked-uri': 'https://cdn.example/x.png?secret',
      ...report,
    },
  })

const batch = (...bodies: readonly object[]) =>
  read(
    'application/reports+json',
    bodies.map((body) => ({
      type: 'csp-violation',
      age: 1,
      url: PAGE,
      body: {
        documentURL: PAGE,
        effectiveDirective: 'img-src',
        blockedURL: 'https://cdn.example/x.png?secret',
        sample: 'secret',
        ...body,
      },
    })),
  )

function read(format: ReportFormat, json: unknown) {
  const reading = readReports(format, JSON.stringify(json))
  if (reading.kind === 'malformed') throw new Error('malformed')
  return reading.violations
}

t.test('readReports() keeps directive, origin and path, and nothing else', async (t) => {
  const expected = [
    {
      host: 'app.example',
      disposition: undefined,
      violation: { directive: 'img-src', blocked: 'https://cdn.example', page: '/deep/page' },
    },
  ]
  t.strictSame(single({ 'script-sample': 'secret', referrer: 'https://secret.example' }), expected)
  t.strictSame(batch({}), expected)
  for (const disposition of ['report', 'enforce'] as const) {
    t.strictSame(single({ disposition }), [{ ...expected[0], disposition }])
    t.strictSame(batch({ disposition }), [{ ...expected[0], disposition }])
  }
  t.strictSame(batch({}, {}), [...expected, ...expected])
  t.strictSame(
    single({ 'effective-directive': undefined, 'violated-directive': "img-src 'self' data:" }),
    expected,
    'as CSP2 names the directive',
  )
})

t.test('readReports() names what was blocked', async (t) => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['inline', 'inline'],
    ['eval', 'eval'],
    ['wasm-eval', 'wasm-eval'],
    ['data', 'data'],
    ['data:image/png;base64,secret', 'data'],
    ['blob:https://other.example/uuid', 'blob'],
    ['https://app.example/own.png', 'self'],
    ['http://app.example/own.png', 'http://app.example'],
    ['wss://app.example/comms', 'wss://app.example'],
    ['HTTPS://CDN.Example:443/x', 'https://cdn.example'],
    ['https://user:pass@cdn.example:8443/x', 'https://cdn.example:8443'],
    ['chrome-extension://abcdef/x.js', undefined],
    ['trusted-types-sink', undefined],
    ['about', undefined],
    ['javascript:alert(1)', undefined],
    ['https://[::1]/x', undefined],
    ['//cdn.example', undefined],
    ['', undefined],
    ['constructor', undefined],
  ]
  for (const [text, blocked] of rows) {
    for (const found of [single({ 'blocked-uri': text }), batch({ blockedURL: text })]) {
      t.equal(found[0]?.violation.blocked, blocked, text)
    }
  }
})

t.test('readReports() leaves out what no policy could be changed for', async (t) => {
  for (const directive of ['sandbox', 'trusted-types', '', '__proto__', 'toString', '*']) {
    t.strictSame(single({ 'effective-directive': directive }), [], directive)
  }
  for (const page of ['', 'about:srcdoc', 'data', 'file:///etc/passwd', 'javascript:1', '/x']) {
    t.strictSame(single({ 'document-uri': page }), [], page)
  }
  for (const wrong of [1, null, {}, [], true]) {
    t.strictSame(single({ 'blocked-uri': wrong }), [], JSON.stringify(wrong))
  }
  t.strictSame(read('application/reports+json', [{ type: 'deprecation', body: {} }, {}]), [])
  t.equal(batch(...Array.from({ length: 500 }, () => ({}))).length, 100, 'of a batch, so many')
  const [long] = single({ 'document-uri': `https://app.example/${'a'.repeat(5000)}` })
  t.equal(long?.violation.page.length, 200)
})

t.test('readReports() reads hostile JSON in no time [D11] [J1]', async (t) => {
  const max = 64 * 1024
  const nested = (open: string) => open.repeat(Math.floor(max / open.length))
  const closed = '['.repeat(max / 2) + ']'.repeat(max / 2)
  const keys = `{${Array.from({ length: 6000 }, (_, i) => `"k${i}":1`).join()}}`
  const proto =
    '{"__proto__":{"csp-report":{"blocked-uri":"inline"}},"constructor":{"prototype":{"x":1}}}'
  const documents = [
    '',
    'null',
    '1',
    '"text"',
    '{}',
    '[1]',
    '[null]',
    '[[]]',
    '{"csp-report":[]}',
    '{"csp-report":null}',
    nested('['),
    nested('{"a":'),
    closed,
    keys,
    proto,
    `[${proto}]`,
    '\u0000',
    '{"csp-report":{}',
  ]
  for (const text of documents) {
    for (const format of ['application/csp-report', 'application/reports+json'] as const) {
      const before = performance.now()
      const reading = readReports(format, text)
      t.ok(performance.now() - before < 500, text.slice(0, 20))
      if (reading.kind === 'read') t.strictSame(reading.violations, [])
    }
  }
  t.equal(({} as Record<string, unknown>)['x'], undefined)
  t.equal(readReports('application/csp-report', proto).kind, 'malformed')
})

t.test('readReportBody() ends with a body, or with the reason why not', async (t) => {
  const outcomes: ReportBody[] = []
  const server = createServer(async (req, res) => {
    outcomes.push(await readReportBody(req, { max: 10, within: 200 }))
    res.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const send = async (body: string) => {
    using connection = await openRaw({ port })
    connection.send(`POST / HTTP/1.1\r\nHost: x\r\n${body}`)
    await connection.response()
  }
  await send('Content-Length: 10\r\n\r\n0123456789')
  await send('Content-Length: 11\r\n\r\n')
  await send('Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n')
  await send('Content-Length: 10\r\n\r\n012')
  using broken = await openRaw({ port })
  broken.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n012')
  const [request] = await Promise.all([new Promise((r) => server.once('request', r))])
  t.ok(request)
  broken.destroy()
  while (outcomes.length < 5) await new Promise((resolve) => setTimeout(resolve, 10))
  t.strictSame(
    outcomes.map(({ kind }) => kind),
    ['read', 'too_long', 'too_long', 'slow', 'cut'],
  )
  t.match(outcomes[0], { text: '0123456789' })
})

const violation = (blocked: string, change: Partial<Violation> = {}): Violation => ({
  directive: 'img-src',
  blocked,
  page: '/',
  ...change,
})

t.test(
  'createCollector() keeps what the store would not take, and no more than its room',
  async (t) => {
    const clock = fakeClock(1000)
    const taken: (readonly Harvest[])[] = []
    let broken = true
    const store = {
      add: async (harvest: readonly Harvest[]) => {
        if (broken) throw new Error('the store is out')
        taken.push(harvest)
      },
    }
    const collector = createCollector({ store, clock }, { kindsPerApp: 2 })
    collector.add('A', violation('https://a.example', { page: '/first' }))
    await t.rejects(collector.flush(), /out/)
    clock.advance(500)
    collector.add('A', violation('https://a.example', { page: '/second' }))
    collector.add('A', violation('https://b.example'))
    for (let i = 0; i < 1000; i += 1) collector.add('A', violation(`https://x${i}.example`))
    collector.add('B', violation('inline'))
    await t.rejects(collector.flush(), /out/)
    broken = false
    await Promise.all([collector.flush(), collector.flush()])
    await collector.flush()
    t.equal(taken.length, 1, 'nothing is brought twice')
    t.match(taken[0], [
      {
        app: 'A',
        dropped: 1000,
        violations: [
          { blocked: 'https://a.example', page: '/first', count: 2, firstAt: 1000, lastAt: 1500 },
          { blocked: 'https://b.example', count: 1 },
        ],
      },
      { app: 'B', dropped: 0, violations: [{ blocked: 'inline' }] },
    ])
  },
)

t.test('the store adds up what is seen again and counts what it has no room for', async (t) => {
  using dir = tempDir()
  await using store = await openSqlStore({ path: dir.at('a.db') })
  const { cspReports } = store
  const seen = (blocked: string, at: number, count = 1) => {
    return { ...violation(blocked, { page: `/${at}` }), count, firstAt: at, lastAt: at }
  }
  const add = (app: string, ...violations: readonly ReturnType<typeof seen>[]) =>
    cspReports.add([{ app, violations, dropped: 0 }], 2)
  t.strictSame(await cspReports.ofApp('A'), { violations: [], dropped: 0 })
  await add('A', seen('inline', 10), seen('eval', 20, 5))
  await add('A', seen('inline', 30, 2), seen('https://c.example', 30, 7))
  await add('B', seen('data', 30))
  t.match(await cspReports.ofApp('A'), {
    violations: [
      { blocked: 'eval', count: 5 },
      { blocked: 'inline', page: '/10', count: 3, firstAt: 10, lastAt: 30 },
    ],
    dropped: 7,
  })
  await cspReports.add([{ app: 'A', violations: [], dropped: 3 }], 2)
  t.equal((await cspReports.ofApp('A')).dropped, 10)
  t.equal(await cspReports.clear('A'), 2)
  t.strictSame(await cspReports.ofApp('A'), { violations: [], dropped: 0 })
  t.equal((await cspReports.ofApp('B')).violations.length, 1)
})
