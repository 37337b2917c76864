import t from 'tap'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { networkKey } from '../../src/lib/network.ts'
import { BUDGETS, namedBudgets } from '../../src/limits/budgets.ts'
import type { Budget, Take } from '../../src/limits/limiter.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { fakeClock } from '../support/fake-clock.ts'

const AUTH: Budget = { name: 'auth', count: 5, window: MINUTE }

function setUp(options: { maxKeys?: number } = {}) {
  const clock = fakeClock()
  const limiter = createMemoryLimiter({ clock, ...options })
  /** How many of `tries` are taken. */
  const taken = (budget: Budget, key: string, tries: number) =>
    Array.from({ length: tries }, () => limiter.take(budget, key)).filter(isTaken).length
  return { clock, limiter, taken }
}

const isTaken = (take: Take) => take.kind === 'taken'

t.test('take() spends the budget at once, then one each window / count', async (t) => {
  const { clock, limiter } = setUp()
  const burst = Array.from({ length: 6 }, () => limiter.take(AUTH, 'a'))
  t.strictSame(burst, [
    { kind: 'taken', remaining: 4, resetAfter: 12 * SECOND },
    { kind: 'taken', remaining: 3, resetAfter: 24 * SECOND },
    { kind: 'taken', remaining: 2, resetAfter: 36 * SECOND },
    { kind: 'taken', remaining: 1, resetAfter: 48 * SECOND },
    { kind: 'taken', remaining: 0, resetAfter: 60 * SECOND },
    { kind: 'limited', retryAfter: 12 * SECOND, resetAfter: 60 * SECOND },
  ])
  clock.advance(12 * SECOND - 1)
  t.strictSame(limiter.take(AUTH, 'a'), {
    kind: 'limited',
    retryAfter: 1,
    resetAfter: 48 * SECOND + 1,
  })
  clock.advance(1)
  t.strictSame(limiter.take(AUTH, 'a'), {
    kind: 'taken',
    remaining: 0,
    resetAfter: 60 * SECOND,
  })
  t.equal(limiter.take(AUTH, 'a').kind, 'limited')
  clock.advance(MINUTE)
  t.match(limiter.take(AUTH, 'a'), { kind: 'taken', remaining: 4 }, 'whole again, and no more')
})

t.test('take() loses no fraction over a rate that is no whole number of ms', async (t) => {
  const { clock, limiter } = setUp()
  const budget: Budget = { name: 'sevenths', count: 7, window: SECOND }
  let taken = 0
  for (let ms = 0; ms <= 100 * SECOND; ms++) {
    if (isTaken(limiter.take(budget, 'a'))) taken += 1
    clock.advance(1)
  }
  t.equal(taken, 7 + 700)
})

t.test(
  'take() told to wait for retryAfter is taken then and not a millisecond before',
  async (t) => {
    for (const [count, window] of [
      [7, 1000],
      [3, 10_000],
      [1, 1],
      [999, MINUTE],
    ] as const) {
      const { clock, limiter, taken } = setUp()
      const budget: Budget = { name: 'any', count, window }
      t.equal(taken(budget, 'a', count), count)
      const refused = limiter.take(budget, 'a')
      if (refused.kind !== 'limited') return t.fail('not limited')
      clock.advance(refused.retryAfter - 1)
      t.equal(limiter.take(budget, 'a').kind, 'limited', `${count}/${window}`)
      clock.advance(1)
      t.equal(limiter.take(budget, 'a').kind, 'taken', `${count}/${window}`)
    }
  },
)

t.test('take() of 200 parallel calls gives the budget and no more [F6]', async (t) => {
  const { limiter } = setUp()
  const takes = await Promise.all(
    Array.from({ length: 200 }, async () => {
      await Promise.resolve()
      return limiter.take(AUTH, 'a')
    }),
  )
  t.equal(takes.filter(isTaken).length, 5)
})

t.test('take() refused costs nothing', async (t) => {
  const { clock, taken } = setUp()
  t.equal(taken(AUTH, 'a', 1000), 5)
  clock.advance(12 * SECOND)
  t.equal(taken(AUTH, 'a', 1000), 1)
})

t.test('take() keeps budgets and keys apart, whatever they are called [F7]', async (t) => {
  const { taken } = setUp()
  const named = (name: string): Budget => ({ ...AUTH, name })
  for (const [name, key] of [
    ['a', 'bc'],
    ['ab', 'c'],
    ['', 'abc'],
    ['abc', ''],
    ['a', 'b/c'],
    ['a/b', 'c'],
    ['__proto__', 'constructor'],
    ['a', 'x'.repeat(5000)],
    ['a', `${'x'.repeat(4999)}y`],
    ['a', 'x'.repeat(63)],
  ] as const) {
    t.equal(taken(named(name), key, 9), 5, `${name} | ${key.slice(0, 20)}`)
  }
})

t.test('take() counts an IPv6 /64 and a v4-mapped address as one [F5]', async (t) => {
  const { limiter } = setUp()
  let host = 0
  const results = Array.from({ length: 20 }, () => {
    host += 1
    return limiter.take(AUTH, networkKey(`2001:db8:1:2::${host.toString(16)}`))
  })
  t.equal(results.filter(isTaken).length, 5)
  const both = ['1.2.3.4', '::ffff:1.2.3.4', '::ffff:102:304', '1.2.3.4', '1.2.3.4', '1.2.3.4']
  t.equal(both.map((a) => limiter.take(AUTH, networkKey(a))).filter(isTaken).length, 5)
})

t.test('refund() gives one back and never more than the budget', async (t) => {
  const { limiter, taken, clock } = setUp()
  limiter.refund(AUTH, 'a')
  t.equal(taken(AUTH, 'a', 9), 5, 'nothing was taken, nothing is given back')
  limiter.refund(AUTH, 'a')
  t.equal(taken(AUTH, 'a', 9), 1)
  for (let i = 0; i < 50; i++) limiter.refund(AUTH, 'a')
  t.equal(taken(AUTH, 'a', 9), 5)
  limiter.refund(AUTH, 'a')
  clock.advance(12 * SECOND)
  t.equal(taken(AUTH, 'a', 9), 2)
})

t.test(
  'take() under a clock that goes back neither locks out for ever nor refills [L23]',
  async (t) => {
    const { clock, limiter, taken } = setUp()
    t.equal(taken(AUTH, 'a', 9), 5)
    clock.advance(-365 * 24 * 60 * MINUTE)
    const refused = limiter.take(AUTH, 'a')
    t.strictSame(refused, { kind: 'limited', retryAfter: 12 * SECOND, resetAfter: MINUTE })
    clock.advance(12 * SECOND)
    t.equal(taken(AUTH, 'a', 9), 1)
    clock.advance(10 * 365 * 24 * 60 * MINUTE)
    t.equal(taken(AUTH, 'a', 9), 5)
  },
)

t.test('take() keeps no more than maxKeys keys and forgets the least recently used', async (t) => {
  const { limiter, taken } = setUp({ maxKeys: 100_000 })
  const other: Budget = { ...AUTH, name: 'other' }
  t.equal(taken(other, 'kept', 9), 5)
  t.equal(taken(AUTH, 'victim', 9), 5)
  for (let i = 0; i < 100_000; i++) {
    limiter.take(AUTH, `key ${i}`)
    if (i % 1000 === 0) t.equal(limiter.take(AUTH, 'victim').kind, 'limited')
  }
  t.equal(limiter.size(AUTH), 100_000)
  t.equal(limiter.take(AUTH, 'victim').kind, 'limited', 'still tried, still remembered')
  for (let i = 0; i < 100_000; i++) limiter.take(AUTH, `more ${i}`)
  t.equal(limiter.size(AUTH), 100_000)
  t.equal(taken(AUTH, 'victim', 9), 5, 'as good as new, after as many others')
  t.equal(taken(other, 'kept', 9), 0, 'a flood on one budget leaves the others alone')
})

t.test('take() sweeps out what owes nothing any more', async (t) => {
  const { clock, limiter } = setUp()
  for (let i = 0; i < 1000; i++) limiter.take(AUTH, `flood ${i}`)
  t.equal(limiter.size(AUTH), 1000)
  clock.advance(MINUTE)
  for (let i = 0; i < 600; i++) limiter.take(AUTH, `late ${i}`)
  t.equal(limiter.size(AUTH), 600)
})

t.test('take() throws on a budget it cannot keep to', async (t) => {
  const { limiter } = setUp()
  for (const wrong of [
    { count: 0, window: MINUTE },
    { count: 5, window: 0 },
    { count: -1, window: MINUTE },
    { count: 1.5, window: MINUTE },
    { count: Number.NaN, window: MINUTE },
    { count: 5, window: Number.POSITIVE_INFINITY },
    { count: 2 ** 40, window: 2 ** 40 },
  ]) {
    t.throws(() => limiter.take({ name: 'wrong', ...wrong }, 'a'), TypeError)
  }
  limiter.take(AUTH, 'a')
  t.throws(() => limiter.take({ ...AUTH, count: 500 }, 'a'), /auth is defined twice/)
  t.throws(() => limiter.refund({ ...AUTH, window: SECOND }, 'a'), /auth is defined twice/)
})

t.test('BUDGETS.totp lets five wrong codes through, and gives right ones back [G4]', async (t) => {
  const { clock, limiter, taken } = setUp()
  const budget = BUDGETS.totp
  for (let i = 0; i < 20; i++) {
    t.equal(limiter.take(budget, 'usr_1').kind, 'taken')
    limiter.refund(budget, 'usr_1')
  }
  t.equal(taken(budget, 'usr_1', 100), 5)
  t.equal(taken(budget, 'usr_2', 1), 1, 'another account')
  clock.advance(5 * MINUTE)
  t.equal(taken(budget, 'usr_1', 100), 5)
})

t.test('namedBudgets() names each rate by its key', async (t) => {
  const rates = { auth: { count: 5, window: MINUTE }, session: { count: 600, window: MINUTE } }
  t.strictSame(namedBudgets(rates), {
    auth: { name: 'auth', count: 5, window: MINUTE },
    session: { name: 'session', count: 600, window: MINUTE },
  })
})
