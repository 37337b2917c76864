import t from 'tap'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { namedBudgets, ownClasses } from '../../src/limits/budgets.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { BUILT_IN_CLASSES, CLASS_KEYS, rateClasses } from '../../src/limits/rate-class.ts'
import { createTolls, type Payer, type PricedRule } from '../../src/limits/tolls.ts'
import { fakeClock } from '../support/fake-clock.ts'

const rate = (count: number) => ({ count, window: MINUTE })

function setUp(maxKeys = 1000) {
  const clock = fakeClock()
  const limiter = createMemoryLimiter({ clock, maxKeys })
  const budgets = namedBudgets({
    auth: rate(2),
    default: rate(4),
    session: rate(6),
    api: rate(3),
    webhook: rate(2),
  })
  const own = ownClasses(
    new Map(CLASS_KEYS.map((by) => [`by ${by}`, { rate: rate(2), by }] as const)),
  )
  const classes = rateClasses(budgets, own)
  const tolls = createTolls({ limiter, classes, anonymous: budgets.default })
  const by = (limit: string | undefined, name = '1'): readonly PricedRule[] => [
    { name, ...(limit === undefined ? {} : { limit }) },
  ]
  /** How many of `tries` get through; a `known` payer is one this process has in memory. */
  const passed = (rules: readonly PricedRule[], payer: Partial<Payer>, tries = 10) =>
    Array.from({ length: tries }, () =>
      tolls.enter(rules, { address: '192.0.2.1', app: 'app', ...payer }),
    ).filter(({ kind }) => kind === 'paid').length
  return { clock, limiter, tolls, budgets, classes, by, passed }
}

const someone = (session: string, user = 'usr_a') => ({ session, user: () => user })

t.test(
  'enter() without a class: sessions pay for themselves, others for their address',
  async (t) => {
    const { by, passed, clock } = setUp()
    t.equal(passed(by(undefined), {}), 4, 'default')
    t.equal(passed(by(undefined), { address: '192.0.2.2' }), 4, 'another address')
    t.equal(passed(by(undefined), someone('ses_a')), 6, 'sessions behind the same address (NAT)')
    t.equal(passed(by(undefined), someone('ses_b')), 6, 'each')
    clock.advance(15 * SECOND)
    t.equal(passed(by(undefined), {}), 1)
  },
)

t.test('enter() counts each class by its key', async (t) => {
  const { by, passed } = setUp()
  const cases: readonly [string, Partial<Payer>, number][] = [
    ['by address', {}, 2],
    ['by address', someone('ses_a'), 0],
    ['by address', { address: '192.0.2.2' }, 2],
    ['by session', someone('ses_a'), 2],
    ['by session', someone('ses_b'), 2],
    ['by user', someone('ses_a', 'usr_a'), 2],
    ['by user', someone('ses_b', 'usr_a'), 0],
    ['by user', someone('ses_c', 'usr_b'), 2],
    ['by route', {}, 2],
    ['by route', { address: '192.0.2.9' }, 0],
    ['by address+route', {}, 2],
    ['by address+route', { address: '192.0.2.9' }, 2],
    ['by session_or_address', {}, 2],
    ['by session_or_address', { address: '192.0.2.9' }, 2],
    ['by session_or_address', someone('ses_a'), 2],
    ['by session_or_address', someone('ses_b'), 2],
    ['auth', {}, 2],
    ['default', someone('ses_a'), 4],
    ['session', someone('ses_a'), 6],
    ['api', {}, 3],
    ['api', someone('ses_a'), 3],
    ['webhook', {}, 2],
  ]
  for (const [name, payer, expected] of cases) {
    t.equal(passed(by(name), payer), expected, `${name} ${JSON.stringify(payer)}`)
  }
  for (const name of ['by route', 'by address+route', 'webhook']) {
    t.equal(passed(by(name, '2'), {}), 2, `${name}: another rule`)
    t.equal(passed(by(name, '2'), { app: 'other' }), 2, `${name}: another app`)
  }
  t.strictSame(Object.keys(BUILT_IN_CLASSES), ['auth', 'default', 'session', 'api', 'webhook'])
})

t.test(
  'enter() lets the address pay while nobody is known, and settle() gives it back',
  async (t) => {
    const { by, tolls, passed, limiter, budgets } = setUp()
    const payer = { address: '192.0.2.1', app: 'app' }
    for (const name of ['by user', 'by session', undefined]) {
      const paid = tolls.enter(by(name), payer)
      if (paid.kind !== 'paid') return t.fail('paid')
      t.equal(paid.owed.length, 1)
      const settled = tolls.settle(paid, {
        address: payer.address,
        session: 'ses_a',
        user: 'usr_a',
      })
      t.equal(settled.kind, 'paid')
    }
    t.equal(passed(by('by user'), someone('ses_z', 'usr_a')), 1, 'one was taken from the user')
    t.equal(passed(by('by session'), someone('ses_a')), 1, 'and one from the session')
    t.equal(passed(by(undefined), {}), 4, 'and nothing from the address')

    const refused = tolls.enter(by('by user'), payer)
    t.match(refused, { kind: 'limited', budget: { name: 'default' } }, 'no look-up for a flood')
    const address = { address: '192.0.2.7', app: 'app' }
    for (const expected of ['paid', 'paid', 'limited']) {
      const paid = tolls.enter(by('by user'), address)
      if (paid.kind !== 'paid') return t.fail('the address is given back each time')
      const settled = tolls.settle(paid, { ...address, session: 'ses_q', user: 'usr_q' })
      t.equal(settled.kind, expected)
      if (settled.kind === 'limited') t.equal(settled.budget.name, 'by user')
    }
    t.match(limiter.take(budgets.default, '192.0.2.7'), { remaining: 3 })
  },
)

t.test('enter() takes a session_or_address class from its own budget by address', async (t) => {
  const { by, tolls, limiter, budgets } = setUp()
  const payer = { address: '192.0.2.1', app: 'app' }
  const paid = tolls.enter(by('api'), payer)
  if (paid.kind !== 'paid') return t.fail('paid')
  t.match(limiter.take(budgets.default, payer.address), { remaining: 3 }, 'default is untouched')
  tolls.settle(paid, { address: payer.address, session: 'ses_a', user: 'usr_a' })
  t.match(limiter.take(budgets.api, 'ses_a'), { remaining: 1 })
  t.match(limiter.take(budgets.api, payer.address), { remaining: 2 }, 'given back')
})

t.test('enter() charges every class of a path with several readings, each once', async (t) => {
  const { passed, limiter, budgets } = setUp()
  const both = [{ name: '9' }, { name: '1', limit: 'webhook' }, { name: '8' }]
  t.equal(passed(both, {}, 2), 2)
  t.match(limiter.take(budgets.default, '192.0.2.1'), { remaining: 1 }, 'unnamed: once a request')
  t.equal(passed([{ name: '1', limit: 'webhook' }], {}), 0, 'no spelling has a budget of its own')
  const twoRoutes = [
    { name: '3', limit: 'webhook' },
    { name: '4', limit: 'webhook' },
  ]
  t.equal(passed(twoRoutes, {}), 2)
  t.equal(passed([{ name: '4', limit: 'webhook' }], {}), 0, 'each of its routes was paid')
})

t.test('enter() treats a class that does not exist as none', async (t) => {
  const { by, passed } = setUp()
  t.equal(passed(by('gone'), {}), 4)
})

t.test('enter() keeps memory bounded whatever comes', async (t) => {
  const { by, tolls, limiter, classes } = setUp(50)
  for (let i = 0; i < 5000; i++) {
    const payer = { address: `10.${i >> 8}.${i & 255}.1`, app: 'app', session: `ses_${i}` }
    for (const name of classes.keys()) tolls.enter(by(name), payer)
  }
  for (const { budget } of classes.values()) t.ok(limiter.size(budget) <= 50, budget.name)
})
