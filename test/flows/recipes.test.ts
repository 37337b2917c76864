import { once } from 'node:events'
import { connect } from 'node:http2'
import t, { type Test } from 'tap'
import { newTokenText } from '../../src/tokens/token-text.ts'
import { type Browser, createBrowser } from '../support/browser-client.ts'
import { startCaddy } from '../support/caddy.ts'
import { type EchoApp, startEchoApp } from '../support/echo-app.ts'
import { envoyVersion, skipEnvoy, startEnvoy } from '../support/envoy.ts'
import { type FoldingAnswer, startFoldingPhpApp } from '../support/folding-php-app.ts'
import { startHaproxy } from '../support/haproxy.ts'
import type { Form } from '../support/html-forms.ts'
import { startNginx } from '../support/nginx.ts'
import { have, skipUnless } from '../support/packages.ts'
import { addPerson, type Person, signIn } from '../support/people.ts'
import { openRaw, type RawResponse, type RawTarget, rawAnswer } from '../support/raw-http.ts'
import {
  caddySite,
  caddySites,
  envoyConfig,
  haproxyConfig,
  nginxServers,
  type RecipePlaces,
  traefikDynamic,
} from '../support/recipes.ts'
import { startSallyport } from '../support/sallyport.ts'
import { skipTraefik, startTraefik, traefikVersion } from '../support/traefik.ts'
import { openWebSocket } from '../support/web-socket.ts'

const HOST = 'app.example.test'
const PHP_HOST = 'php.example.test'
const ORIGIN = `https://${HOST}`
const RULES = `
      - {path: /public/**, policy: public}
      - {path: /one/**, policy: one_factor}
      - {path: /admin/**, policy: two_factor, groups: [admins], explanation: For admins.}
      - {policy: two_factor}`
const CONFIG = `
version: 1
portal: {url: ${ORIGIN}}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps:
  - name: Echo
    host: ${HOST}
    rules: ${RULES}
  - name: PHP
    host: ${PHP_HOST}
    rules: ${RULES}
`

/** Names under which a client may try to say who it is. */
const FORGED = [
  'Remote-User',
  'remote_user',
  'Remote.User',
  'REMOTE-USER',
  'Remote_User',
  'Remote-Groups',
  'remote_groups',
  'Remote.Name',
  'Remote-Email',
  'X-Forwarded-User',
  'X_Forwarded_User',
  'X-Forwarded_User',
  'X.Forwarded.User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Preferred-Username',
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X_Auth_Request_User',
  'X-WEBAUTH-USER',
  'X_WEBAUTH_USER',
  'X-Remote-User',
  'X-User-Id',
]

/** Spellings of paths that programs take apart differently. None of them is `/public/…` for sure. */
const AMBIGUOUS = [
  '/public/../two',
  '/public/%2e%2e/two',
  '/public/.%2e/two',
  '/public/..%2ftwo',
  '/public%2f..%2ftwo',
  '/public/%2e%2e%2ftwo',
  '/public/%252e%252e/two',
  '/public/%252e%252e%252ftwo',
  '/public/..;/two',
  '/public/..;x=1/two',
  '/public/..%5ctwo',
  '/public/%5c..%5ctwo',
  '/public/%00/../two',
  '/public/%c0%ae%c0%ae/two',
  '/public/%ef%bc%8e%ef%bc%8e/two',
  '/.sallyport/../two',
  '/.sallyport/%2e%2e/two',
  '/.sallyport/..%2ftwo',
  '/.sallyport/check/../../two',
  '/x/../.sallyport/../two',
]

type Proxy = {
  readonly name: string
  readonly target: (from?: string) => RawTarget
  readonly browser: () => Browser
  /** Identity headers without a value: nginx leaves them out. */
  readonly sendsEmpty: boolean
  /** Traefik sends the app every cookie. */
  readonly keepsCookies?: true
}

const SKIP = skipUnless('caddy', 'nginx', 'haproxy')

t.test('forward-auth, as `sallyport snippet` prints it', { skip: SKIP }, async (t) => {
  await using echo = await startEchoApp()
  const php = have('php') ? await startFoldingPhpApp() : undefined
  t.teardown(() => php?.close())
  await using sallyport = await startSallyport({ config: CONFIG })
  const places = { sallyport: sallyport.port }
  const sites = [
    { ...places, host: HOST, app: echo.port },
    { ...places, host: PHP_HOST, app: php?.port ?? echo.port },
  ]
  const [caddy, nginx, haproxy] = await Promise.all([
    startCaddy(caddySites(sites, { tls: true })),
    startNginx(nginxServers(sites)),
    startHaproxy(haproxyConfig(sites)),
  ])
  t.teardown(() => Promise.all([caddy.close(), nginx.close(), haproxy.close()]))
  const bob = await addPerson(sallyport.dataDir, 'bob', { totp: false })
  const many = await addPerson(sallyport.dataDir, 'many', { totp: false, groups: groups(105) })
  const crowd = await addPerson(sallyport.dataDir, 'crowd', { totp: false, groups: groups(200) })

  const proxies: Proxy[] = [
    {
      name: 'Caddy',
      target: (from = '127.0.0.1') => ({
        port: caddy.port,
        from,
        tls: { servername: HOST, ca: caddy.authority() },
      }),
      browser: () => createBrowser({ route: () => ({ port: caddy.port }) }),
      sendsEmpty: true,
    },
    {
      name: 'nginx',
      ...plainHttp(nginx.port),
      sendsEmpty: false,
    },
    { name: 'HAProxy', ...plainHttp(haproxy.port), sendsEmpty: true },
  ]
  await others(t, proxies, sites)

  let address = 10
  for (const proxy of proxies) {
    await t.test(proxy.name, async (t) => {
      const nextAddress = () => `127.0.0.${address++}`
      // An authenticator's codes work once: one for each proxy, so that none waits for the next.
      const ada = await addPerson(sallyport.dataDir, `ada-${proxy.name.toLowerCase()}`, {
        displayName: 'Ada Ünal',
        email: 'ada@example.test',
        groups: ['staff', 'ops'],
      })
      const { adaCookie, bobCookie } = await walk(t, proxy, echo, ada, bob)
      await forgeries(t, proxy, {
        echo,
        php: php !== undefined,
        ada: ada.name,
        adaCookie,
        bobCookie,
        nextAddress,
      })
      await sockets(t, proxy, echo, adaCookie, ada.name)
      await paths(t, proxy, echo, adaCookie, nextAddress)
      await programs(t, proxy, echo, nextAddress())
      await largeIdentities(t, proxy, echo, many, crowd)
      await limits(t, proxy, nextAddress)
    })
  }

  await t.test('HAProxy over HTTP/2', async (t) => {
    const browser = createBrowser({ route: () => ({ port: haproxy.port, tls: false }) })
    await signIn(browser, `${ORIGIN}/one/x`, bob)
    await overHttp2(t, haproxy.port, echo, cookieOf(browser))
  })

  await t.test('Traefik', async (t) => {
    const browser = proxies[1]?.browser() ?? createBrowser()
    await signIn(browser, `${ORIGIN}/one/x`, bob)
    await traefik(t, sallyport.port, cookieOf(browser))
  })

  await t.test('Sallyport is gone: nobody gets in', async (t) => {
    await sallyport.stop()
    echo.reset()
    // HAProxy tries a few times before it gives up: all are asked at once.
    const asked = proxies.flatMap((proxy) =>
      ['/public/x', '/two/x', '/.sallyport/login'].map(async (path) => {
        const { status } = await rawAnswer(proxy.target(), get(path), { patience: 60_000 })
        t.ok(status >= 500, `${proxy.name} ${path}: ${status}`)
      }),
    )
    await Promise.all(asked)
    t.strictSame(echo.requests, [])
  })
})

/** Proxies that Debian does not have, where the environment names one. */
async function others(t: Test, proxies: Proxy[], sites: readonly RecipePlaces[]) {
  await t.test('Traefik is there', { skip: skipTraefik() }, async () => {
    const { dynamic, entryPoint } = traefikDynamic(sites, traefikVersion())
    const traefik = await startTraefik(dynamic, entryPoint)
    t.teardown(() => traefik.close())
    const more = { sendsEmpty: true, keepsCookies: true } as const
    proxies.push({ name: 'Traefik', ...plainHttp(traefik.port), ...more })
  })
  await t.test('Envoy is there', { skip: skipEnvoy() }, async () => {
    const envoy = await startEnvoy(envoyConfig(sites, envoyVersion()))
    t.teardown(() => envoy.close())
    proxies.push({ name: 'Envoy', ...plainHttp(envoy.port), sendsEmpty: true })
  })
}

function plainHttp(port: number): Pick<Proxy, 'target' | 'browser'> {
  return {
    target: (from = '127.0.0.1') => ({ port, from }),
    browser: () => createBrowser({ route: () => ({ port, tls: false }) }),
  }
}

/** Names of 64 characters. */
function groups(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `group-${i}-`.padEnd(64, 'x'))
}

/** Everything a person does, and what they are asked for on the way. */
async function walk(t: Test, proxy: Proxy, echo: EchoApp, ada: Person, bob: Person) {
  const browser = proxy.browser()
  const deep = `${ORIGIN}/deep/page?x=1&y=%20z&rd=https://evil.test/`
  echo.reset()

  await t.test('who is not signed in is asked to, each as it can be', async (t) => {
    const page = await browser.open(deep)
    t.equal(page.status, 302)
    t.match(page.header('location'), new RegExp(`^${ORIGIN}/\\.sallyport/login\\?rt=[\\w.-]+$`))

    const open = await browser.open(`${ORIGIN}/public/form`)
    t.equal(open.status, 200, 'a public rule lets everybody through')
    const fetched = await browser.fetch(open, '/api/things')
    t.equal(fetched.status, 401)
    t.match(fetched.header('content-type'), 'application/problem+json')
    t.match(JSON.parse(fetched.html), {
      code: 'session_required',
      login_url: `${ORIGIN}/.sallyport/login`,
    })

    const posted = await browser.submit(open, SAVE)
    t.equal(posted.status, 401)
    t.equal(posted.redirect, undefined, 'the form stays where it is')
    t.match(posted.header('content-type'), 'text/html')
    t.match(posted.html, 'target="_blank"')

    const framed = await browser.open(deep, { headers: { 'Sec-Fetch-Dest': 'iframe' } })
    t.equal(framed.status, 401)
    t.match(framed.html, 'target="_top"')
    t.strictSame(
      echo.requests.map(({ url }) => url),
      ['/public/form'],
      'none of it reached the app',
    )
  })

  await t.test('signing in leads back to the exact page', async (t) => {
    const back = await signIn(browser, deep, ada)
    t.equal(back.url.href, deep)
    t.equal(JSON.parse(back.html).url, deep.slice(ORIGIN.length))
    const saved = await browser.submit(back, SAVE)
    t.match(JSON.parse(saved.html), { method: 'POST', url: '/save?id=7', body: 'text=never+lost' })
    const forbidden = await browser.open(`${ORIGIN}/admin/x`)
    t.equal(forbidden.status, 403)
    t.match(forbidden.text, 'For admins.')
  })

  const one = proxy.browser()
  await t.test('the app is told who is asking, each field once', async (t) => {
    await browser.open(`${ORIGIN}/two/x`)
    t.match(echo.last().url, '/two/x')
    t.strictSame(identityOf(echo), {
      'Remote-User': [ada.name],
      'Remote-Groups': ['ops,staff'],
      'Remote-Name': ['Ada %C3%9Cnal'],
      'Remote-Email': ['ada@example.test'],
    })
    const headers = { 'X-Forwarded-For': '198.51.100.7', 'X-Forwarded-Host': 'evil.test' }
    await browser.open(`${ORIGIN}/two/x`, { headers })
    t.strictSame(echo.last().all('x-forwarded-for'), ['127.0.0.1'])
    t.strictSame(echo.last().all('x-forwarded-host'), [HOST])
    t.match(echo.last().all('x-forwarded-proto'), [/^https?$/])
    browser.cookies.take('theme=dark', new URL(ORIGIN))
    await browser.open(`${ORIGIN}/two/x`)
    const cookies = echo.last().all('cookie').join('; ')
    t.match(cookies, 'theme=dark')
    if (proxy.keepsCookies !== true) {
      t.notMatch(cookies, /sallyport/, 'what is ours stays between browser and Sallyport')
    }

    const nobody = proxy.sendsEmpty ? [''] : []
    await proxy.browser().open(`${ORIGIN}/public/x`)
    t.strictSame(identityOf(echo)['Remote-User'], nobody)

    const inside = await signIn(one, `${ORIGIN}/one/x`, bob)
    t.equal(inside.status, 200)
    t.strictSame(identityOf(echo), {
      'Remote-User': ['bob'],
      'Remote-Groups': nobody,
      'Remote-Name': ['bob'],
      'Remote-Email': nobody,
    })
    const second = await one.open(`${ORIGIN}/two/x`)
    t.match(second.header('location'), '/.sallyport/login/second', 'a code is owed')
  })
  return { adaCookie: cookieOf(browser), bobCookie: cookieOf(one) }
}

async function forgeries(
  t: Test,
  proxy: Proxy,
  with_: {
    readonly echo: EchoApp
    readonly php: boolean
    readonly ada: string
    readonly adaCookie: string
    readonly bobCookie: string
    readonly nextAddress: () => string
  },
) {
  const visits = [
    { path: '/public/x', cookie: '', user: '' },
    { path: '/one/x', cookie: with_.bobCookie, user: 'bob' },
    { path: '/two/x', cookie: with_.adaCookie, user: with_.ada },
  ]
  const attempts = [
    ...FORGED.map((name) => [`${name}: eve`]),
    ['Remote-User: eve', 'Remote-User: eve'],
    ['Connection: Remote-User'],
    ['Connection: close, Remote-User, Remote-Groups, X-Forwarded-For', 'Remote-User: eve'],
    ['Connection: keep-alive', 'Connection: Remote_User', 'Remote_User: eve'],
    ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: /public/x', 'X-Original-URL: /public/x'],
  ]
  for (const { path, cookie, user } of visits) {
    await t.test(`no forged name reaches the app on ${path}`, async (t) => {
      const from = with_.nextAddress()
      const { echo } = with_
      for (const forged of attempts) {
        echo.reset()
        const { status } = await rawAnswer(proxy.target(from), get(path, cookie, forged))
        t.equal(status, 200, forged.join(' + '))
        const { rawHeaders } = echo.last()
        const values = rawHeaders.filter((_, i) => i % 2 === 1)
        t.notOk(values.includes('eve'), `${forged.join(' + ')}: ${rawHeaders.join(' | ')}`)
        t.strictSame(echo.last().all('remote-user').join(), user, forged.join(' + '))
      }
    })
    await t.test(
      `nor a PHP app on ${path}`,
      { skip: with_.php ? false : 'needs php' },
      async (t) => {
        const from = with_.nextAddress()
        for (const forged of attempts) {
          const request = get(path, cookie, forged, PHP_HOST)
          const answer = await rawAnswer(proxy.target(from), request)
          const { headers }: FoldingAnswer = JSON.parse(answer.text)
          t.notOk(Object.values(headers).includes('eve'), JSON.stringify({ forged, headers }))
          t.equal(headers['HTTP_REMOTE_USER'] ?? '', user, forged.join(' + '))
        }
      },
    )
  }
  await t.test('a path told on the side opens nothing', async (t) => {
    with_.echo.reset()
    const told = ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: /public/x', 'X-Original-Method: GET']
    const asked = get('/two/x', '', [...told, `X-Original-URL: ${ORIGIN}/public/x`])
    t.equal((await rawAnswer(proxy.target(with_.nextAddress()), asked)).status, 302)
    t.strictSame(with_.echo.requests, [])
  })
}

async function programs(t: Test, proxy: Proxy, echo: EchoApp, from: string) {
  const ask = (path: string, ...lines: readonly string[]) =>
    rawAnswer(
      proxy.target(from),
      `${[`GET ${path} HTTP/1.1`, `Host: ${HOST}`, 'Accept: */*', ...lines].join('\r\n')}\r\n\r\n`,
    )
  const token = `Authorization: Bearer ${newTokenText('pat')}`

  await t.test('a program is refused in its own terms', async (t) => {
    echo.reset()
    for (const [path, lines, error] of [
      ['/one/x', [], undefined],
      ['/one/x', [token], 'error="invalid_token"'],
    ] as const) {
      const answer = await ask(path, ...lines)
      t.equal(answer.status, 401)
      t.match(answer.header('content-type'), 'application/problem+json')
      t.match(JSON.parse(answer.text), {
        code: error === undefined ? 'session_required' : 'invalid_credential',
      })
      t.strictSame(
        answer.all('www-authenticate').filter((value) => value.startsWith('Bearer')),
        [[`Bearer realm="${HOST}"`, error].filter((part) => part !== undefined).join(', ')],
        'said once',
      )
    }
    t.strictSame(echo.requests, [])
  })

  await t.test('a token of ours stays here, the app’s own goes through', async (t) => {
    t.equal((await ask('/public/x', token)).status, 200)
    t.strictSame(echo.last().all('authorization'), [])
    t.equal((await ask('/public/x', 'Authorization: Bearer theirs')).status, 200)
    t.strictSame(echo.last().all('authorization'), ['Bearer theirs'])
  })
}

async function sockets(t: Test, proxy: Proxy, echo: EchoApp, cookie: string, ada: string) {
  await t.test('a WebSocket is judged like any request', async (t) => {
    echo.reset()
    const refused = openWebSocket(proxy.target(), '/two/chat', { host: HOST })
    const [, answer] = await once(refused, 'unexpected-response')
    t.equal(answer.statusCode, 401)
    answer.resume()
    t.strictSame(echo.requests, [])

    for (const [path, cookies, user] of [
      ['/two/chat', cookie, ada],
      ['/public/chat', '', ''],
    ] as const) {
      const socket = openWebSocket(proxy.target(), path, { host: HOST, cookie: cookies })
      await once(socket, 'open')
      socket.send('ping')
      const [message] = await once(socket, 'message')
      t.equal(String(message), 'ping', path)
      socket.close()
      t.match(echo.last(), { url: path, upgrade: true })
      t.equal(identityOf(echo)['Remote-User']?.join(), user)
    }
  })
  await t.test('nothing else is upgraded', async (t) => {
    for (const upgrade of [['h2c'], ['h2c', 'websocket'], ['websocket, h2c'], ['TLS/1.0']]) {
      echo.reset()
      const asked = [
        ...upgrade.map((value) => `Upgrade: ${value}`),
        'Connection: Upgrade, HTTP2-Settings',
        'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
      ]
      const open = await rawAnswer(proxy.target(), get('/two/x', cookie, asked))
      t.not(open.status, 101)
      for (const request of echo.requests) {
        t.notMatch(request.all('upgrade').join(), /h2c|tls/i, upgrade.join(' + '))
      }
      const shut = await rawAnswer(proxy.target(), get('/two/x', '', asked))
      // HAProxy itself refuses a WebSocket handshake without a key.
      t.ok([302, 400, 401].includes(shut.status), `${upgrade}: ${shut.status}`)
    }
    t.strictSame(
      echo.requests.filter(({ upgrade }) => upgrade),
      [],
    )
  })
}

async function paths(
  t: Test,
  proxy: Proxy,
  echo: EchoApp,
  cookie: string,
  nextAddress: () => string,
) {
  await t.test('a path with two meanings never reaches the app', async (t) => {
    echo.reset()
    const from = nextAddress()
    for (const path of AMBIGUOUS) {
      const nobody = await rawAnswer(proxy.target(from), get(path))
      t.ok(nobody.status >= 300 && nobody.status < 500, `${path}: ${nobody.status}`)
      const ada = await rawAnswer(proxy.target(from), get(path, cookie))
      t.ok(ada.status >= 400 && ada.status < 500, `${path} signed in: ${ada.status}`)
    }
    t.strictSame(
      echo.requests.map(({ url }) => url),
      [],
    )
  })
  await t.test('nothing under the reserved paths lets anybody in', async (t) => {
    const from = nextAddress()
    for (const path of ['/sallyport-check', '/.sallyport/check/caddy', '/.sallyport/check/nginx']) {
      const { status } = await rawAnswer(proxy.target(from), get(path))
      t.ok(status >= 300 && status < 500, `${path}: ${status}`)
    }
    t.strictSame(echo.requests, [])
  })
}

/** As many groups as an answer holds, and more of them (D10). */
async function largeIdentities(t: Test, proxy: Proxy, echo: EchoApp, many: Person, crowd: Person) {
  await t.test('a list of groups arrives whole, or nobody gets in (D10)', async (t) => {
    const browser = proxy.browser()
    await signIn(browser, `${ORIGIN}/one/x`, many)
    t.strictSame(echo.last().all('remote-groups'), [many.groups.toSorted().join()])
    const page = await browser.open(`${ORIGIN}/public/form`)
    const upload = await browser.fetch(page, '/one/upload', {
      method: 'POST',
      body: 'x'.repeat(100_000),
    })
    t.equal(upload.status, 200, 'with a body that fills the buffers, too')
    t.match(echo.last(), { bodyLength: 100_000 })
    t.strictSame(echo.last().all('remote-groups'), [many.groups.toSorted().join()])

    echo.reset()
    const refused = await signIn(proxy.browser(), `${ORIGIN}/one/x`, crowd)
    t.equal(refused.status, 403)
    t.match(refused.text, 'too many groups')
    t.strictSame(echo.requests, [])
  })
}

/** HTTP/2 gives the address in parts; the target is the same, and so is what becomes of it. */
async function overHttp2(t: Test, port: number, echo: EchoApp, cookie: string) {
  const session = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  const ask = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const stream = session.request({
      ':path': path,
      ':authority': HOST,
      accept: 'text/html',
      ...headers,
    })
    const [answer] = await once(stream, 'response')
    stream.resume()
    await once(stream, 'end')
    return Number(answer[':status'])
  }
  t.equal(await ask('/public/x?y=%20&z=a%2Fb'), 200)
  t.equal(echo.last().url, '/public/x?y=%20&z=a%2Fb')
  t.equal(await ask('/one/x', { cookie, 'remote-user': 'eve', remote_user: 'eve' }), 200)
  t.strictSame(echo.last().all('remote-user'), ['bob'])
  t.notOk(echo.last().rawHeaders.includes('eve'))
  echo.reset()
  t.equal(await ask('/one/x'), 302)
  t.equal(await ask('/public/../one/x', { cookie }), 400)
  t.strictSame(echo.requests, [])
}

async function limits(t: Test, proxy: Proxy, nextAddress: () => string) {
  await t.test('too many requests from one address are refused, and only those', async (t) => {
    const from = nextAddress()
    const { passed, over } = await flood(proxy.target(from), get('/public/x'))
    t.ok(passed >= 120 && passed < 160, `${passed} passed`)
    t.ok(Number(over?.header('retry-after')) > 0)
    const claims = ['X-Forwarded-For: 198.51.100.7', 'X-Real-IP: 198.51.100.7']
    const told = await flood(proxy.target(from), get('/public/x', '', claims))
    t.ok(told.passed < 10, 'whatever it claims to be')
    t.equal((await rawAnswer(proxy.target(nextAddress()), get('/public/x'))).status, 200)
  })
}

/** What Traefik's `ForwardAuth` sends, by its documentation. */
async function traefik(t: Test, port: number, cookie: string) {
  const ask = (uri: string, more: readonly string[] = [], from = '127.0.0.1', proto = 'https') =>
    rawAnswer(
      { port, from },
      [
        'GET /.sallyport/check/traefik HTTP/1.1',
        `Host: 127.0.0.1:${port}`,
        'X-Forwarded-Method: GET',
        `X-Forwarded-Proto: ${proto}`,
        `X-Forwarded-Host: ${HOST}`,
        `X-Forwarded-Uri: ${uri}`,
        'X-Forwarded-For: 192.0.2.44',
        'X-Forwarded-Port: 443',
        ...more,
        'Connection: close',
        '\r\n',
      ].join('\r\n'),
    )
  const page = await ask('/two/x?y=1', ['Accept: text/html'])
  t.equal(page.status, 302)
  t.match(page.header('location'), `${ORIGIN}/.sallyport/login?rt=`)
  for (const proto of ['https', 'http', 'wss', 'ws']) {
    const allowed = await ask('/one/x', [`Cookie: ${cookie}`], '127.0.0.1', proto)
    t.equal(allowed.status, 200, proto)
    t.equal(allowed.text, '')
    t.strictSame(allowed.all('remote-user'), ['bob'])
    t.strictSame(allowed.all('remote-groups'), [''])
  }
  const open = await ask('/public/x')
  t.equal(open.status, 200)
  for (const name of ['remote-user', 'remote-groups', 'remote-name', 'remote-email']) {
    t.strictSame(open.all(name), [''], name)
  }
  const wss = await ask('/two/x', ['Accept: text/html'], '127.0.0.1', 'wss')
  t.match(wss.header('location'), `${ORIGIN}/`, 'a WebSocket scheme is no way to sign in')
  t.equal((await ask('/public/../two/x')).status, 400)
  t.equal((await ask('/one/x', [`Cookie: ${cookie}`], '127.0.0.9')).status, 401, 'not a proxy')
  t.equal((await ask('/public/x', [], '127.0.0.9')).status, 401, 'whatever the rule')
  t.equal((await ask('/public/x', ['X-Forwarded-Uri: /two'])).status, 400, 'sent twice')
  t.equal((await ask('/public/x', [], '127.0.0.1', 'gopher')).status, 400)
}

t.test(
  'Caddy in front of Sallyport, which forwards, as README.md says',
  { skip: skipUnless('caddy') },
  async (t) => {
    await using echo = await startEchoApp()
    await using sallyport = await startSallyport({
      config: `
version: 1
portal: {url: ${ORIGIN}}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps:
  - name: Echo
    host: ${HOST}
    upstream: ${echo.url}
    rules: ${RULES}
`,
    })
    const site = caddySite('caddy-proxy', { host: HOST, sallyport: sallyport.port, tls: true })
    await using caddy = await startCaddy(site)
    const ada = await addPerson(sallyport.dataDir, 'ada')
    const target = (from = '127.0.0.1'): RawTarget => ({
      port: caddy.port,
      from,
      tls: { servername: HOST, ca: caddy.authority() },
    })
    const browser = createBrowser({ route: () => ({ port: caddy.port }) })
    const inside = await signIn(browser, `${ORIGIN}/deep?x=%20`, ada)
    t.equal(inside.url.href, `${ORIGIN}/deep?x=%20`)
    t.strictSame(identityOf(echo)['Remote-User'], ['ada'])
    t.match(inside.header('strict-transport-security'), /max-age=\d+/, 'on what the app answers')
    const cookie = browser.cookies.get(ORIGIN, '__Host-sallyport')
    t.match(cookie, { secure: true, httpOnly: true, hostOnly: true, path: '/', sameSite: 'lax' })
    t.strictSame(
      browser.cookies.all().filter(({ name }) => !name.startsWith('__Host-')),
      [],
    )
    t.strictSame(echo.last().all('x-forwarded-for'), ['127.0.0.1'])
    t.strictSame(echo.last().all('x-forwarded-proto'), ['https'])
    t.strictSame(echo.last().all('x-forwarded-host'), [HOST])

    await t.test('limits count the visitor, not the proxy', async (t) => {
      const told = get('/public/x', '', ['X-Forwarded-For: 198.51.100.7'])
      const { passed } = await flood(target('127.0.0.61'), told)
      t.ok(passed >= 120 && passed < 160, `${passed} passed`)
      t.strictSame(echo.last().all('x-forwarded-for'), ['127.0.0.61'])
      t.equal((await rawAnswer(target('127.0.0.62'), told)).status, 200)
    })
    await t.test('a WebSocket goes through', async (t) => {
      const refused = openWebSocket(target(), '/two/chat', { host: HOST })
      const [, answer] = await once(refused, 'unexpected-response')
      t.equal(answer.statusCode, 401)
      answer.resume()
      const cookies = cookieOf(browser)
      const socket = openWebSocket(target(), '/two/chat', { host: HOST, cookie: cookies })
      await once(socket, 'open')
      socket.send('ping')
      const [message] = await once(socket, 'message')
      t.equal(String(message), 'ping')
      socket.close()
    })
    await t.test('Sallyport is gone: nobody gets in', async (t) => {
      await sallyport.stop()
      echo.reset()
      t.ok((await rawAnswer(target(), get('/public/x'))).status >= 500)
      t.strictSame(echo.requests, [])
    })
  },
)

/** A form of the app, filled in. */
const SAVE: Form = {
  action: '/save?id=7',
  method: 'post',
  id: '',
  fields: [{ name: 'text', value: 'never lost', type: 'text', sent: true }],
  buttons: [],
}

function get(path: string, cookie = '', headers: readonly string[] = [], host = HOST): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Accept: text/html',
    ...(cookie === '' ? [] : [`Cookie: ${cookie}`]),
    ...headers,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/**
 * Sends the same request on one connection until it is answered 429, at most 200 times. A budget
 * fills while it is spent, so a little more passes than it holds.
 */
async function flood(
  target: RawTarget,
  request: string,
): Promise<{ readonly passed: number; readonly over: RawResponse | undefined }> {
  using connection = await openRaw(target)
  for (let passed = 0; passed < 200; passed += 1) {
    connection.send(request)
    const answer = await connection.response()
    if (answer?.status === 429) return { passed, over: answer }
  }
  return { passed: 200, over: undefined }
}

function identityOf(echo: EchoApp): Readonly<Record<string, readonly string[]>> {
  const names = ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email']
  return Object.fromEntries(names.map((name) => [name, echo.last().all(name)]))
}

function cookieOf(browser: Browser): string {
  return browser.cookies.header(new URL(ORIGIN), { foreign: false, navigation: true, safe: true })
}
