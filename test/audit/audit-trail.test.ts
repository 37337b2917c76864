import t from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import type { AuditContext, AuditEvent } from '../../src/audit/audit.ts'
import type { AuditRow } from '../../src/audit/audit-store.ts'
import { createAuditTrail } from '../../src/audit/audit-trail.ts'
import { AppError } from '../../src/lib/app-error.ts'
import { DAY } from '../../src/lib/duration.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(dir.remove)
const store = await openSqlStore({ path: dir.at('audit.db') })
t.teardown(store.close)

const ada = newUserId()
const right: AuditEvent = { event: 'auth.password', outcome: 'success' }
const wrong: AuditEvent = { event: 'auth.password', outcome: 'failure', reason: 'wrong' }
const refused: AuditEvent = {
  event: 'request.refused',
  outcome: 'deny',
  reason: 'denied',
  status: '403',
  app: 'wiki',
  rule: '2',
  method: 'GET',
  host: 'wiki.example.com',
  path: `/${'x'.repeat(5000)}`,
}
const where: AuditContext = {
  requestId: '7F3K-2Q9D',
  clientIp: '192.0.2.1',
  user: 'ada',
  userId: ada,
  userAgent: `Mozilla ${'x'.repeat(5000)}`,
}

t.test('note() keeps an event so that its reference finds it again', async (t) => {
  const clock = fakeClock()
  const trail = createAuditTrail({ store: store.audit, clock })
  trail.note(refused, where)
  t.strictSame(await store.audit.find({ requestId: '7F3K-2Q9D', limit: 10 }), [], 'not yet')
  await trail.flush()
  const [row, ...others] = await store.audit.find({ requestId: '7F3K-2Q9D', limit: 10 })
  t.strictSame(others, [])
  t.match(row, {
    at: clock.now(),
    event: 'request.refused',
    outcome: 'deny',
    reason: 'denied',
    clientIp: '192.0.2.1',
    userId: ada,
    userName: 'ada',
    details: { app: 'wiki', rule: '2', method: 'GET', host: 'wiki.example.com' },
  })
  t.equal(row?.details['path']?.length, 256, 'what a client makes long is cut')
  t.equal(row?.userAgent.length, 256)
})

t.test('activity() is of one account, newest first, and misses nothing just noted', async (t) => {
  const clock = fakeClock()
  const trail = createAuditTrail({ store: store.audit, clock })
  const eve = newUserId()
  const begin = clock.now()
  trail.note(right, { ...where, userId: eve })
  clock.advance(DAY)
  trail.note(
    { event: 'factor.passkey_added', outcome: 'success', detail: 'My phone' },
    { ...where, userId: eve },
  )
  trail.note(right, { ...where, userId: newUserId() })
  t.match(await trail.activity(eve, begin, 10), [
    { event: 'factor.passkey_added', detail: 'My phone', address: '192.0.2.1' },
    { event: 'auth.password', detail: '' },
  ])
  t.match(await trail.activity(eve, begin + 1, 10), [{ event: 'factor.passkey_added' }])
  t.equal((await trail.activity(eve, begin, 1)).length, 1)
})

t.test('what strangers cause takes no room of what it takes an account to cause', async (t) => {
  const rows: AuditRow[] = []
  const trail = createAuditTrail(
    { store: { ...store.audit, add: async (some) => void rows.push(...some) }, clock: fakeClock() },
    { waiting: 3 },
  )
  for (let i = 0; i < 10; i++) trail.note(wrong, where)
  for (let i = 0; i < 50; i++) trail.note(right, where)
  await trail.flush()
  const count = (outcome: string) => rows.filter((row) => row.outcome === outcome).length
  t.equal(count('failure'), 3)
  t.equal(count('success'), 27 + 1, 'and the count of what was dropped')
  t.match(rows.at(-1), { event: 'audit.dropped', details: { count: '30' } })
})

t.test('what comes faster than it is written is counted, not kept', async (t) => {
  const rows: AuditRow[] = []
  const trail = createAuditTrail(
    { store: { ...store.audit, add: async (some) => void rows.push(...some) }, clock: fakeClock() },
    { waiting: 3 },
  )
  for (let i = 0; i < 10; i++) trail.note(wrong, where)
  await trail.flush()
  t.strictSame(
    rows.map(({ event, details }) => [event, details['count']]),
    [...Array(3).fill(['auth.password', undefined]), ['audit.dropped', '7']],
  )
  rows.length = 0
  trail.note(right, where)
  await trail.flush()
  t.equal(rows.length, 1, 'and it goes on')
})

t.test('what the store does not take is kept for the next time, in its order', async (t) => {
  const rows: AuditRow[] = []
  let isOut = true
  const add = async (some: readonly AuditRow[]) => {
    if (isOut) throw new AppError('store_unavailable', 'out')
    rows.push(...some)
  }
  const trail = createAuditTrail({ store: { ...store.audit, add }, clock: fakeClock() })
  trail.note(wrong, where)
  await t.rejects(trail.flush(), { code: 'store_unavailable' })
  trail.note(right, where)
  isOut = false
  await Promise.all([trail.flush(), trail.flush()])
  t.strictSame(
    rows.map(({ outcome }) => outcome),
    ['failure', 'success'],
    'once each',
  )
})

t.test(
  'sweep() keeps the newest of each outcome, so failures push out failures alone',
  async (t) => {
    const clock = fakeClock()
    const own = await openSqlStore({ path: dir.at('sweep.db') })
    t.teardown(own.close)
    const trail = createAuditTrail(
      { store: own.audit, clock },
      { keepFor: 10 * DAY, refusals: 5, successes: 8 },
    )
    trail.note(right, where)
    clock.advance(11 * DAY)
    for (let i = 0; i < 3; i++) trail.note(right, where)
    for (let i = 0; i < 50; i++) trail.note(wrong, { ...where, requestId: `${i}` })
    for (let i = 0; i < 7; i++) trail.note(refused, where)
    await trail.flush()
    t.equal(await trail.sweep(), 1 + 45 + 2)
    const left = await own.audit.find({ limit: 1000 })
    const count = (outcome: string) => left.filter((row) => row.outcome === outcome).length
    t.strictSame([count('success'), count('failure'), count('deny')], [3, 5, 5])
    t.equal(left.find(({ outcome }) => outcome === 'failure')?.requestId, '49', 'the newest stay')
    t.equal(await trail.sweep(), 0)
  },
)
