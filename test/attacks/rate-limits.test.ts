import t from 'tap'
import { addPerson, type Person } from '../support/people.ts'
import { type Answered, addBob, SESSION, sessionOf, startGate, type Wanted } from './gate.ts'

/** The budgets as they come out of the box, and who pays from which (F4-F8, A14). */
const gate = await startGate({ limits: '{auth: 5/1m, default: 120/1m, session: 1200/1m}' })
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const statusOf = (answer: Answered) => answer?.status

/** Six wrong logins one after the other; `more` makes each of them different. */
async function guess(
  more: (index: number) => Pick<Wanted, 'from' | 'headers'>,
  names: (index: number) => string = () => 'bob',
): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let i = 0; i < 6; i++) {
    const fields = { username: names(i), password: 'wrong password' }
    statuses.push((await gate.submit('/.sallyport/login', fields, more(i))).status)
  }
  return statuses
}
const LIMITED = [422, 422, 422, 422, 422, 429]

t.test('the sixth wrong login of a network in a minute is told to wait', async (t) => {
  const from = '127.0.4.1'
  t.strictSame(await guess(() => ({ from })), LIMITED)
  const { name: username, password } = bob
  const right = await gate.submit('/.sallyport/login', { username, password }, { from })
  t.equal(right.status, 429, 'also when the password is right by now')
  t.equal(sessionOf(right), undefined)
  t.match(right.header('retry-after'), /^([1-9]|1[0-2])$/)
  t.equal(right.header('ratelimit-policy'), '"auth";q=5;w=60')
  t.match(right.header('ratelimit'), /^"auth";r=0;t=\d+$/)
  const elsewhere = await gate.submit(
    '/.sallyport/login',
    { username, password },
    { from: '127.0.4.2' },
  )
  t.ok(sessionOf(elsewhere), 'others go on')
})

t.test('success costs nothing', async (t) => {
  const { name: username, password } = bob
  for (let i = 0; i < 8; i++) {
    const answer = await gate.submit(
      '/.sallyport/login',
      { username, password },
      { from: '127.0.4.3' },
    )
    t.ok(sessionOf(answer))
  }
})

t.test('names that do not exist are paid for too (F8)', async (t) => {
  t.strictSame(
    await guess(
      () => ({ from: '127.0.4.4' }),
      (i) => `nobody${i}`,
    ),
    LIMITED,
  )
})

t.test('an address that a stranger claims changes nothing (F4)', async (t) => {
  const names = ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'Client-IP', 'True-Client-IP']
  const lie = (i: number) => ({
    from: '127.0.4.5',
    headers: names.map(
      (name) => [name, name === 'Forwarded' ? `for=9.9.9.${i}` : `9.9.9.${i}`] as const,
    ),
  })
  t.strictSame(await guess(lie), LIMITED)
})

t.test('a proxy is believed for its own hop only (A14, A15)', async (t) => {
  const via = (value: string) => ({ headers: [['X-Forwarded-For', value]] as const })
  t.strictSame(
    await guess((i) => via(`203.0.113.${i}, 198.51.100.1`)),
    LIMITED,
    'the last hop counts',
  )
  t.strictSame(
    await guess((i) => via(`203.0.113.${i}, 198.51.100.2, 127.0.0.1`)),
    LIMITED,
    'behind the trusted ones',
  )
  t.strictSame(
    await guess((i) => via(`2001:db8:7:1::${i}`)),
    LIMITED,
    'an IPv6 network is one (F5)',
  )
  t.strictSame(
    await guess((i) => via(i % 2 === 0 ? '198.51.100.3' : '::ffff:198.51.100.3')),
    LIMITED,
    'a mapped address is the address',
  )
  const fine = await guess((i) => via(`198.51.101.${i}`))
  t.strictSame(fine, [422, 422, 422, 422, 422, 422], 'different clients are different')
  const rubbish = ['a', '', '1.2.3.4:80', 'unknown', '_x', '1.2.3']
  t.strictSame(await guess((i) => via(rubbish[i] ?? '')), [422, 422, 422, 422, 422, 429])
  const long = ['x'.repeat(10_000), Array(5000).fill('1').join(',')]
  for (const value of long) t.ok([422, 429].includes((await guess(() => via(value)))[5] ?? 0))
})

t.test('a flood of logins does not use up the second step (F7)', async (t) => {
  const from = '127.0.4.6'
  const carol = await addPerson(gate.dataDir, 'carol')
  const fields = { username: 'carol', password: carol.password }
  const cookie = sessionOf(await gate.submit('/.sallyport/login', fields, { from })) ?? ''
  t.strictSame(await guess(() => ({ from })), LIMITED)
  const totp = (await carol.authenticator?.next()) ?? ''
  t.ok(sessionOf(await gate.submit('/.sallyport/login/totp', { totp }, { from, cookie })))
})

t.test('visitors share the budget of their network, sessions have their own', async (t) => {
  const from = '127.0.4.7'
  const cookie = await gate.signIn(bob, { from })
  const page = Array.from({ length: 300 }, (_, i) => ({ target: `/asset/${i}.js`, cookie }))
  const first = await gate.askAll([{ cookie }], from)
  t.strictSame(first.map(statusOf), [200])
  const assets = await gate.askAll(page, from)
  t.strictSame(new Set(assets.map(statusOf)), new Set([200]), 'a page of 300 parts is whole')

  const visits = await gate.askAll(
    Array.from({ length: 130 }, () => ({})),
    from,
  )
  t.equal(visits.filter((one) => statusOf(one) === 401).length >= 110, true)
  const refused = visits.find((one) => statusOf(one) === 429)
  t.match(refused?.header('retry-after'), /^\d+$/)
  t.match(refused?.header('ratelimit'), /^"default";r=0;t=\d+$/)
  const paths = ['/public/x', '/%2e%2e/x', '/.sallyport/login', '/denied/x']
  const others = await gate.askAll(
    paths.map((target) => ({ target })),
    from,
  )
  t.strictSame(others.map(statusOf), [429, 429, 429, 429], 'whatever they ask for')
  t.equal((await gate.ask({ target: '/x', cookie, from })).status, 200, 'a session goes on')

  const asked = await gate.ask({
    target: '/.sallyport/check/nginx',
    headers: [
      ['X-Original-Method', 'GET'],
      ['X-Original-URL', 'https://asked.example.com/x'],
      ['X-Forwarded-For', from],
    ],
  })
  t.equal(asked.status, 403, 'in words that nginx passes on')
})

const classes = await startGate({
  limits: `{auth: 4/1h, default: 6/1h, session: 300/1h, api: 5/1h, webhook: 2/1h,
    classes: {exports: {rate: 3/1h, by: user}, tab: {rate: 3/1h, by: session}, all: {rate: 9/1h, by: route}}}`,
  rules: [
    '{path: /c/auth, policy: public, limit: auth}',
    '{path: /c/default, policy: one_factor, limit: default}',
    '{path: /c/session, policy: one_factor, limit: session}',
    '{path: /c/api, policy: public, limit: api}',
    '{path: /c/hook-a, policy: public, limit: webhook}',
    '{path: /c/hook-b, policy: public, limit: webhook}',
    '{path: /c/exports, policy: one_factor, limit: exports}',
    '{path: /c/tab, policy: public, limit: tab}',
    '{path: /c/all, policy: public, limit: all}',
  ],
})
t.teardown(() => classes[Symbol.asyncDispose]())
await addBob(classes)
await addPerson(classes.dataDir, 'dan', { totp: false })

/** The same question in both modes. */
const MODES = {
  proxy: (path: string, from: string, cookie?: string): Wanted => ({
    target: path,
    headers: [['X-Forwarded-For', from]],
    ...(cookie === undefined ? {} : { cookie }),
  }),
  'forward-auth': (path: string, from: string, cookie?: string): Wanted => ({
    target: '/.sallyport/check/traefik',
    headers: [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'asked.example.com'],
      ['X-Forwarded-Uri', path],
      ['X-Forwarded-For', from],
    ],
    ...(cookie === undefined ? {} : { cookie }),
  }),
} as const

for (const [index, [mode, wanted]] of Object.entries(MODES).entries()) {
  /** How many of twelve get past the limits, and the class that refuses the others. */
  const spent = async (path: string, from: string, cookie?: string) => {
    const answers = await classes.askAll(Array(12).fill(wanted(path, from, cookie)))
    const refused = answers.filter((one) => one?.status === 429)
    const names = refused.map(
      (one) => /^"(\w+)";r=0;t=\d+$/.exec(one?.header('ratelimit') ?? '')?.[1],
    )
    for (const one of refused) t.match(one?.header('retry-after'), /^[1-9]\d*$/)
    return [answers.length - refused.length, ...new Set(names)]
  }
  const at = (host: number) => `198.51.${100 + index}.${host}`

  t.test(`each class counts what it says, and says its name (${mode}) (A14, F4)`, async (t) => {
    const signIn = (name: string, host: number) =>
      classes.signIn(
        { name, password: 'correct horse battery', authenticator: undefined } as Person,
        { from: `127.0.${8 + index}.${host}` },
      )
    const [first, second, dan] = [
      await signIn('bob', 1),
      await signIn('bob', 2),
      await signIn('dan', 3),
    ]

    t.strictSame(await spent('/c/auth', at(1)), [4, 'auth'])
    t.strictSame(await spent('/c/auth', at(1), first), [0, 'auth'], 'a session changes nothing')
    t.strictSame(await spent('/c/auth', at(2)), [4, 'auth'])

    t.strictSame(await spent('/c/default', at(3), first), [6, 'default'], 'signed in or not')
    t.strictSame(await spent('/x', at(3)), [0, 'default'], 'the very budget of strangers')
    t.strictSame(await spent('/c/session', at(3), first), [12])
    t.strictSame(await spent('/c/session', at(4)), [6, 'default'])

    t.strictSame(await spent('/c/api', at(5)), [5, 'api'])
    t.strictSame(await spent('/x', at(5)), [6, 'default'], 'a class is paid instead of default')
    // Known by an earlier request: an open rule looks nobody up.
    t.strictSame(await spent('/c/api', at(5), first), [5, 'api'], 'by session behind one address')
    t.strictSame(await spent('/c/api', at(5), dan), [0, 'api'], 'not yet known: by address')
    t.strictSame(await spent('/x', at(6), dan), [12])
    t.strictSame(await spent('/c/api', at(5), dan), [5, 'api'], 'known by now')

    t.strictSame(await spent('/c/hook-a', at(7)), [2, 'webhook'])
    t.strictSame(await spent('/c/hook-b', at(7)), [2, 'webhook'], 'each rule by itself')
    t.strictSame(await spent('/c/hook-a', at(8)), [2, 'webhook'], 'each address too')
    t.strictSame(
      await spent('/C/HOOK-A', at(8)),
      [0, 'webhook', 'default'],
      'no other spelling is free',
    )

    t.strictSame(await spent('/c/all', at(9)), [9, 'all'])
    t.strictSame(await spent('/c/all', at(10)), [0, 'all'], 'whoever asks')

    if (mode === 'proxy') {
      t.strictSame(await spent('/c/exports', at(11), first), [3, 'exports'])
      t.strictSame(await spent('/c/exports', at(11), second), [0, 'exports'], 'by user')
      t.strictSame(await spent('/c/exports', at(11), dan), [3, 'exports'], 'NAT: others go on')
    } else {
      t.strictSame(await spent('/c/exports', at(11), dan), [0, 'exports'], 'both modes spend one')
    }
    t.strictSame(await spent('/c/exports', at(12)), [6, 'default'], 'nobody: by address')
    await spent('/x', at(13), second)
    t.strictSame(await spent('/c/tab', at(13), first), [3, 'tab'])
    t.strictSame(await spent('/c/tab', at(13), second), [3, 'tab'], 'each session by itself')
  })

  t.test(`cookies that were made up pay as nobody (${mode})`, async (t) => {
    for (const [i, path] of ['/c/exports', '/c/session', '/c/tab', '/c/api', '/x'].entries()) {
      const asks = Array.from({ length: 20 }, (_, n) =>
        wanted(path, at(30 + i), `${SESSION}=${`${n}${i}`.padEnd(43, 'A')}`),
      )
      const answers = await classes.askAll(asks)
      const passed = answers.filter((one) => one?.status !== 429).length
      t.equal(passed, path === '/c/api' ? 5 : 6, path)
    }
  })
}

t.test('nginx is answered 403 with what a 429 says', async (t) => {
  const check = {
    target: '/.sallyport/check/nginx',
    headers: [
      ['X-Original-Method', 'GET'],
      ['X-Original-URL', 'https://asked.example.com/c/hook-a'],
      ['X-Forwarded-For', '198.51.110.1'],
    ],
  } as const
  const answers = await classes.askAll(Array(3).fill(check))
  t.strictSame(answers.map(statusOf).sort(), [200, 200, 403])
  const refused = answers.find((one) => statusOf(one) === 403)
  t.match(refused?.header('ratelimit'), /^"webhook";r=0;t=\d+$/)
  t.match(refused?.header('retry-after'), /^\d+$/)
  t.match(refused?.text, /"code":"too_many_requests"/)
  const line = await classes
    .sallyport()
    .untilLog((one) => one['event'] === 'ratelimit.hit' && one['client_ip'] === '198.51.110.1')
  t.match(line, { reason: 'webhook', outcome: 'deny', path: '/c/hook-a' })
})

t.test('1,000 forged X-Forwarded-For of a stranger count as one (F4, A14)', async (t) => {
  const from = '127.0.4.20'
  const forged = Array.from({ length: 1000 }, (_, i) => ({
    target: '/c/api',
    headers: [['X-Forwarded-For', `10.${i >> 8}.${i & 255}.1`]] as const,
  }))
  const answers = await classes.askAll(forged, from)
  t.equal(answers.filter((one) => statusOf(one) !== 429).length, 5)
  t.equal((await classes.ask({ target: '/c/api', from: '127.0.4.21' })).status, 200)
  const mapped = ['2001:db8:9:1::1', '2001:db8:9:1:ffff::2', '2001:db8:9:1:1:2:3:4']
  const rotated = await classes.askAll(
    Array.from({ length: 30 }, (_, i) => ({
      target: '/c/api',
      headers: [['X-Forwarded-For', mapped[i % 3] ?? '']] as const,
    })),
  )
  t.equal(rotated.filter((one) => statusOf(one) === 200).length, 5, 'a /64 is one (F5)')
})

t.test('a page of 200 parts never trips the session class', async (t) => {
  const cookie = await classes.signIn(
    { name: 'dan', password: 'correct horse battery', authenticator: undefined } as Person,
    { from: '127.0.4.22' },
  )
  const page = Array.from({ length: 200 }, (_, i) => ({ target: `/asset/${i}.js`, cookie }))
  const answers = await classes.askAll(page, '127.0.4.23')
  t.strictSame(new Set(answers.map(statusOf)), new Set([200]))
})
