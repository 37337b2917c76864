import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import SqliteDatabase from 'better-sqlite3'
import t from 'tap'
import {
  type Answered,
  addBob,
  HANDSHAKE,
  PORTAL,
  sessionOf,
  startGate,
  type Wanted,
} from './gate.ts'

/** Where the store does not answer, nobody is let in, and nothing is said that is not true (E2, L5). */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const { app } = gate
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)
const file = join(gate.dataDir, 'sallyport.db')

const asked = (contract: string): Wanted => ({
  target: `/.sallyport/check/${contract}`,
  cookie,
  headers: [
    ['X-Forwarded-Method', 'GET'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'asked.example.com'],
    ['X-Forwarded-Uri', '/x'],
    ['X-Original-Method', 'GET'],
    ['X-Original-URL', 'https://asked.example.com/x'],
    ['X-Forwarded-For', '192.0.2.7'],
  ],
})
const NEED_A_SESSION: readonly Wanted[] = [
  { cookie },
  { cookie, method: 'POST', target: '/strong/x' },
  { cookie, target: '/denied/x' },
  { cookie, headers: HANDSHAKE },
  asked('caddy'),
  asked('traefik'),
  asked('nginx'),
  asked('nginx/page'),
  { cookie, target: '/.sallyport/account', host: PORTAL },
  { cookie, target: '/.sallyport/login', host: PORTAL },
]
const statuses = (answers: readonly Answered[]) => answers.map((answer) => answer?.status)
const credentials = { username: bob.name, password: bob.password }

t.test('a store that fails is 503 everywhere, and an allow nowhere (E2)', async (t) => {
  t.strictSame(statuses(await gate.askAll([{ cookie }])), [200])
  const store = new SqliteDatabase(file)
  t.teardown(() => store.close())
  store.exec('alter table sessions rename to gone')
  app.reset()
  const answers = await gate.askAll(NEED_A_SESSION)
  t.strictSame(
    statuses(answers),
    NEED_A_SESSION.map(() => 503),
  )
  t.equal(app.requests.length, 0)
  for (const answer of answers) {
    t.match(answer?.header('retry-after'), /^\d+$/)
    t.notMatch(
      answer?.text,
      /sqlite|table|sessions|gone|\.db|Error:/i,
      'and tells nothing about it',
    )
    t.notMatch(answer?.headers.join(), /remote-user|set-cookie: __Secure-sallyport=/i)
  }
  const login = await gate.submit('/.sallyport/login', credentials)
  t.strictSame([login.status, sessionOf(login)], [503, undefined])
  const out = await gate.submit('/.sallyport/logout', {}, { cookie })
  t.equal(out.status, 503, 'no "signed out" that is not true')
  t.strictSame(
    statuses(await gate.askAll([{ target: '/public/x' }, {}, { cookie: '__Secure-sallyport=x' }])),
    [200, 401, 401],
    'what needs no store goes on',
  )
  store.exec('alter table gone rename to sessions')
  t.strictSame(
    statuses(await gate.askAll([{ cookie }, asked('caddy')])),
    [200, 200],
    'and it is over when it is',
  )
})

t.test('a store that others keep locked lets sessions go on and issues none', async (t) => {
  const store = new SqliteDatabase(file)
  t.teardown(() => store.close())
  store.exec('begin immediate')
  const started = performance.now()
  const [login, out, page] = await Promise.all([
    gate.submit('/.sallyport/login', credentials),
    gate.submit('/.sallyport/logout', {}, { cookie }),
    gate.ask({ cookie }),
  ])
  t.strictSame([login.status, out.status, page.status], [503, 503, 200])
  t.equal(sessionOf(login), undefined)
  t.ok(performance.now() - started < 5000, 'nobody waits for long')
  store.exec('commit')
  t.equal((await gate.ask({ cookie })).status, 200, 'it was not signed out')
  t.ok(sessionOf(await gate.submit('/.sallyport/login', credentials)))
})

t.test(
  'a database file that is moved away answers nothing, and goes on when it is back',
  async (t) => {
    t.strictSame(statuses(await gate.askAll([{ cookie }])), [200])
    renameSync(file, `${file}.away`)
    // The file is looked up once a second.
    let answers = await gate.askAll(NEED_A_SESSION)
    for (const until = Date.now() + 5_000; Date.now() < until; ) {
      if (answers[0]?.status === 503) break
      await setTimeout(100)
      answers = await gate.askAll(NEED_A_SESSION)
    }
    app.reset()
    answers = await gate.askAll(NEED_A_SESSION)
    t.strictSame(
      statuses(answers),
      NEED_A_SESSION.map(() => 503),
    )
    t.equal(app.requests.length, 0)
    renameSync(`${file}.away`, file)
    await setTimeout(1_100)
    t.strictSame(statuses(await gate.askAll([{ cookie }])), [200])
  },
)

t.test(
  'an account or a session removed by others is gone with the next request (E8, L35)',
  async (t) => {
    const store = new SqliteDatabase(file)
    t.teardown(() => store.close())
    const own = await gate.signIn(bob)
    const remove = (sql: string) => async () => store.exec(sql)
    for (const [name, act] of [
      ['sessions', remove('delete from sessions')],
      ['account', remove("update accounts set disabled = 1 where name = 'bob'")],
    ] as const) {
      const before = name === 'sessions' ? own : await gate.signIn(bob)
      t.strictSame(statuses(await gate.askAll([{ cookie: before }])), [200])
      await act()
      const wanted = NEED_A_SESSION.slice(0, 7).map((one) => ({ ...one, cookie: before }))
      app.reset()
      const after = statuses(await gate.askAll(wanted))
      t.strictSame(after, [401, 401, 403, 401, 401, 401, 401], name)
      t.equal(app.requests.length, 0)
    }
  },
)
