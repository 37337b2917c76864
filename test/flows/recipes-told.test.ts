import { once } from 'node:events'
import { createServer } from 'node:http'
import t from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { parseSessionId } from '../../src/identity/principal.ts'
import { MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createAccessTokens } from '../../src/tokens/access-tokens.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { newTokenText } from '../../src/tokens/token-text.ts'
import { startCaddy } from '../support/caddy.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { startHaproxy } from '../support/haproxy.ts'
import { startNginx } from '../support/nginx.ts'
import { skipUnless } from '../support/packages.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { caddySites, haproxyConfig, nginxServers, RECIPE_PORTAL } from '../support/recipes.ts'

/** What the recipes bring to an app besides the four usual names. */
const HOST = 'app.example.test'
const IDENTITY = { user: 'X-WEBAUTH-USER', assertion: 'Sallyport-Assertion' }
const BARE = 'bare.example.test'
/** All of HTTP Basic is Sallyport's there. */
const BASIC = 'basic.example.test'
const FORGED = [
  'Authorization: Digest evil',
  'Sallyport-Assertion: evil',
  'sallyport_assertion: evil',
  'X-WEBAUTH-USER: evil',
  'x_webauth_user: evil',
  'X-Webauth-Groups: evil',
  'X-Webauth-Role: evil',
]

t.test(
  'a recipe copies names, the assertion and the login of an app, and never a client’s',
  { skip: skipUnless('caddy', 'nginx', 'haproxy') },
  async (t) => {
    await using echo = await startEchoApp()
    const questions: (string | undefined)[] = []
    /** Allows everything, as Sallyport does: `/login…` with a login, anything else without. */
    const asked = createServer((req, res) => {
      questions.push(req.headers.authorization)
      const uri = String(req.headers['x-forwarded-uri'] ?? req.headers['x-original-url'])
      res.setHeader('Authorization', uri.includes('/login') ? 'Basic Ym9iOng=' : '')
      res.setHeader('X-WEBAUTH-USER', 'bob')
      res.setHeader('Sallyport-Assertion', 'a.b.c')
      res.end()
    })
    asked.listen(0, '127.0.0.1')
    await once(asked, 'listening')
    t.teardown(() => asked.close())
    const address = asked.address()
    const sallyport = typeof address === 'object' && address !== null ? address.port : 0
    const places = [
      { host: HOST, sallyport, app: echo.port, identity: IDENTITY, login: true },
      { host: BARE, sallyport, app: echo.port, identity: {} },
      { host: BASIC, sallyport, app: echo.port, identity: {}, basic: true },
    ]
    const started = await Promise.all([
      startCaddy(caddySites(places)),
      startNginx(nginxServers(places)),
      startHaproxy(haproxyConfig(places)),
    ])
    t.teardown(() => Promise.all(started.map((proxy) => proxy.close())))

    const ours = [
      `Bearer ${newTokenText('pat')}`,
      `bearer   ${newTokenText('svc')}`,
      `Bearer "${newTokenText('pat')}"`,
      `token ${newTokenText('pat')}`,
      newTokenText('svc'),
      ...(await accessTokens(RECIPE_PORTAL)).map((token) => `BEARER ${token}`),
    ]
    const theirs = [
      ...(await accessTokens('https://elsewhere.example')).map((token) => `Bearer ${token}`),
      ...(await accessTokens(`${RECIPE_PORTAL}.evil`)).map((token) => `Bearer ${token}`),
      'Bearer opaque',
      'Basics sallyport',
      'Digest username="sallyport", realm="pat_svc_"',
    ]
    const basic = ['Basic Ym9iOnNlY3JldA==', 'bASIC  x', 'Basic']
    for (const [i, name] of ['Caddy', 'nginx', 'HAProxy'].entries()) {
      const port = started[i]?.port ?? 0
      const get = async (host: string, path: string) => {
        // Where Caddy's recipe keeps the login for a moment; no app reads it.
        const more = name === 'Caddy' ? ['Sallyport-Login: Basic evil'] : []
        const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...FORGED, ...more, '\r\n']
        const head = lines.join('\r\n')
        t.equal((await rawAnswer({ port }, head)).status, 200, `${name} ${host}${path}`)
        return echo.last()
      }
      const authorized = async (host: string, ...fields: readonly string[]) => {
        const lines = fields.map((field) => `Authorization: ${field}`)
        const head = [`GET /x HTTP/1.1`, `Host: ${host}`, ...lines, '\r\n'].join('\r\n')
        t.equal((await rawAnswer({ port }, head)).status, 200, `${name} ${host}`)
        t.equal(questions.at(-1), fields[0], `${name}: Sallyport is asked about it`)
        return echo.last().all('Authorization')
      }
      for (const field of ours) {
        t.strictSame(await authorized(BARE, field), [], `${name}: ${field.slice(0, 20)} stays here`)
        t.strictSame(
          await authorized(BASIC, field),
          [],
          `${name}: ${field.slice(0, 20)} stays here`,
        )
      }
      for (const field of theirs) {
        t.strictSame(
          await authorized(BARE, field),
          [field],
          `${name}: ${field.slice(0, 20)} arrives`,
        )
        t.strictSame(
          await authorized(BASIC, field),
          [field],
          `${name}: ${field.slice(0, 20)} arrives`,
        )
      }
      for (const field of basic) {
        t.strictSame(
          await authorized(BARE, field),
          [field],
          `${name}: ${field.slice(0, 20)} is the app's`,
        )
        t.strictSame(await authorized(BASIC, field), [], `${name}: ${field.slice(0, 20)} is ours`)
      }
      const told = await get(HOST, '/login')
      t.strictSame(told.all('Authorization'), ['Basic Ym9iOng='], `${name}: the login`)
      t.strictSame(told.all('Sallyport-Assertion'), ['a.b.c'], `${name}: the assertion`)
      t.strictSame(told.all('X-WEBAUTH-USER'), ['bob'], `${name}: the name`)
      t.notOk(
        told.rawHeaders.some((one) => /evil/.test(one)),
        `${name}: nothing of the client's`,
      )
      t.equal(questions.at(-1), 'Digest evil', `${name}: which Sallyport was asked about`)

      const before = questions.length
      for (const contract of [
        'caddy',
        'traefik',
        'nginx',
        'nginx/page',
        'haproxy',
        'envoy/login',
      ]) {
        const line = `GET /.sallyport/check/${contract} HTTP/1.1`
        const uri = [`X-Forwarded-Uri: /login`, `X-Original-URL: http://${HOST}/login`]
        const asking = [line, `Host: ${HOST}`, ...uri, '\r\n'].join('\r\n')
        const { status, header } = await rawAnswer({ port }, asking)
        t.equal(status, 404, `${name}: a visitor asks ${contract} himself`)
        t.equal(header('authorization'), undefined, `${name}: and is not told the login`)
      }
      t.equal(questions.length, before, `${name}: Sallyport is not asked by visitors`)

      const without = await get(HOST, '/x')
      t.strictSame(without.all('Authorization').join(), '', `${name}: no login`)
      t.notOk(
        without.rawHeaders.some((one) => /evil/.test(one)),
        `${name}: nor the client's`,
      )

      const bare = await get(BARE, '/login')
      t.strictSame(bare.all('Authorization'), ['Digest evil'], `${name}: its own is the app's`)
      const rest = bare.rawHeaders.filter((one) => one !== 'Digest evil')
      t.notOk(
        rest.some((one) => /evil|bob|a\.b\.c/.test(one)),
        `${name}: and it is told nothing`,
      )
    }
  },
)

/** One of each stage. */
async function accessTokens(issuer: string): Promise<readonly string[]> {
  const clock = fakeClock()
  const lifetimes = { complete: MINUTE, mfa_pending: MINUTE, password_due: MINUTE }
  const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
  const tokens = createAccessTokens({ keys, clock }, { issuer, lifetimes })
  const sessionId = parseSessionId(`ses_${'s'.repeat(22)}`)
  if (sessionId === undefined) throw new TypeError('no session id')
  const issued = (['complete', 'mfa_pending', 'password_due'] as const).map((stage) =>
    tokens.issue({ stage, sessionId, userId: newUserId(), amr: ['pwd'], authTime: clock.now() }),
  )
  return (await Promise.all(issued)).map(({ token }) => token.reveal())
}
