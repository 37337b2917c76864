import { once } from 'node:events'
import t from 'tap'
import type { WebSocket } from 'ws'
import { createBrowser } from '../support/browser-client.ts'
import { runCommandHere } from '../support/command-line.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { addPerson, signIn } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'
import { openWebSocket } from '../support/web-socket.ts'

const echo = await startEchoApp()
const sallyport = await startSallyport({
  config: `
version: 1
portal: {url: "http://localhost:{{port}}"}
listen: {http: "127.0.0.1:{{port}}"}
store: "sqlite:{{data}}/sallyport.db"
limits: {auth: 1000/1m, default: 10000/1m, api: 10000/1m}
apps:
  - {name: Wiki, host: localhost, upstream: "${echo.url}", rules: [{policy: one_factor}]}
`,
})
t.teardown(async () => {
  await sallyport.close()
  await echo.close()
})
const { dataDir, port } = sallyport
const home = `http://localhost:${port}`
const api = `${home}/.sallyport/api/v1`

type Json = Readonly<Record<string, unknown>>

async function call(path: string, { token, body }: { token?: string; body?: Json } = {}) {
  const response = await fetch(`${api}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const read: Json = text === '' ? {} : JSON.parse(text)
  return { status: response.status, body: read }
}

/** Everything somebody may hold, and what they have open with it. */
async function enter(name: string) {
  const person = await addPerson(dataDir, name, { totp: false })
  const browser = createBrowser()
  await signIn(browser, `${home}/`, person)
  const cookie = `sallyport=${browser.cookies.get(home, 'sallyport')?.value}`
  const signedIn = await call('/sign-in', { body: { username: name, password: person.password } })
  const token = String(signedIn.body['access_token'])
  const refresh = String(signedIn.body['refresh_token'])
  const socket = openWebSocket({ port }, '/', { Host: `localhost:${port}`, Cookie: cookie })
  await once(socket, 'open')
  const stream = await fetch(`${home}/sse?n=100000&every=50`, {
    headers: { Authorization: `Bearer ${token}` },
  })
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${home}/`, { headers, redirect: 'manual' })).status
  return {
    name,
    person,
    browser,
    token,
    closed: Promise.all([closing(socket), stream.text().then(() => 'ended')]),
    /** What a request comes to now: with the cookie, with the access token, for a new pair. */
    asks: async () => [
      await status({ Cookie: cookie }),
      await status({ Authorization: `Bearer ${token}` }),
      (await call('/refresh', { body: { refresh_token: refresh } })).status,
    ],
    session: async () => (await call('/session', { token })).status,
  }
}

const closing = async (socket: WebSocket) => {
  const [code] = await once(socket, 'close')
  return code
}

const DEAD = [401, 401, 401]
/** Signed in, and asked again who it is. */
const ASKED_AGAIN = [401, 401, 200]
const CLOSED = [4401, 'ended']

const command = async (...args: readonly string[]) => {
  const ran = await runCommandHere(['session', ...args, '--config', CONFIG])
  if (ran.code !== 0) throw new Error(ran.stderr)
  return ran.stdout
}
const CONFIG = `${dataDir}/sallyport.yaml`

/** The ids of somebody's sessions. */
async function sessionsOf(name: string): Promise<readonly string[]> {
  const list: readonly Json[] = JSON.parse(await command('list', '--user', name, '--json'))
  return list.map(({ id }) => String(id))
}

t.test('the command line ends one, all of a user, of an app, everybody’s (E8)', async (t) => {
  const app = await enter('app')
  await command('revoke', '--app', 'Wiki')
  t.strictSame(await app.asks(), ASKED_AGAIN)
  t.strictSame(await app.closed, CLOSED)
  t.equal(await app.session(), 200)
  const asked = await app.browser.open(`${home}/deep?x=1`, { follow: true })
  t.equal(asked.url.pathname, '/.sallyport/login/confirm')
  const { password } = app.person
  const back = await app.browser.submit(
    asked,
    asked.form('password'),
    { password },
    { follow: true },
  )
  t.equal(back.url.href, `${home}/deep?x=1`, 'a new proof opens it again, and leads back')
  t.equal(back.status, 200)
  const proof = await call('/confirm/password', { token: app.token, body: { password } })
  t.equal(proof.status, 200)
  const headers = { Authorization: `Bearer ${proof.body['access_token']}` }
  t.equal((await fetch(`${home}/`, { headers })).status, 200)

  const [one, user, all] = [await enter('one'), await enter('user'), await enter('all')]
  const [first, ...others] = await sessionsOf('one')
  await command('revoke', first ?? '')
  const half = await one.asks()
  t.ok(half.includes(200), 'the other one stays')
  for (const id of others) await command('revoke', id)
  t.strictSame(await one.asks(), DEAD)
  await command('revoke', '--user', 'user')
  t.strictSame(await user.asks(), DEAD)
  t.strictSame((await all.asks()).slice(0, 2), [200, 200])
  await command('revoke', '--all')
  t.strictSame(await all.asks(), DEAD)
  for (const { name, closed } of [one, user, all]) t.strictSame(await closed, CLOSED, name)
})

t.test('the API ends the same, and what is open at once (E8)', async (t) => {
  const root = await addPerson(dataDir, 'root', { groups: ['admins'] })
  const started = await call('/sign-in', { body: { username: 'root', password: root.password } })
  const proved = await call('/second-step/totp', {
    token: String(started.body['access_token']),
    body: { code: (await root.authenticator?.next()) ?? '' },
  })
  const token = String(proved.body['access_token'])
  const admin = (path: string, body: Json) => call(`/admin${path}`, { token, body })

  const app = await enter('app2')
  t.equal((await admin('/apps/revoke', { app: 'Wiki' })).status, 200)
  t.strictSame(await app.closed, CLOSED)
  t.strictSame(await app.asks(), ASKED_AGAIN)

  const one = await enter('one2')
  for (const id of await sessionsOf('one2')) {
    const headers = { Authorization: `Bearer ${token}` }
    const ended = await fetch(`${api}/admin/sessions/${id}`, { method: 'DELETE', headers })
    t.equal(ended.status, 204)
  }
  t.strictSame(await one.closed, CLOSED)
  t.strictSame(await one.asks(), DEAD)

  const user = await enter('user2')
  const session = await call('/session', { token: user.token })
  const { id } = Object(session.body['user'])
  t.equal((await admin(`/users/${id}/end-sessions`, {})).status, 200)
  t.strictSame(await user.closed, CLOSED)
  t.strictSame(await user.asks(), DEAD)

  const all = await enter('all2')
  t.equal((await admin('/sessions/end-all', { confirm: 'everybody' })).status, 200)
  t.strictSame(await all.closed, CLOSED)
  t.strictSame(await all.asks(), DEAD)
  t.equal((await call('/admin/users', { token })).status, 401)
})
