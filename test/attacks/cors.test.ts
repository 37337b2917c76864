import t from 'tap'
import { startCaddy } from '../support/caddy.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { freePort } from '../support/free-port.ts'
import { startNginx } from '../support/nginx.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson } from '../support/people.ts'
import { type RawResponse, rawAnswer } from '../support/raw-http.ts'
import { startSallyport } from '../support/sallyport.ts'

/** Pages of other origins through the whole program, in both modes. */
const FRONT = 'https://front.example.com'
const EVIL = 'https://evil.example'
const CORS = `{origins: ["${FRONT}"], methods: [PUT], headers: [Content-Type, X-Csrf], expose: [X-Total], credentials: true, max_age: 1h}`
const RULES =
  '[{path: /open/**, policy: public}, {path: /none/**, policy: deny}, {policy: one_factor}]'

const app = await startEchoApp()
const adminPort = await freePort()
const sallyport = await startSallyport({
  config: `
version: 1
portal: {url: "https://auth.example.com", cookie_domain: example.com}
listen: {http: "127.0.0.1:{{port}}", admin: "127.0.0.1:${adminPort}"}
trusted_proxies: ["127.0.0.1/32"]
store: "sqlite:{{data}}/sallyport.db"
limits: {auth: 9000/1m, default: 60/1m, session: 90000/1m}
log: {format: json, level: debug}
apps:
  - {name: Api, host: api.example.com, upstream: "${app.url}", cors: ${CORS}, rules: ${RULES}}
  - {name: Plain, host: plain.example.com, upstream: "${app.url}", rules: ${RULES}}
  - {name: Asked, host: asked.example.com, cors: ${CORS}, rules: ${RULES}}
  - {name: Gone, host: gone.example.com, upstream: "http://127.0.0.1:1", cors: ${CORS}, rules: [{policy: public}]}
`,
})
t.teardown(async () => {
  await sallyport.close()
  await app.close()
})

type Sent = {
  readonly method?: string
  readonly host?: string
  readonly path?: string
  readonly port?: number
  readonly headers?: Readonly<Record<string, string>>
}
/** Every test comes from an address of its own, so that none pays for another. */
let address = 10
const client = () => `192.0.2.${address}`
const send = ({ method = 'GET', path = '/open/x', port = sallyport.port, ...sent }: Sent) => {
  const { host = 'api.example.com', headers = {} } = sent
  const lines = Object.entries({ 'X-Forwarded-For': client(), ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return rawAnswer({ port }, `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${head}\r\n`, {
    patience: 30_000,
    bodyless: method === 'HEAD',
  })
}
const preflight = (origin: string, more: Sent = {}, method = 'PUT', asked = 'content-type') =>
  send({
    method: 'OPTIONS',
    path: '/secret',
    ...more,
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': asked,
      'Sec-Fetch-Mode': 'cors',
      ...more.headers,
    },
  })
const fetched = {
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Dest': 'empty',
  'Sec-Fetch-Site': 'same-site',
}
const grants = (answer: RawResponse) =>
  answer.headers.filter(([name]) => /^access-control-/i.test(name)).map(([name]) => name)
const readable = (t: Tap, answer: RawResponse, title: string) => {
  t.equal(answer.header('access-control-allow-origin'), FRONT, title)
  t.equal(answer.header('access-control-allow-credentials'), 'true', title)
  t.match(answer.all('vary').join(', '), /Origin/, title)
}
type Tap = { readonly equal: typeof t.equal; readonly match: typeof t.match }
const refusals = () =>
  sallyport.logs.filter((line) => line['event'] === 'cors.refused').map((line) => line['reason'])

t.test('a preflight of an allowed origin needs no session and never reaches the app', async (t) => {
  const before = app.requests.length
  const answer = await preflight(FRONT)
  t.equal(answer.status, 204)
  readable(t, answer, 'preflight')
  t.equal(answer.header('access-control-allow-methods'), 'GET, HEAD, POST, PUT')
  t.equal(answer.header('access-control-max-age'), '3600')
  t.equal(answer.header('content-length'), undefined)
  t.equal(app.requests.length, before)
})

t.test('a preflight of anybody else is refused, noted and told nothing', async (t) => {
  address++
  const seen = refusals().length
  const before = app.requests.length
  const cases: readonly (readonly [string, Promise<RawResponse>])[] = [
    ['origin', preflight(EVIL)],
    ['origin', preflight(`${FRONT}.evil.example`)],
    ['null_origin', preflight('null')],
    ['method', preflight(FRONT, {}, 'DELETE')],
    ['header', preflight(FRONT, {}, 'PUT', 'authorization')],
    ['origin', preflight(EVIL, { path: '/open/x' })],
  ]
  for (const [reason, sent] of cases) {
    const answer = await sent
    t.equal(answer.status, 403, reason)
    t.strictSame(grants(answer), [], reason)
  }
  await sallyport.untilLog(() => refusals().length >= seen + cases.length, 30_000)
  const noted = refusals().slice(seen).sort()
  t.strictSame(noted, cases.map(([reason]) => reason).sort())
  t.equal(app.requests.length, before)
})

t.test('B13 without a policy an OPTIONS is judged like any request', async (t) => {
  address++
  const before = app.requests.length
  const host = 'plain.example.com'
  t.equal((await preflight(FRONT, { host })).status, 401)
  t.equal((await preflight(FRONT, { host, path: '/none/x' })).status, 403)
  t.equal(app.requests.length, before, 'none reached the app')
  const open = await preflight(FRONT, { host, path: '/open/x' })
  t.equal(open.status, 200, 'a rule says so')
  t.equal(app.last().method, 'OPTIONS')
  t.equal((await send({ method: 'OPTIONS', path: '/secret' })).status, 401, 'no preflight')
  const halves = [{ Origin: FRONT }, { 'Access-Control-Request-Method': 'GET' }]
  for (const headers of halves) {
    t.equal((await send({ method: 'OPTIONS', path: '/secret', headers })).status, 401)
  }
})

t.test("the app's answers carry the policy in the place of its own", async (t) => {
  address++
  const set =
    '/set?Access-Control-Allow-Origin=*&Access-Control-Allow-Credentials=true&Vary=Accept&X-Total=3'
  const bob = await addPerson(sallyport.dataDir, 'bob', { totp: false })
  const login = await rawAnswer(
    { port: sallyport.port },
    [
      'POST /.sallyport/login HTTP/1.1',
      'Host: auth.example.com',
      'Origin: https://auth.example.com',
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${Buffer.byteLength(`username=bob&password=${encodeURIComponent(bob.password)}`)}`,
      '',
      `username=bob&password=${encodeURIComponent(bob.password)}`,
    ].join('\r\n'),
    { patience: 30_000 },
  )
  const cookie = login.header('set-cookie')?.split(';')[0] ?? ''
  t.match(cookie, /sallyport=/)
  const allowed = await send({ path: set, headers: { ...fetched, Origin: FRONT, Cookie: cookie } })
  t.equal(allowed.status, 200)
  readable(t, allowed, 'allowed')
  t.strictSame(allowed.all('access-control-allow-origin'), [FRONT])
  t.strictSame(allowed.all('vary'), ['Accept, Origin'])
  t.equal(allowed.header('access-control-expose-headers'), 'X-Total')

  const seen = refusals().length
  const foreign = await send({ path: set, headers: { ...fetched, Origin: EVIL, Cookie: cookie } })
  t.equal(foreign.status, 200)
  t.strictSame(grants(foreign), [], 'what the app would grant is gone')
  await sallyport.untilLog(() => refusals().length > seen, 30_000)
  const none = await send({ path: set, headers: { Cookie: cookie } })
  t.strictSame(grants(none), [])
  t.strictSame(none.all('vary'), ['Accept, Origin'], 'for caches')
  const form = { Origin: EVIL, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
  await send({ method: 'POST', headers: form })
  t.equal(refusals().length, seen + 1, 'a form of another site is no page that reads')
  const plain = await send({ path: set, host: 'plain.example.com', headers: { Cookie: cookie } })
  t.strictSame(plain.all('access-control-allow-origin'), ['*'], 'without a policy nothing changes')
})

t.test('refusals can be read by allowed pages, and by no others', async (t) => {
  address++
  const asking = { ...fetched, Origin: FRONT }
  const cases: readonly (readonly [number, Sent])[] = [
    [401, { path: '/secret' }],
    [403, { path: '/none/x' }],
    [400, { path: '/open/%2e%2e/x' }],
    [502, { host: 'gone.example.com' }],
    [404, { host: 'asked.example.com' }],
    [405, { method: 'TRACE' }],
  ]
  for (const [status, sent] of cases) {
    const answer = await send({ ...sent, headers: asking })
    t.equal(answer.status, status)
    readable(t, answer, String(status))
    if (status === 401) {
      t.equal(JSON.parse(answer.text).login_url, 'https://auth.example.com/.sallyport/login')
      t.match(answer.header('access-control-expose-headers'), /X-Total, WWW-Authenticate/)
    }
    const foreign = await send({ ...sent, headers: { ...asking, Origin: EVIL } })
    t.equal(foreign.status, status)
    t.strictSame(grants(foreign), [], `${status} for others`)
  }
  address++
  let limited: RawResponse | undefined
  for (let i = 0; i < 70 && limited === undefined; i++) {
    const answer = await send({ path: '/secret', headers: asking })
    if (answer.status === 429) limited = answer
  }
  t.equal(limited?.status, 429)
  if (limited !== undefined) readable(t, limited, '429')
  t.match(limited?.header('access-control-expose-headers'), /Retry-After/)
  t.equal((await preflight(FRONT)).status, 429, 'preflights are paid for')
})

t.test('a proxy that asks is never told yes for a preflight', async (t) => {
  address++
  const path = '/secret'
  const forwarded = {
    'X-Forwarded-Method': 'OPTIONS',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'asked.example.com',
    'X-Forwarded-Uri': path,
    Origin: FRONT,
    'Access-Control-Request-Method': 'PUT',
  }
  const original = {
    'X-Original-Method': 'OPTIONS',
    'X-Original-URL': `https://asked.example.com${path}`,
    Origin: FRONT,
    'Access-Control-Request-Method': 'PUT',
  }
  for (const [name, headers] of [
    ['caddy', forwarded],
    ['traefik', forwarded],
    ['nginx', original],
  ] as const) {
    const answer = await send({ path: `/.sallyport/check/${name}`, headers })
    t.equal(answer.status, 401, name)
  }
  const envoy = await send({
    method: 'OPTIONS',
    host: 'asked.example.com',
    path: `/.sallyport/check/envoy${path}`,
    headers: {
      'X-Forwarded-Proto': 'https',
      'Sallyport-Client': client(),
      Origin: FRONT,
      'Access-Control-Request-Method': 'PUT',
    },
  })
  t.equal(envoy.status, 204, 'which to Envoy is an answer, not a yes')
  const haproxy = await send({ path: '/.sallyport/check/haproxy', headers: forwarded })
  t.equal(haproxy.status, 204, 'nor is it to our action for HAProxy')

  const refused = await send({
    path: '/.sallyport/check/caddy',
    headers: { ...forwarded, ...fetched, 'X-Forwarded-Method': 'GET' },
  })
  t.equal(refused.status, 401)
  readable(t, refused, 'asked about')
  const open = await send({
    path: '/.sallyport/check/caddy',
    headers: {
      ...forwarded,
      ...fetched,
      'X-Forwarded-Method': 'GET',
      'X-Forwarded-Uri': '/open/x',
    },
  })
  t.equal(open.status, 200)
  readable(t, open, 'for proxies that can pass it on')
  const direct = await preflight(FRONT, { host: 'asked.example.com' })
  t.equal(direct.status, 204, 'a preflight that the proxy sends here')
})

t.test(
  'behind Caddy and nginx, as the manual says',
  { skip: skipUnless('caddy', 'nginx') },
  async (t) => {
    address++
    const caddy = await startCaddy(`http://asked.example.com:{{port}} {
	handle /.sallyport/* {
		reverse_proxy 127.0.0.1:${sallyport.port}
	}
	@preflight {
		method OPTIONS
		header Origin *
		header Access-Control-Request-Method *
	}
	handle @preflight {
		reverse_proxy 127.0.0.1:${sallyport.port}
	}
	handle {
		route {
			forward_auth 127.0.0.1:${sallyport.port} {
				uri /.sallyport/check/caddy
				copy_headers Remote-User
			}
			@front header Origin ${FRONT}
			header @front Access-Control-Allow-Origin ${FRONT}
			header @front Access-Control-Allow-Credentials true
			header Vary Origin
			reverse_proxy 127.0.0.1:${app.port} {
				header_down -Access-Control-*
			}
		}
	}
}`)
    const nginx = await startNginx(`
map "$request_method:$http_origin:$http_access_control_request_method" $sallyport_preflight {
	default "";
	~^OPTIONS:.+:.+$ yes;
}
server {
	listen 127.0.0.1:{{port}};
	server_name asked.example.com;
	location @preflight {
		proxy_pass http://127.0.0.1:${sallyport.port};
		proxy_set_header Host $http_host;
		proxy_set_header X-Forwarded-For $remote_addr;
	}
	location = /sallyport-check {
		internal;
		proxy_pass http://127.0.0.1:${sallyport.port}/.sallyport/check/nginx;
		proxy_pass_request_body off;
		proxy_set_header Content-Length "";
		proxy_set_header X-Original-Method $request_method;
		proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
		proxy_set_header X-Forwarded-For $remote_addr;
	}
	location / {
		error_page 418 = @preflight;
		if ($sallyport_preflight) { return 418; }
		auth_request /sallyport-check;
		auth_request_set $sallyport_cors_origin $upstream_http_access_control_allow_origin;
		auth_request_set $sallyport_cors_credentials $upstream_http_access_control_allow_credentials;
		proxy_hide_header Access-Control-Allow-Origin;
		proxy_hide_header Access-Control-Allow-Credentials;
		add_header Access-Control-Allow-Origin $sallyport_cors_origin always;
		add_header Access-Control-Allow-Credentials $sallyport_cors_credentials always;
		add_header Vary Origin always;
		proxy_pass http://127.0.0.1:${app.port};
	}
}`)
    t.teardown(() => Promise.all([caddy.close(), nginx.close()]))
    const host = 'asked.example.com'
    for (const [name, { port }] of [
      ['Caddy', caddy],
      ['nginx', nginx],
    ] as const) {
      const before = app.requests.length
      const answer = await preflight(FRONT, { port, host })
      t.equal(answer.status, 204, name)
      readable(t, answer, name)
      t.equal((await preflight(EVIL, { port, host })).status, 403, name)
      t.equal(
        (await preflight(FRONT, { port, host: 'asked.example.com', path: '/none/x' })).status,
        204,
      )
      t.equal(app.requests.length, before, 'none reached the app')
      const asking = { ...fetched, Origin: FRONT }
      const refused = await send({ port, host, path: '/secret', headers: asking })
      t.equal(refused.status, 401, name)
      readable(t, refused, `${name}, refused`)
      const path = '/open/x?Access-Control-Allow-Origin=*'
      const open = await send({ port, host, path, headers: asking })
      t.equal(open.status, 200, name)
      readable(t, open, `${name}, allowed`)
      t.strictSame(open.all('access-control-allow-origin'), [FRONT])
      const foreign = await send({ port, host, path, headers: { ...fetched, Origin: EVIL } })
      t.equal(foreign.status, 200)
      t.equal(foreign.header('access-control-allow-origin'), undefined, name)
    }
  },
)

t.test('the metrics count all this, by names of apps and reasons alone', async (t) => {
  const scrape = (headers = '') =>
    rawAnswer(
      { port: adminPort },
      `GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:${adminPort}\r\n${headers}\r\n`,
      { patience: 30_000 },
    )
  const { status, text } = await scrape()
  t.equal(status, 200)
  const value = (series: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1] ?? 0,
    )
  t.ok(value('sallyport_cors_refusals_total{app="Api",reason="null_origin"}') >= 1)
  t.ok(value('sallyport_cors_refusals_total{app="Api",reason="origin"}') >= 3)
  t.ok(value('sallyport_proxy_requests_total{app="Api",code="2xx"}') >= 3)
  t.ok(value('sallyport_proxy_requests_total{app="Gone",code="none"}') >= 1)
  t.ok(value('sallyport_ratelimit_hits_total{limit="default"}') >= 2)
  t.ok(value('sallyport_authz_decisions_total{app="Api",decision="sign_in",reason="sign_in"}') >= 1)
  t.ok(
    value('sallyport_authz_decisions_total{app="Api",decision="allow",reason="one_factor"}') >= 1,
  )
  t.ok(
    value('sallyport_login_attempts_total{method="password",outcome="success",reason="none"}') >= 1,
  )
  t.match(text, /sallyport_build_info\{version="[^"]+",node="v\d+[^"]*"\} 1/)
  t.notMatch(text, /bob|192\.0\.2\.|\/secret|front\.example/)
  t.equal((await scrape('Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: cross-site\r\n')).status, 403)
  const rebound = await rawAnswer(
    { port: adminPort },
    'GET /readyz HTTP/1.1\r\nHost: rebound.example\r\n\r\n',
  )
  t.equal(rebound.status, 421)
  const main = await send({ path: '/metrics', host: 'auth.example.com' })
  t.notMatch(main.text, 'sallyport_', 'and nowhere else')
})
