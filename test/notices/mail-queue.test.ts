import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createMailQueue, type MailEntry, QUEUE_LIMITS } from '../../src/notices/mail-queue.ts'
import type { MailSender, SendOutcome } from '../../src/notices/mail-sender.ts'
import type { NoticeKind } from '../../src/notices/notice.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT = 5 * SECOND
/** In the place of `QUEUE_LIMITS`, which take longer to reach. */
const LIMITS = { all: 24, perUser: 8 }
const SENT: SendOutcome = { kind: 'sent', response: '250 ok' }
const DOWN: SendOutcome = { kind: 'unreachable', reason: 'connect', detail: 'alice@example.com' }

const entry = (subject: string, more: Partial<MailEntry> = {}): MailEntry => ({
  kind: 'new_device',
  userId: 'usr_alice',
  mail: { to: 'alice@example.com', language: 'fr', subject, text: 'secret-link', html: '' },
  at: 7,
  ...more,
})

/** A real table, a clock that is moved, and a server that says what it is told to say. */
async function world(t: Test) {
  const dir = tempDir()
  const path = join(dir.path, 'sallyport.db')
  const clock = fakeClock()
  const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
  const place = (row: string) => ({ table: 'mail_queue', row, column: 'sealed_message' })
  const sealer = {
    seal: (text: string, row: string) => keys.seal(text, place(row)),
    open: (sealed: string, row: string) => keys.open(sealed, place(row)),
  }
  const lines: object[] = []
  const log = {
    info: (fields: object) => lines.push(fields),
    warn: (fields: object) => lines.push(fields),
  }
  const sent: string[] = []
  const ids = new Set<string>()
  let answer: (subject: string) => SendOutcome | Promise<SendOutcome> = () => SENT
  const sender: MailSender = {
    send: async ({ subject, id }) => {
      sent.push(subject)
      ids.add(id)
      return answer(subject)
    },
  }
  const open = async (more: { mayGo?: (mail: { kind: NoticeKind }) => Promise<boolean> } = {}) => {
    const store = await openSqlStore({ path })
    t.teardown(() => store.close())
    const queue = createMailQueue(
      { store: store.mailQueue, sealer, sender, clock, log, ...more },
      { timeout: TIMEOUT, limits: LIMITS },
    )
    return { store, queue }
  }
  t.teardown(dir.remove)
  const saying = (next: typeof answer) => {
    answer = next
  }
  return { clock, lines, sent, ids, open, saying, path }
}

t.test('put() writes a mail down before it is sent, and nothing of it in clear', async (t) => {
  const { open, sent, path } = await world(t)
  const { queue, store } = await open()
  t.equal(await queue.put(entry('Nouvelle connexion')), true)
  t.strictSame(sent, [], 'not before somebody hands it over')
  const db = new DatabaseSync(path)
  const row = JSON.stringify(db.prepare('select * from mail_queue').all())
  db.close()
  t.match(row, 'new_device')
  t.notMatch(row, /alice@|Nouvelle|secret-link/)
  await queue.deliver()
  t.strictSame(sent, ['Nouvelle connexion'])
  t.equal(await store.mailQueue.nextDue(), undefined)
})

t.test('deliver() tries again with growing waits, a day at most, under the same id', async (t) => {
  const { open, sent, saying, clock, lines, ids } = await world(t)
  const { queue, store } = await open()
  saying(() => ({ kind: 'put_off', reason: 'later', code: 451, response: 'alice@example.com' }))
  await queue.put(entry('one'))
  const waits: number[] = []
  for (let tries = 0; tries < 40; tries++) {
    await queue.deliver()
    const due = await store.mailQueue.nextDue()
    if (due === undefined) break
    waits.push(due - clock.now())
    await queue.deliver()
    clock.advance(due - clock.now())
  }
  t.equal(sent.length, waits.length + 1, 'once for each wait')
  t.equal(ids.size, 1)
  t.ok(
    waits.every((wait, index) => wait >= (waits[index - 1] ?? 0)),
    waits.join(' '),
  )
  t.ok(waits[0] === 30 * SECOND && waits.at(-1) === 2 * HOUR)
  const total = waits.reduce((sum, wait) => sum + wait, 0)
  t.ok(total > 20 * HOUR && total <= 24 * HOUR, `${total / HOUR} hours`)
  t.match(lines.at(-2), {
    event: 'mail.dropped',
    reason: 'expired',
    kind: 'new_device',
    id: /^mail_/,
  })
  t.notMatch(JSON.stringify(lines), 'alice', 'the log holds kind and id alone')
})

t.test('deliver() drops what is refused for good, and what nobody can use any more', async (t) => {
  const { open, sent, saying, clock, lines } = await world(t)
  const { queue, store } = await open()
  saying(() => ({ kind: 'refused', code: 550, response: '550 alice@example.com unknown' }))
  await queue.put(entry('refused'))
  await queue.put(entry('late', { kind: 'reset_link', keepUntil: clock.now() + MINUTE }))
  await queue.put(entry('fine'))
  clock.advance(MINUTE)
  await queue.deliver()
  t.strictSame(sent, ['refused', 'fine'])
  t.equal(await store.mailQueue.nextDue(), undefined)
  t.match(lines, [{ reason: 'expired' }, { reason: 'refused', code: 550 }, { reason: 'refused' }])
})

t.test('deliver() asks a server that is out of reach for all mails, not for each', async (t) => {
  const { open, sent, saying, clock } = await world(t)
  const { queue, store } = await open()
  saying(() => DOWN)
  for (let i = 0; i < 5; i++) await queue.put(entry(`n${i}`))
  await queue.deliver()
  t.equal(sent.length, 1)
  await queue.deliver()
  t.equal(sent.length, 1, 'and not at once again')
  clock.advance(2 * SECOND)
  await queue.deliver()
  t.equal(sent.length, 2)
  saying(() => SENT)
  clock.advance(MINUTE)
  await queue.deliver()
  t.strictSame([...new Set(sent)].sort(), ['n0', 'n1', 'n2', 'n3', 'n4'])
  t.equal(await store.mailQueue.nextDue(), undefined, 'it is back, and all have gone')
})

t.test('two processes send no mail twice', async (t) => {
  const { open, sent, saying } = await world(t)
  const [one, two] = [await open(), await open()]
  for (let i = 0; i < 20; i++) await one.queue.put(entry(`n${i}`, { userId: `usr_${i}` }))
  saying(() => new Promise((resolve) => setImmediate(() => resolve(SENT))))
  await Promise.all([one.queue.deliver(), two.queue.deliver(), one.queue.deliver()])
  t.equal(sent.length, 20)
  t.equal(new Set(sent).size, 20)
})

t.test('a mail that was under way when its process died is sent by the next one', async (t) => {
  const { open, sent, saying, clock } = await world(t)
  const first = await open()
  await first.queue.put(entry('one'))
  const dead = Promise.withResolvers<SendOutcome>()
  saying(() => dead.promise)
  void first.queue.deliver()
  while (sent.length === 0) await new Promise(setImmediate)
  const second = await open()
  saying(() => SENT)
  await second.queue.start()
  await second.queue.deliver()
  t.equal(sent.length, 1, 'not while it may still be under way')
  clock.advance(TIMEOUT + SECOND)
  await second.queue.deliver()
  t.strictSame(sent, ['one', 'one'])
  await second.queue.stop(0)
  dead.resolve(DOWN)
})

t.test(
  'start() tries again at once what waited for long, and stop() waits for nobody',
  async (t) => {
    const { open, sent, saying, clock } = await world(t)
    const first = await open()
    saying(() => DOWN)
    await first.queue.put(entry('one'))
    await first.queue.deliver()
    clock.advance(10 * MINUTE)
    await first.queue.deliver()
    await first.store.close()
    const second = await open()
    saying(() => new Promise(() => {}))
    await second.queue.start()
    while (sent.length < 3) await new Promise(setImmediate)
    await second.queue.stop(50)
    t.pass('though the server never answered')
  },
)

t.test(
  'no more than the limits wait, all together and for one account; links go last',
  async (t) => {
    t.strictSame(QUEUE_LIMITS, { all: 1000, perUser: 20 })
    const { open, sent, lines } = await world(t)
    const { queue } = await open()
    await queue.put(entry('link', { kind: 'reset_link' }))
    for (let i = 0; i < LIMITS.perUser + 4; i++) await queue.put(entry(`a${i}`))
    t.match(
      lines,
      Array(5).fill({ event: 'mail.dropped', reason: 'queue_full', kind: 'new_device' }),
    )
    const rest = LIMITS.all - LIMITS.perUser
    for (let i = 0; i < rest; i++) await queue.put(entry(`b${i}`, { userId: `usr_${i}` }))
    t.equal(lines.length, 5)
    t.equal(await queue.put(entry('one more', { kind: 'invitation', userId: '' })), true)
    t.equal(lines.length, 6, 'the oldest notice of all made room')
    await queue.deliver()
    t.equal(sent.length, LIMITS.all)
    t.strictSame(sent.slice(0, 2), ['link', 'one more'], 'links are first to go out')
    t.notOk(sent.includes('a5'))
    t.ok(sent.includes(`a${LIMITS.perUser + 3}`))
  },
)

t.test('links that fill their account are pushed out by newer ones alone', async (t) => {
  const { open, lines } = await world(t)
  const { queue } = await open()
  for (let i = 0; i < LIMITS.perUser; i++) await queue.put(entry(`l${i}`, { kind: 'reset_link' }))
  t.equal(await queue.put(entry('notice')), false)
  t.equal(await queue.put(entry('new link', { kind: 'reset_link' })), true, 'but by a newer one')
  t.match(lines, [{ kind: 'new_device' }, { kind: 'reset_link' }])
})

t.test('a mail for later is taken back, or asked about, before it goes', async (t) => {
  const { open, sent, clock } = await world(t)
  const asked: NoticeKind[] = []
  const { queue, store } = await open({
    mayGo: async ({ kind }) => {
      asked.push(kind)
      return asked.length === 1
    },
  })
  const kind = 'second_step_unfinished'
  const later = (key: string) => ({ key, sendAt: clock.now() + 20 * MINUTE, most: 3 })
  for (const key of ['a', 'b', 'c', 'd']) await queue.put(entry(key, { kind, later: later(key) }))
  await queue.cancel('a')
  await queue.cancel('nobody')
  await queue.deliver()
  t.strictSame(sent, [])
  clock.advance(20 * MINUTE)
  await queue.deliver()
  t.strictSame(sent, ['b'], 'a was taken back, c is once too many, d never waited')
  t.strictSame(asked, [kind, kind])
  t.equal(await store.mailQueue.nextDue(), undefined)
})
