import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import SqliteDatabase from 'better-sqlite3'
import t from 'tap'
import { codeOf, keyOf, recoveryCodesOf } from '../support/authenticator.ts'
import { openRaw } from '../support/raw-http.ts'
import { addBob, PORTAL, SESSION, sessionOf, startGate } from './gate.ts'

t.test('what was acknowledged is there after a kill -9 (L1)', async (t) => {
  await using gate = await startGate()
  const ada = { username: 'ada', password: 'correct horse battery' }
  const open = (target: string, cookie: string) => gate.ask({ target, host: PORTAL, cookie })
  const statusOf = async (target: string, cookie: string) =>
    (await gate.ask({ target, cookie })).status

  const link = new URL(await gate.sallyport().untilSetupLink())
  const token = link.searchParams.get('token') ?? ''
  const made = await gate.submit('/.sallyport/setup', { ...ada, token })
  const first = sessionOf(made) ?? ''
  await gate.crash()
  t.equal(await statusOf('/', first), 200, 'account made: the session works')
  t.equal((await open(link.pathname + link.search, '')).status, 404, 'and the link does not')
  t.equal(gate.sallyport().setupLink(), undefined)

  const secret = keyOf((await open('/.sallyport/account/totp/new', first)).text)

  const totp = codeOf(secret)
  const enrolled = await gate.submit(
    '/.sallyport/account/totp/new',
    { totp, label: 'phone' },
    { cookie: first },
  )
  const second = sessionOf(enrolled) ?? ''
  const codes = recoveryCodesOf(enrolled.text)
  t.equal(codes.length, 10)
  await gate.crash()
  t.equal(await statusOf('/strong/x', second), 200, 'factor proved: the risen session works')
  t.equal(await statusOf('/', first), 401, 'and the one before does not')

  const pending = sessionOf(await gate.submit('/.sallyport/login', ada)) ?? ''
  const replay = await gate.submit('/.sallyport/login/totp', { totp }, { cookie: pending })
  t.equal(sessionOf(replay), undefined, 'the code that enrolled it stays spent')
  const recovery_code = codes[0] ?? ''
  const recovered = await gate.submit(
    '/.sallyport/login/recovery',
    { recovery_code },
    { cookie: pending },
  )
  const third = sessionOf(recovered) ?? ''
  await gate.crash()
  t.equal(await statusOf('/strong/x', third), 200, 'recovery code used: the session works')
  const again = sessionOf(await gate.submit('/.sallyport/login', ada)) ?? ''
  const spent = await gate.submit(
    '/.sallyport/login/recovery',
    { recovery_code },
    { cookie: again },
  )
  t.equal(sessionOf(spent), undefined, 'and the code does not')

  t.equal((await gate.submit('/.sallyport/logout', {}, { cookie: third })).status, 303)
  await gate.crash()
  t.equal(await statusOf('/', third), 401, 'signed out is signed out')
  t.equal(await statusOf('/', second), 200, 'and the other browser is not')

  const store = new SqliteDatabase(join(gate.dataDir, 'sallyport.db'), { readonly: true })
  t.teardown(() => store.close())
  t.equal(store.pragma('integrity_check', { simple: true }), 'ok')
  const tables = store
    .prepare<[], { name: string }>("select name from sqlite_schema where type = 'table'")
    .all()
  const dump = JSON.stringify(
    tables.map(({ name }) => store.prepare(`select * from "${name}"`).all()),
  )
  const tokens = [first, second, third].map((cookie) => cookie.slice(SESSION.length + 1))
  for (const secretText of [
    secret,
    ...codes,
    ...codes.map((code) => code.replaceAll('-', '')),
    ...tokens,
    token,
    ada.password,
  ]) {
    t.notOk(dump.includes(secretText), 'no secret lies in the store in clear (G11)')
  }
  t.ok(
    dump.includes(
      createHash('sha256')
        .update(tokens[1] ?? '')
        .digest('base64url'),
    ),
    'digests do',
  )
  t.notMatch(
    gate.sallyport().output(),
    new RegExp([secret, ...codes, ...tokens, ada.password].join('|')),
    'nor in the log',
  )
})

t.test('SIGTERM: not ready, what is under way is finished, and it ends well (L28)', async (t) => {
  await using gate = await startGate()
  const cookie = await gate.signIn(await addBob(gate))
  const { port } = gate.sallyport()
  const probe = await openRaw({ port })
  const websocket = await openRaw({ port })
  t.teardown(() => {
    probe.destroy()
    websocket.destroy()
  })
  websocket.send(
    `GET /ws HTTP/1.1\r\nHost: app.example.com\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  )
  t.equal((await websocket.response())?.status, 101)
  probe.send('GET /.sallyport/readyz HTTP/1.1\r\nHost: x\r\n')
  const slow = gate.ask({ target: '/slow?ms=1000', cookie })
  while (gate.app.requests.length < 2) await delay(5)

  gate.sallyport().signal('SIGTERM')
  await gate.sallyport().untilLog(({ event }) => event === 'server.draining')
  probe.send('\r\n')
  const ready = await probe.response()
  t.strictSame([ready?.status, JSON.parse(ready?.text ?? '{}').status], [503, 'draining'])
  await t.rejects(openRaw({ port }), 'nobody new comes in')
  t.ok(await websocket.closed, 'a WebSocket is closed')
  const finished = await slow
  t.equal(finished.status, 200)
  t.equal(JSON.parse(finished.text).url, '/slow?ms=1000', 'whole')
  t.strictSame(await gate.sallyport().exited, { code: 0, signal: null })
})
