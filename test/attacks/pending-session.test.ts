import t from 'tap'
import { portalRoutes } from '../../src/portal/portal.ts'
import type { PortalDeps } from '../../src/portal/portal-deps.ts'
import { addPerson } from '../support/people.ts'
import { HANDSHAKE, PORTAL, sessionOf, startGate, type Wanted } from './gate.ts'

/** A password alone, where a second factor is owed, opens the second step and nothing else (E5-E7). */
const gate = await startGate({ top: 'sms: {insecure_log: true, providers: [{type: log}]}' })
t.teardown(() => gate[Symbol.asyncDispose]())
const dave = await addPerson(gate.dataDir, 'dave', { groups: ['admins'] })
const complete = await gate.signIn(dave)

/** The table is made without any of it being called. */
const routes = portalRoutes({ phones: { enabled: false } } as PortalDeps)

/** What each route does for such a session. A route that is new must be judged here first. */
const EXPECTED: Readonly<Record<string, string>> = {
  'GET /.sallyport/': '303 /.sallyport/login/second',
  // These say nothing of anybody, and are on every host.
  'GET /.sallyport/session': '200',
  'POST /.sallyport/session': '200',
  'GET /.sallyport/keeper.js': '200',
  'GET /.sallyport/api/v1/': '200',
  'GET /.sallyport/api/v1': '303 /.sallyport/api/v1/',
  'GET /.sallyport/resumed': `303 https://${PORTAL}/.sallyport/login`,
  'GET /.sallyport/setup': '404',
  'POST /.sallyport/setup': '404',
  // No mail server there, and links that are none.
  'GET /.sallyport/password/forgot': '404',
  'POST /.sallyport/password/forgot': '404',
  'GET /.sallyport/password/reset': '404',
  'POST /.sallyport/password/reset': '404',
  'GET /.sallyport/password/change': '303 /.sallyport/login/totp',
  'POST /.sallyport/password/change': '303 /.sallyport/login/totp',
  'GET /.sallyport/invitation': '404',
  'POST /.sallyport/invitation': '404',
  'GET /.sallyport/link': '404',
  'POST /.sallyport/link': '404',
  'GET /.sallyport/login': '303 /.sallyport/login/totp',
  'POST /.sallyport/login': '422',
  'GET /.sallyport/login/second': '303 /.sallyport/login/totp',
  'GET /.sallyport/login/confirm': '303 /.sallyport/login/totp',
  'POST /.sallyport/login/confirm': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/second-factor': '303 /.sallyport/login/second',
  'POST /.sallyport/account/second-factor': '303 /.sallyport/login',
  'GET /.sallyport/login/with-passkey': '303 /.sallyport/login',
  'POST /.sallyport/login/with-passkey': '422',
  'GET /.sallyport/login/passkey': '200',
  'POST /.sallyport/login/passkey': '422',
  'GET /.sallyport/account/passkeys/new': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/passkeys/new': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/passkeys/later': '303 /.sallyport/login',
  'GET /.sallyport/account/passkeys': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/passkeys': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/passkeys/remove': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/passkeys/remove': '303 /.sallyport/login/totp',
  'GET /.sallyport/login/totp': '200',
  'POST /.sallyport/login/totp': '422',
  'GET /.sallyport/login/recovery': '200',
  'POST /.sallyport/login/recovery': '422',
  // This account has no number.
  'GET /.sallyport/login/sms': '303 /.sallyport/login/second',
  'POST /.sallyport/login/sms': '303 /.sallyport/login/second',
  'GET /.sallyport/account/phone': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/phone': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/phone/verify': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/phone/verify': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/phone/remove': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/phone/remove': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/tokens': '303 /.sallyport/login/second',
  'GET /.sallyport/account/tokens/new': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/tokens/new': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/tokens/revoke': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/tokens/revoke': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/logins': '303 /.sallyport/login/second',
  'GET /.sallyport/account/logins/set': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/logins/set': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/logins/remove': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/logins/remove': '303 /.sallyport/login/totp',
  'GET /.sallyport/account': '303 /.sallyport/login/second',
  'GET /.sallyport/account/activity': '303 /.sallyport/login/second',
  'POST /.sallyport/account/language': '303 /.sallyport/login/second',
  'GET /.sallyport/account/totp': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/totp': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/totp/remove': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/totp/remove': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/totp/new': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/totp/new': '303 /.sallyport/login/totp',
  'GET /.sallyport/account/recovery-codes': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/recovery-codes': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/recovery-codes/download': '303 /.sallyport/login',
  'POST /.sallyport/account/recovery-codes/saved': '303 /.sallyport/login',
  'POST /.sallyport/account/sessions/end': '303 /.sallyport/login/totp',
  'POST /.sallyport/account/sessions/end-others': '303 /.sallyport/login/totp',
  'GET /.sallyport/logout': '200',
  'POST /.sallyport/logout': '303 /.sallyport/signed-out',
  'GET /.sallyport/signed-out': '200',
}

async function passwordOnly(): Promise<string> {
  const { name: username, password } = dave
  const cookie = sessionOf(await gate.submit('/.sallyport/login', { username, password }))
  if (cookie === undefined) throw new Error('no session')
  return cookie
}

t.test('of all routes only the second step answers (E5, E6)', async (t) => {
  t.strictSame(
    routes.map(({ method, path }) => `${method} ${path}`).toSorted(),
    Object.keys(EXPECTED).toSorted(),
  )
  // One session for all that only reads, so that it must survive each of them.
  const reader = await passwordOnly()
  for (const { method, path } of routes) {
    const name = `${method} ${path}`
    const cookie = method === 'GET' ? reader : await passwordOnly()
    const answer =
      method === 'GET'
        ? await gate.ask({ target: path, host: PORTAL, cookie })
        : await gate.submit(path, { totp: '000000', session: 'ses_x', label: 'x' }, { cookie })
    const location = answer.header('location')?.split('?')[0]
    t.equal([answer.status, location].filter(Boolean).join(' '), EXPECTED[name], name)
    t.equal(sessionOf(answer), undefined, `${name} gives no session`)
    const shown = answer.text.replace('K7QF2-M9D4T-XW3RA', '')
    t.notMatch(shown, /otpauth:|[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}/, `${name} shows no secret`)
  }
  t.equal(
    (await gate.ask({ target: '/strong/x', cookie: complete })).status,
    200,
    'and ends nothing',
  )
})

t.test('it is nobody to the apps, in both modes', async (t) => {
  const cookie = await passwordOnly()
  gate.app.reset()
  const targets = ['/', '/strong/x', '/admin/x', '/read-only?x', '/anything']
  const wanted = targets.flatMap((target): Wanted[] => [
    { target, method: 'POST', cookie },
    { target, cookie, headers: HANDSHAKE },
    ...['caddy', 'traefik'].map((contract) => ({
      target: `/.sallyport/check/${contract}`,
      cookie,
      headers: [
        ['X-Forwarded-Method', 'POST'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'asked.example.com'],
        ['X-Forwarded-Uri', target],
        ['X-Forwarded-For', '192.0.2.7'],
      ] as const,
    })),
    {
      target: '/.sallyport/check/nginx/page',
      cookie,
      headers: [
        ['X-Original-Method', 'POST'],
        ['X-Original-URL', `https://asked.example.com${target}`],
        ['X-Forwarded-For', '192.0.2.7'],
      ],
    },
  ])
  const answers = await gate.askAll(wanted)
  const open = wanted.filter(
    (one, i) => one.headers === HANDSHAKE && one.target === '/read-only?x' && answers[i],
  )
  t.equal(open.length, 1)
  t.strictSame(
    answers
      .filter((answer, i) => answer?.status !== 401 && wanted[i] !== open[0])
      .map((one) => one?.status),
    [],
  )
  t.strictSame(
    gate.app.requests.map(({ url }) => url),
    ['/read-only?x'],
  )
  t.strictSame(gate.app.last().all('remote-user'), [''])
  const told = await gate.ask({ target: '/public/x', cookie })
  t.match(told.text, '"Remote-User",""')
})

t.test('it cannot be stretched into a session by the second step of somebody else', async (t) => {
  const erin = await addPerson(gate.dataDir, 'erin', { totp: false })
  const erins = await gate.signIn(erin)
  const cookie = await passwordOnly()
  const totp = (await dave.authenticator?.next()) ?? ''
  const [other] = [await gate.submit('/.sallyport/login/totp', { totp }, { cookie: erins })]
  t.match(
    other?.header('location'),
    /^\/\.sallyport\/account\/totp\/new/,
    "erin's has nothing to prove",
  )
  const right = await gate.submit('/.sallyport/login/totp', { totp }, { cookie })
  t.equal(right.status, 303, 'the code was not spent by that')
})
