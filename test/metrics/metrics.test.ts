import t from 'tap'
import { listenForAdmin } from '../../src/admin/admin-listener.ts'
import { createAdminRequests } from '../../src/admin/admin-requests.ts'
import { plainAnswer } from '../../src/http/answer.ts'
import { countLogins } from '../../src/metrics/login-attempts.ts'
import { createPrometheus } from '../../src/metrics/prometheus.ts'
import { createTally } from '../../src/metrics/tally.ts'
import { rawAnswer } from '../support/raw-http.ts'

t.test('createTally() counts by its labels and stays bounded', async (t) => {
  const tally = createTally(3)
  tally.add('a', 'b')
  tally.add('a', 'b')
  tally.add('a')
  tally.add('b', '', '', 5)
  for (let i = 0; i < 100; i++) tally.add(`more ${i}`)
  tally.add('a', 'b')
  const seen: unknown[] = []
  tally.each((labels, count) => seen.push([...labels, count]))
  t.strictSame(seen, [
    ['a', 'b', '', 3],
    ['a', '', '', 1],
    ['b', '', '', 5],
  ])
})

t.test('createPrometheus() tells what was counted, however often it is asked', async (t) => {
  const { metrics, scrape } = await createPrometheus({ version: '1.2.3', node: 'v26.0.0' })
  metrics.decided('Wiki "1"\n', 'allow', 'public')
  metrics.decided('Wiki "1"\n', 'allow', 'public')
  metrics.limited('default')
  for (const status of [0, 101, 200, 204, 301, 404, 503, 999]) metrics.proxied('Wiki', status)
  metrics.websocketOpened('Wiki')
  metrics.websocketOpened('Wiki')
  metrics.websocketClosed('Wiki')
  metrics.corsRefused('Wiki', 'origin')
  metrics.webhook('Wiki', 'replay')
  metrics.signatureChecked(0.0002)
  const count = countLogins(metrics)
  count({ event: 'auth.password', outcome: 'failure', reason: 'wrong' })
  count({ event: 'auth.totp', outcome: 'success' })
  count({ event: 'session.created', outcome: 'success' })

  await scrape()
  const { body, contentType } = await scrape()
  t.match(contentType, /^text\/plain; version=0\.0\.4/)
  for (const line of [
    'sallyport_build_info{version="1.2.3",node="v26.0.0"} 1',
    'sallyport_authz_decisions_total{app="Wiki \\"1\\"\\n",decision="allow",reason="public"} 2',
    'sallyport_ratelimit_hits_total{limit="default"} 1',
    'sallyport_proxy_requests_total{app="Wiki",code="none"} 2',
    'sallyport_proxy_requests_total{app="Wiki",code="1xx"} 1',
    'sallyport_proxy_requests_total{app="Wiki",code="2xx"} 2',
    'sallyport_proxy_requests_total{app="Wiki",code="5xx"} 1',
    'sallyport_proxy_websockets_active{app="Wiki"} 1',
    'sallyport_cors_refusals_total{app="Wiki",reason="origin"} 1',
    'sallyport_webhook_requests_total{app="Wiki",outcome="replay"} 1',
    'sallyport_webhook_signature_duration_seconds_bucket{le="0.0005"} 1',
    'sallyport_login_attempts_total{method="password",outcome="failure",reason="wrong"} 1',
    'sallyport_login_attempts_total{method="totp",outcome="success",reason="none"} 1',
  ]) {
    t.ok(body.split('\n').includes(line), line)
  }
  t.match(body, /^process_cpu_seconds_total /m)
  t.match(body, /^nodejs_eventloop_lag_seconds /m)
})

const ask = createAdminRequests(
  {
    scrape: async () => ({ contentType: 'text/plain', body: 'a 1\n' }),
    health: (path) => (path === '/readyz' ? Promise.resolve(plainAnswer(200, 'ok')) : undefined),
  },
  { hosts: ['sallyport.internal'] },
)
const statusOf = async (
  headers: Readonly<Record<string, string>>,
  target = '/metrics',
  method = 'GET',
) =>
  (await ask({ method, target, headers: Object.entries({ Host: 'localhost', ...headers }).flat() }))
    .status

t.test('createAdminRequests() is asked by address or a known name only (I6)', async (t) => {
  for (const host of [
    '127.0.0.1:9464',
    '[::1]:9464',
    'LOCALHOST',
    '10.0.0.7',
    'sallyport.internal:9464',
  ]) {
    t.equal(await statusOf({ Host: host }), 200, host)
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:9464',
    '127.0.0.1.nip.io',
    'x.sallyport.internal',
    '',
    'a b',
    '127.0.0.1@evil.example',
  ]) {
    t.equal(await statusOf({ Host: host }), 421, host)
    t.equal(await statusOf({ Host: host }, '/readyz'), 421, host)
  }
  t.equal((await ask({ method: 'GET', target: '/metrics', headers: [] })).status, 421)
  const twice = ['Host', 'localhost', 'host', 'localhost']
  t.equal((await ask({ method: 'GET', target: '/metrics', headers: twice })).status, 421)
})

t.test('createAdminRequests() refuses what a page makes a browser ask (I6)', async (t) => {
  const tab = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
  t.equal(await statusOf({ ...tab, 'Sec-Fetch-Site': 'none' }), 200, 'typed')
  t.equal(await statusOf({ ...tab, 'Sec-Fetch-Site': 'same-origin' }), 200)
  for (const site of ['cross-site', 'same-site', '']) {
    t.equal(await statusOf({ ...tab, 'Sec-Fetch-Site': site }), 403, site)
  }
  t.equal(await statusOf(tab), 403)
  for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket', 'Navigate', '']) {
    const made = { 'Sec-Fetch-Mode': mode, 'Sec-Fetch-Site': 'same-origin' }
    t.equal(await statusOf(made), 403, mode)
    t.equal(await statusOf(made, '/readyz'), 403, mode)
  }
  const framed = { ...tab, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'iframe' }
  t.equal(await statusOf(framed), 403)
  t.equal(await statusOf({ Origin: 'https://evil.example' }), 403, 'an older browser')
})

t.test('createAdminRequests() answers these paths and methods, and survives a fault', async (t) => {
  t.equal(await statusOf({}, '/metrics?x=1'), 200)
  t.equal(await statusOf({}, '/readyz'), 200)
  t.equal(await statusOf({}, '/metrics', 'HEAD'), 200)
  t.equal(await statusOf({}, '/metrics', 'POST'), 405)
  for (const path of [
    '/',
    '/metrics/',
    '//metrics',
    '/debug/pprof',
    '*',
    'http://localhost/metrics',
  ]) {
    t.equal(await statusOf({}, path), 404, path)
  }
  const broken = createAdminRequests(
    { scrape: () => Promise.reject(new Error('secret')), health: () => undefined },
    { hosts: [] },
  )
  const answer = await broken({ method: 'GET', target: '/metrics', headers: ['Host', '127.0.0.1'] })
  t.equal(answer.status, 500)
  t.notMatch(answer.body, 'secret')
})

t.test('listenForAdmin() answers over HTTP and says what stands in its way', async (t) => {
  const listener = await listenForAdmin(ask, { host: '127.0.0.1', port: 0 })
  t.teardown(listener.close)
  const port = Number(new URL(listener.url).port)
  const got = await rawAnswer({ port }, `GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  t.strictSame([got.status, got.text], [200, 'a 1\n'])
  await t.rejects(listenForAdmin(ask, { host: '127.0.0.1', port }), {
    code: 'listen_failed',
    message: /listen\.admin/,
  })
})
