import t from 'tap'
import { PATHS } from '../../src/pages/paths.ts'
import { portalRoutes } from '../../src/portal/portal.ts'
import type { PortalDeps } from '../../src/portal/portal-deps.ts'
import { codeOf, keyOf } from '../support/authenticator.ts'
import type { RawResponse } from '../support/raw-http.ts'
import { addBob, PORTAL, sessionOf, startGate, type Wanted } from './gate.ts'

/** No page but our own sends our forms (E12). Every attempt carries what would make it work. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)
const other = await gate.signIn(bob)

const routes = portalRoutes({ phones: { enabled: false } } as PortalDeps)
const submits = routes.filter(({ method }) => method === 'POST')
const enrol = await gate.ask({ target: '/.sallyport/account/totp/new', host: PORTAL, cookie })
const account = await gate.ask({ target: '/.sallyport/account', host: PORTAL, cookie })
const secret = keyOf(enrol.text)
const sessionIds = [...account.text.matchAll(/value="(ses_[\w-]+)"/g)].map(([, id]) => id ?? '')

const fields = () =>
  new URLSearchParams({
    username: bob.name,
    password: bob.password,
    totp: codeOf(secret),
    session: sessionIds.at(-1) ?? '',
    label: 'phone',
    saved: 'true',
    token: 'x',
  }).toString()

const OWN = `https://${PORTAL}`
const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const
type Fields = NonNullable<Wanted['headers']>

const FOREIGN: Readonly<Record<string, Fields>> = {
  'no word on its origin': [FORM],
  'a token that is none': [FORM, ['X-Form-Token', 'x']],
  ...Object.fromEntries(
    [
      ...['https://evil.example', 'null', 'https://app.example.com', `http://${PORTAL}`, ''],
      ...[`${OWN}.evil.example`, `${OWN}:444`, `${OWN}/`, 'https://example.com', `${OWN}, null`],
      ...[OWN.toUpperCase(), `https://x@${PORTAL}`, 'chrome-extension://abc'],
    ].map((origin) => [`Origin: ${origin}`, [FORM, ['Origin', origin]] as Fields]),
  ),
  ...Object.fromEntries(
    ['cross-site', 'same-site', 'none', '', 'Same-Origin', 'same-origin, cross-site'].flatMap(
      (site) => [
        [`Sec-Fetch-Site: ${site}`, [FORM, ['Sec-Fetch-Site', site]] as Fields],
        [
          `ours, but Sec-Fetch-Site: ${site}`,
          [FORM, ['Origin', OWN], ['Sec-Fetch-Site', site]] as Fields,
        ],
      ],
    ),
  ),
  'two origins': [FORM, ['Origin', OWN], ['Origin', 'https://evil.example']],
}
const TYPES = ['text/plain', 'multipart/form-data; boundary=x', 'application/json', 'text/html', '']
TYPES.push('application/x-www-form-urlencodedx', 'text/plain; application/x-www-form-urlencoded')

const state = async () => {
  const page = await gate.ask({ target: '/.sallyport/account', host: PORTAL, cookie })
  const others = await gate.ask({ target: '/', cookie: other })
  const again = await gate.ask({ target: '/.sallyport/account/totp/new', host: PORTAL, cookie })
  return [page.status, others.status, keyOf(again.text), page.text.match(/ses_[\w-]+/g)?.length]
}
const before = await state()
const nothing = (answer: RawResponse) => [answer.status, sessionOf(answer)]

t.test('a form from anywhere else is refused on every route (E12)', async (t) => {
  t.ok(submits.length >= 15)
  for (const { path: target } of submits) {
    const send = (headers: Fields): Promise<RawResponse> =>
      gate.ask({ method: 'POST', target, host: PORTAL, cookie, headers, body: fields() })
    for (const [name, headers] of Object.entries(FOREIGN)) {
      t.strictSame(nothing(await send(headers)), [403, undefined], `${target} ${name}`)
    }
    for (const type of TYPES) {
      const answer = await send([
        ['Content-Type', type],
        ['Origin', OWN],
      ])
      t.strictSame(nothing(answer), [415, undefined], `${target} ${type}`)
    }
    t.equal((await send([['Origin', OWN]])).status, 415, 'no type at all')
  }
  t.strictSame(await state(), before, 'and nothing has changed')
})

t.test('no other method does what a form does', async (t) => {
  const shown = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path))
  for (const { path } of submits) {
    const target = `${path}?${fields()}`
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await gate.ask({
        method,
        target,
        host: PORTAL,
        cookie,
        headers: [['Origin', OWN]],
      })
      t.equal(sessionOf(answer), undefined)
      const reads = method === 'GET' || method === 'HEAD'
      if (reads && shown.has(path)) t.ok(answer.status < 405, `${method} ${path}`)
      else t.equal(answer.status, 405, `${method} ${path}`)
    }
  }
  t.strictSame(await state(), before)
})

t.test("an app's own script cannot use the portal through the app's host", async (t) => {
  const host = 'app.example.com'
  const headers: Fields = [FORM, ['Origin', `https://${host}`], ['Sec-Fetch-Site', 'same-origin']]
  const everywhere: readonly string[] = [PATHS.logout, PATHS.sessionState]
  for (const { path: target } of submits.filter(({ path }) => !everywhere.includes(path))) {
    const answer = await gate.ask({ method: 'POST', target, host, cookie, headers, body: fields() })
    t.strictSame(nothing(answer), [403, undefined], target)
  }
  // As asking for a page of the app does, it uses the session; it tells no more than that.
  const used = { method: 'POST', target: PATHS.sessionState, host, cookie, headers, body: '' }
  const told = Object.keys(JSON.parse((await gate.ask(used)).text))
  t.strictSame(told, ['state', 'ends_at', 'ends_in', 'extends'])
  for (const path of ['/account', '/account/totp/new', '/login', '/setup?token=x']) {
    const answer = await gate.ask({ target: `/.sallyport${path}`, host, cookie })
    t.equal(answer.status, 303)
    t.equal(answer.header('location'), `${OWN}/.sallyport${path}`)
    t.notMatch(answer.text, /otpauth|ses_/)
  }
  t.strictSame(await state(), before)
  const out = await gate.ask({ target: '/.sallyport/logout', host, cookie })
  t.equal(out.status, 200, 'signing out is possible everywhere')
})

t.test('the same forms from our own page work, also without fetch metadata', async (t) => {
  const login = await gate.ask({ target: '/.sallyport/login?confirm', host: PORTAL })
  const token = /name="form_token" value="([^"]+)"/.exec(login.text)?.[1] ?? ''
  const nonce =
    login
      .all('set-cookie')
      .find((value) => value.includes('-form='))
      ?.split(';')[0] ?? ''
  const body = `${fields()}&form_token=${token}`
  const old = { method: 'POST', target: '/.sallyport/login', host: PORTAL, headers: [FORM], body }
  const stolen = await gate.ask({ ...old, cookie: nonce.replace(/.$/, '') })
  t.equal(stolen.status, 403, "another browser's token")
  const honest = await gate.ask({ ...old, cookie: nonce })
  t.equal(honest.status, 303)
  t.ok(sessionOf(honest))
  const end = await gate.submit('/.sallyport/account/sessions/end-others', {}, { cookie })
  t.equal(end.status, 303)
  t.equal((await gate.ask({ cookie: other })).status, 401, 'so the state above could have changed')
})
