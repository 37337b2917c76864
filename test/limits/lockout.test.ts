import t from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { type Attempt, createLockout, type Lockout } from '../../src/limits/lockout.ts'
import { fakeClock } from '../support/fake-clock.ts'

const DURATION = 15 * MINUTE
const HOME = '203.0.113.7'
const AWAY = '198.51.100.9'

type From = readonly [account: string, network: string, device?: string]

function setUp(options: { failures?: number; maxKeys?: number } = {}) {
  const clock = fakeClock()
  const lockout = createLockout({ clock, failures: 10, duration: DURATION, ...options })
  return { clock, lockout }
}

/** Begins `times` wrong attempts and gives those that were to be judged. */
function guess(lockout: Lockout, times: number, ...from: From): readonly Attempt[] {
  return Array.from({ length: times }, () => lockout.begin(...from)).flatMap((door) =>
    door.kind === 'go' ? [door.attempt] : [],
  )
}

function attempt(lockout: Lockout, ...from: From): Attempt {
  const [one] = guess(lockout, 1, ...from)
  if (one === undefined) throw new Error('locked')
  return one
}

t.test('begin() locks the pair for the duration from the tenth failure', async (t) => {
  const { clock, lockout } = setUp()
  const start = clock.now()
  for (let i = 0; i < 9; i++) {
    t.equal(attempt(lockout, 'bob', HOME).last, false)
    clock.advance(MINUTE)
  }
  t.strictSame(lockout.check('bob', HOME), { kind: 'open' })
  const tenth = attempt(lockout, 'bob', HOME)
  t.equal(tenth.last, true)
  const until = start + 9 * MINUTE + DURATION
  t.strictSame(lockout.begin('bob', HOME), { kind: 'locked', until })
  clock.advance(DURATION - 1)
  t.strictSame(lockout.begin('bob', HOME), { kind: 'locked', until }, 'trying does not extend it')
  t.strictSame(lockout.check('bob', HOME), { kind: 'locked', until })
  clock.advance(1)
  t.strictSame(lockout.check('bob', HOME), { kind: 'open' })
  t.equal(guess(lockout, 30, 'bob', HOME).length, 10, 'it starts afresh')
})

t.test('begin() lets ten of 200 parallel attempts be judged [F6]', async (t) => {
  const { lockout } = setUp()
  let judged = 0
  let reported = 0
  const doors = await Promise.all(
    Array.from({ length: 200 }, async () => {
      await Promise.resolve()
      const door = lockout.begin('bob', HOME)
      if (door.kind === 'locked') return door.kind
      judged += 1
      await new Promise((resolve) => setImmediate(resolve))
      if (door.attempt.last) reported += 1
      return door.kind
    }),
  )
  t.equal(judged, 10)
  t.equal(doors.filter((kind) => kind === 'locked').length, 190)
  t.equal(reported, 1, 'one of them answers for the lock')
})

t.test('begin() forgets failures one by one, each after the duration', async (t) => {
  const { clock, lockout } = setUp()
  guess(lockout, 5, 'bob', HOME)
  clock.advance(DURATION - 1)
  guess(lockout, 4, 'bob', HOME)
  clock.advance(1)
  t.equal(guess(lockout, 30, 'bob', HOME).length, 6, 'four of nine still count')
})

t.test(
  'begin() locks the network and not the owner elsewhere or on a known device [F9]',
  async (t) => {
    const { lockout } = setUp()
    guess(lockout, 30, 'bob', AWAY)
    t.equal(lockout.check('bob', AWAY).kind, 'locked')
    t.equal(lockout.check('bob', HOME).kind, 'open')
    t.equal(lockout.check('bob', AWAY, 'dev_1').kind, 'open', 'from the very network of the attack')
    t.equal(lockout.check('alice', AWAY).kind, 'open')

    t.equal(guess(lockout, 30, 'bob', AWAY, 'dev_1').length, 10)
    t.equal(lockout.check('bob', AWAY, 'dev_1').kind, 'locked', 'its own failures lock it')
    t.equal(lockout.check('bob', HOME, 'dev_1').kind, 'locked', 'wherever it is taken')
    t.equal(lockout.check('bob', HOME).kind, 'open', 'and count nowhere else')
    t.equal(lockout.check('bob', HOME, 'dev_2').kind, 'open')
    t.equal(lockout.check('alice', AWAY, 'dev_1').kind, 'open')
  },
)

t.test('begin() takes no device for a network, and no account for another', async (t) => {
  const { lockout } = setUp()
  guess(lockout, 30, 'bob', HOME)
  t.equal(lockout.check('bob', 'elsewhere', HOME).kind, 'open')
  t.equal(lockout.check('bo', `b${HOME}`).kind, 'open')
  t.equal(lockout.check('', `bob${HOME}`).kind, 'open')
  t.equal(lockout.check(`bob${HOME}`, '').kind, 'open')
  t.equal(guess(lockout, 30, 'x'.repeat(10_000), HOME).length, 10)
  t.equal(guess(lockout, 30, `${'x'.repeat(9999)}y`, HOME).length, 10)
})

t.test('succeeded() forgets the failures of its own pair only', async (t) => {
  const { lockout } = setUp()
  guess(lockout, 9, 'bob', HOME)
  guess(lockout, 9, 'bob', AWAY)
  guess(lockout, 9, 'bob', HOME, 'dev_1')
  attempt(lockout, 'bob', HOME).succeeded()
  t.equal(guess(lockout, 30, 'bob', AWAY).length, 1)
  t.equal(guess(lockout, 30, 'bob', HOME, 'dev_1').length, 1)
  t.equal(guess(lockout, 30, 'bob', HOME).length, 10)
})

t.test('succeeded() in the last place opens what its own reservation had locked', async (t) => {
  const { lockout } = setUp()
  guess(lockout, 9, 'bob', HOME)
  const right = attempt(lockout, 'bob', HOME)
  t.equal(lockout.begin('bob', HOME).kind, 'locked', 'not known yet, so nobody else is judged')
  right.succeeded()
  t.equal(right.last, false)
  t.equal(lockout.check('bob', HOME).kind, 'open')
})

t.test('cancelled() takes back that attempt and no other', async (t) => {
  const { lockout } = setUp()
  const attempts = guess(lockout, 30, 'bob', HOME)
  attempts[3]?.cancelled()
  attempts[3]?.cancelled()
  attempts[3]?.succeeded()
  t.equal(attempts[9]?.last, false, 'it is not the tenth any more')
  const [again] = guess(lockout, 30, 'bob', HOME)
  t.equal(again?.last, true)
  t.equal(lockout.check('bob', HOME).kind, 'locked')
  t.equal(guess(lockout, 30, 'bob', HOME).length, 0)
  for (let i = 0; i < 100; i++) attempt(lockout, 'carol', HOME).cancelled()
  t.equal(guess(lockout, 30, 'carol', HOME).length, 10)
})

t.test('an attempt that ends late does not touch what came after it', async (t) => {
  const { clock, lockout } = setUp()
  const [late, right] = guess(lockout, 2, 'bob', HOME)
  lockout.unlock('bob')
  guess(lockout, 10, 'bob', HOME)
  late?.cancelled()
  t.equal(lockout.check('bob', HOME).kind, 'locked', 'taken back from the past, not from now')
  t.equal(late?.last, false)
  right?.succeeded()
  t.equal(lockout.check('bob', HOME).kind, 'open', 'a right password is right')

  const [old] = guess(lockout, 1, 'eve', HOME)
  clock.advance(DURATION)
  guess(lockout, 10, 'eve', HOME)
  old?.cancelled()
  t.equal(lockout.check('eve', HOME).kind, 'locked')
})

t.test('unlock() forgets every failure of the account and of no other', async (t) => {
  const { lockout } = setUp()
  const everywhere: readonly From[] = [
    ['bob', HOME],
    ['bob', AWAY],
    ['bob', HOME, 'dev_1'],
  ]
  for (const from of everywhere) guess(lockout, 30, ...from)
  guess(lockout, 30, 'bobby', HOME)
  lockout.unlock('bob')
  for (const from of everywhere) t.equal(lockout.check(...from).kind, 'open')
  t.equal(lockout.check('bobby', HOME).kind, 'locked')
  for (const from of everywhere) t.equal(guess(lockout, 30, ...from).length, 10, 'and counts anew')
  lockout.unlock('bob')
  for (const from of everywhere) t.equal(lockout.check(...from).kind, 'open')
  lockout.unlock('nobody')
})

t.test('unlock() holds until what it forgave would have faded anyway', async (t) => {
  const { clock, lockout } = setUp()
  guess(lockout, 30, 'bob', HOME)
  lockout.unlock('bob')
  clock.advance(DURATION - 1)
  for (let i = 0; i < 20; i++) lockout.unlock(`other ${i}`)
  t.equal(lockout.check('bob', HOME).kind, 'open')
})

t.test(
  'begin() under a clock that goes back locks for the duration and no longer [L23]',
  async (t) => {
    const { clock, lockout } = setUp()
    guess(lockout, 30, 'bob', HOME)
    guess(lockout, 5, 'carol', HOME)
    const now = clock.advance(-365 * 24 * 60 * MINUTE)
    t.strictSame(lockout.check('bob', HOME), { kind: 'locked', until: now + DURATION })
    t.equal(guess(lockout, 30, 'carol', HOME).length, 5, 'nothing is forgotten by it')
    clock.advance(DURATION)
    t.equal(lockout.check('bob', HOME).kind, 'open')
    t.equal(lockout.check('carol', HOME).kind, 'open')
  },
)

t.test('begin() answers alike for every name: it knows of no account [F2]', async (t) => {
  const { clock, lockout } = setUp()
  const seen = ['bob', 'no such person', ''].map((name) =>
    Array.from({ length: 30 }, () => {
      const door = lockout.begin(name, HOME)
      return door.kind === 'go' ? `go ${door.attempt.last}` : `locked ${door.until - clock.now()}`
    }),
  )
  t.strictSame(seen[0], seen[1])
  t.strictSame(seen[0], seen[2])
})

t.test('begin() keeps no more than maxKeys pairs and sweeps out what is past', async (t) => {
  const { clock, lockout } = setUp({ maxKeys: 20_000 })
  guess(lockout, 30, 'victim', HOME)
  for (let i = 0; i < 120_000; i++) {
    lockout.begin(`name ${i}`, HOME)
    if (i % 5000 === 0) t.equal(lockout.begin('victim', HOME).kind, 'locked')
  }
  t.equal(lockout.size, 20_000)
  clock.advance(DURATION)
  for (let i = 0; i < 10_000; i++) lockout.begin(`late ${i}`, HOME)
  t.equal(lockout.size, 10_000)
})

t.test('createLockout() throws on numbers that lock nobody', async (t) => {
  for (const failures of [0, -1, 1.5, Number.NaN]) t.throws(() => setUp({ failures }), TypeError)
  const clock = fakeClock()
  for (const duration of [0, -1, Number.NaN]) {
    t.throws(() => createLockout({ clock, failures: 10, duration }), TypeError)
  }
  t.equal(guess(setUp({ failures: 1 }).lockout, 9, 'bob', HOME).length, 1)
})
