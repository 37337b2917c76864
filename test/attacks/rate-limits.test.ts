import t from 'tap'
import { addPerson } from '../support/people.ts'
import { type Answered, addBob, sessionOf, startGate, type Wanted } from './gate.ts'

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
