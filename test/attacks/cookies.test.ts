import t from 'tap'
import { addPerson } from '../support/people.ts'
import { addBob, SESSION, sessionOf, startGate, type Wanted } from './gate.ts'

/** Our cookies: what becomes of them between browser, program and app. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const { app } = gate
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)

t.test('our cookies never reach the app, and it cannot set them (A20, E15)', async (t) => {
  const names = ['sallyport', '__Host-sallyport', '__Secure-sallyport', '__secure-SALLYPORT']
  const ours = names.flatMap((name) =>
    ['', '-device', '-form', '-language'].map((end) => name + end),
  )
  const spelled = ours.flatMap((name) => [`${name}=SECRET`, ` ${name} = SECRET`, `=${name}=SECRET`])
  const wanted = spelled.map(
    (text): Wanted => ({ target: '/public/x', cookie: `theme=dark; ${cookie}; ${text};a=1; b=2` }),
  )
  app.reset()
  await gate.askAll([
    ...wanted,
    {
      target: '/public/x',
      headers: [
        ['Cookie', 'x=1'],
        ['cookie', cookie],
        ['COOKIE', 'y=2'],
      ],
    },
  ])
  t.equal(app.requests.length, wanted.length + 1)
  const seen = app.requests.map((one) => one.all('cookie').join(' AND '))
  t.notMatch(seen.join('\n'), /sallyport|SECRET/i)
  const kinds = new Set(seen)
  t.strictSame(kinds, new Set(['theme=dark;a=1; b=2', 'x=1; y=2']), 'the others as they were')

  const set = [...spelled, 'theme=light; Path=/', `a=${SESSION}`]
  const query = new URLSearchParams(set.map((value) => ['Set-Cookie', `${value}; Path=/`]))
  const answer = await gate.ask({ target: `/set?${query}`, cookie })
  t.strictSame(
    answer.all('set-cookie').map((value) => value.split(';')[0]),
    ['theme=light', `a=${SESSION}`],
  )
})

t.test('signing in never takes over a session that was there before (E3, E4, E14)', async (t) => {
  const carol = await addPerson(gate.dataDir, 'carol')
  const attacker = await gate.signIn(bob)
  const login = { username: 'carol', password: carol.password }
  const first = await gate.submit('/.sallyport/login', login, { cookie: attacker })
  const pending = sessionOf(first) ?? ''
  t.not(pending, attacker)
  t.equal(
    (await gate.ask({ cookie: attacker })).status,
    401,
    "the one before is dead, whoever's it was",
  )
  const totp = (await carol.authenticator?.next()) ?? ''
  const second = await gate.submit('/.sallyport/login/totp', { totp }, { cookie: pending })
  const complete = sessionOf(second) ?? ''
  t.not(complete, pending, 'the id changes when the second factor is proved')
  t.equal((await gate.ask({ cookie: pending })).status, 401)
  t.equal((await gate.ask({ target: '/strong/x', cookie: complete })).status, 200)
  t.equal(app.last().all('remote-user')[0], 'carol')

  for (const both of [`${cookie}; ${complete}`, `${complete}; ${cookie}`]) {
    t.equal((await gate.ask({ cookie: both })).status, 401, 'of two sessions none is believed')
  }
  const value = complete.slice(SESSION.length + 1)
  t.equal(
    (await gate.ask({ cookie: `sallyport=${value.replace(/./, 'x')}; ${complete}` })).status,
    200,
  )
})

t.test('every cookie of ours is bound as tightly as it can be (V3.3)', async (t) => {
  const page = await gate.ask({ target: '/.sallyport/login?lang=fr', host: 'auth.example.com' })
  const { name: username, password } = bob
  const signedIn = await gate.submit('/.sallyport/login', { username, password, remember: '1' })
  const out = await gate.submit('/.sallyport/logout', {}, { cookie: sessionOf(signedIn) ?? '' })
  const set = [...page.all('set-cookie'), ...signedIn.all('set-cookie'), ...out.all('set-cookie')]
  t.equal(set.length, 5)
  for (const value of set) {
    t.match(value, /^__Secure-sallyport(?:-\w+)?=/)
    for (const part of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/', 'Domain=example.com']) {
      t.ok(value.split('; ').includes(part), `${part} in ${value}`)
    }
    t.ok(value.length < 400)
    t.notMatch(value, /bob/)
  }
})
