import t from 'tap'
import { createBalance } from '../../src/proxy/balance.ts'
import { Standing } from '../../src/proxy/standing.ts'
import { fakeClock } from '../support/fake-clock.ts'

const START = Date.UTC(2026, 0, 1)

function place(name: string, clock: ReturnType<typeof fakeClock>) {
  return { name, standing: new Standing(clock) }
}

t.test('Standing leaves a place alone for longer each time, and never for long', async (t) => {
  const clock = fakeClock(START)
  const standing = new Standing(clock)
  t.equal(standing.isUp, true)
  for (const seconds of [1, 2, 4, 8, 16, 30, 30, 30]) {
    standing.unreachable()
    t.equal(standing.rest, seconds * 1_000)
    clock.advance(seconds * 1_000 - 1)
    t.equal(standing.isUp, false)
    clock.advance(1)
    t.equal(standing.isUp, true)
    standing.tried()
  }
  standing.reached()
  t.equal(standing.isUp, true)
  standing.unreachable()
  t.equal(standing.rest, 1_000, 'a connection that came about clears it')
})

t.test('Standing counts failures that were under way together as one', async (t) => {
  const standing = new Standing(fakeClock(START))
  for (let i = 0; i < 100; i++) standing.unreachable()
  t.equal(standing.rest, 1_000)
})

t.test('Standing lets one request find out, while the others leave the place alone', async (t) => {
  const clock = fakeClock(START)
  const standing = new Standing(clock)
  standing.unreachable()
  clock.advance(1_000)
  t.equal(standing.isUp, true)
  standing.tried()
  t.equal(standing.isUp, false)
  clock.advance(1_000)
  t.equal(standing.isUp, true, 'one that never finds out does not keep it out for ever')
})

t.test('Standing is not misled by a clock that is set back', async (t) => {
  const clock = fakeClock(START)
  const standing = new Standing(clock)
  standing.unreachable()
  clock.advance(-3_600_000)
  t.equal(standing.isUp, true)
})

t.test('Standing heeds health checks, and tells every change once', async (t) => {
  const changes: boolean[] = []
  const standing = new Standing(fakeClock(START), (up) => changes.push(up))
  standing.checked(true)
  standing.checked(false)
  standing.checked(false)
  t.equal(standing.isUp, false)
  standing.reached()
  t.equal(standing.isUp, false, 'a connection alone does not make it well')
  standing.unreachable()
  standing.checked(true)
  t.equal(standing.isUp, true)
  t.strictSame(changes, [false, true])
})

t.test('pick() takes the first that is up, in the order given', async (t) => {
  const clock = fakeClock(START)
  const [a, b] = [place('a', clock), place('b', clock)]
  const balance = createBalance([a, b], 'first')
  t.equal(balance.pick(), a)
  t.equal(balance.pick(), a)
  a.standing.unreachable()
  t.equal(balance.pick(), b)
  clock.advance(1_000)
  t.equal(balance.pick(), a, 'one request finds out')
  t.equal(balance.pick(), b)
  a.standing.reached()
  t.equal(balance.pick(), a)
})

t.test('pick() goes round among those that are up', async (t) => {
  const clock = fakeClock(START)
  const places = [place('a', clock), place('b', clock), place('c', clock)] as const
  const balance = createBalance(places, 'round_robin')
  const names = (count: number) => Array.from({ length: count }, () => balance.pick().name).join('')
  t.equal(names(7), 'abcabca')
  places[1].standing.unreachable()
  t.notMatch(names(9), /b/)
})

t.test(
  'pick() takes the one left alone for longest when none is up, and next() none',
  async (t) => {
    const clock = fakeClock(START)
    const [a, b] = [place('a', clock), place('b', clock)]
    const balance = createBalance([a, b], 'round_robin')
    b.standing.unreachable()
    clock.advance(500)
    a.standing.unreachable()
    t.equal(balance.pick(), b)
    t.equal(balance.next(new Set([b])), undefined)
  },
)

t.test('next() never gives a place that was tried', async (t) => {
  const clock = fakeClock(START)
  const [a, b] = [place('a', clock), place('b', clock)]
  const balance = createBalance([a, b], 'first')
  t.equal(balance.next(new Set([a])), b)
  t.equal(balance.next(new Set([a, b])), undefined)
  t.equal(createBalance([a], 'first').next(new Set()), undefined)
})
