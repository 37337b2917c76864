import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { createRefreshTokens, LOST_FOR } from '../../src/tokens/refresh-tokens.ts'
import { newTokenText } from '../../src/tokens/token-text.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Refresh tokens over a database of their own, with a session of ada's. */
async function world(t: Test, lifetime = 7 * DAY) {
  const dir = tempDir()
  const path = `${dir.path}/sallyport.db`
  const clock = fakeClock()
  const opened: SqlStore[] = []
  const another = async () => {
    const store = await openSqlStore({ path })
    opened.push(store)
    const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
    return {
      store,
      tokens: createRefreshTokens({ store: store.refreshTokens, keys, clock }, { lifetime }),
    }
  }
  t.teardown(async () => {
    for (const store of opened) await store.close()
    dir.remove()
  })
  const { store, tokens } = await another()
  const ada = newUserId()
  await store.accounts.add(
    { id: ada, name: 'ada', displayName: 'Ada', email: '', groups: [], passwordHash: '-' },
    clock.now(),
  )
  const sessions = createSessions(
    {
      store: store.sessions,
      accountById: store.accounts.byId,
      foreignWrites: store.foreignWrites,
      clock,
    },
    {
      ...{ idle: 30 * MINUTE, absolute: 12 * HOUR, remember: 30 * DAY },
      api: { idle: 7 * DAY, absolute: 30 * DAY },
    },
  )
  const begun = await sessions.open({
    userId: ada,
    stage: 'complete',
    factors: [{ kind: 'password', at: clock.now() }],
    remember: false,
    address: '192.0.2.1',
    userAgent: 'test',
    client: 'api',
  })
  if (begun === undefined) throw new Error('no session')
  const { session } = begun
  const issued = await tokens.start(session)
  if (issued === undefined) throw new Error('no token')
  const rotate = async (text: string, by = tokens) => {
    const outcome = await by.rotate(text, session)
    return 'token' in outcome
      ? { kind: outcome.kind, text: outcome.token.reveal() }
      : { kind: outcome.kind, text: '' }
  }
  const rows = () => {
    const db = new Database(path, { timeout: 5_000 })
    const all = db
      .prepare<[], Record<string, unknown>>('select * from refresh_tokens order by created_at')
      .all()
    db.close()
    return all
  }
  return {
    clock,
    tokens,
    store,
    another,
    session,
    sessions,
    first: issued.token.reveal(),
    rotate,
    rows,
  }
}

t.test('a sign-in of a program lasts as tokens do, not as browsers do', async (t) => {
  const { session, sessions, clock, tokens } = await world(t)
  t.equal(session.idle, 7 * DAY)
  t.equal(session.endsAt, clock.now() + 30 * DAY)
  clock.advance(7 * DAY - 1)
  t.equal((await sessions.resolveId(session.id)).kind, 'active')
  clock.advance(DAY)
  const raised = await sessions.raise(session, { kind: 'totp', at: clock.now() })
  t.match(raised?.session, { client: 'api', idle: 7 * DAY, endsAt: session.endsAt })
  clock.advance(20 * DAY)
  const last = raised && (await tokens.start(raised.session))
  t.equal(last?.expiresAt, session.endsAt, 'no token outlives its session')
})

t.test('50 parallel rotations: one successor, for everybody, and one live leaf (H8)', async (t) => {
  const { first, rotate, rows, tokens } = await world(t)
  const all = await Promise.all(Array.from({ length: 50 }, () => rotate(first)))
  t.equal(new Set(all.map(({ text }) => text)).size, 1)
  t.equal(all.filter(({ kind }) => kind === 'rotated').length, 1)
  t.equal(all.filter(({ kind }) => kind === 'repeated').length, 49)
  t.strictSame(
    rows().map((row) => row['spent_at'] === 0),
    [false, true],
  )
  t.equal((await tokens.look(all[0]?.text ?? '')).kind, 'live')
})

t.test('two processes rotate one token: one spends it, both have the same (H8)', async (t) => {
  const { first, rotate, rows, another } = await world(t)
  const others = [await another(), await another()]
  const all = await Promise.all(
    Array.from({ length: 30 }, (_, i) => rotate(first, others[i % 2]?.tokens)),
  )
  t.equal(new Set(all.map(({ text }) => text)).size, 1)
  t.equal(all.filter(({ kind }) => kind === 'rotated').length, 1)
  t.equal(rows().length, 2)
})

t.test('a lost answer is given again for ten seconds, then it is reuse (H7, H8)', async (t) => {
  const { clock, first, rotate, tokens, rows } = await world(t)
  const { text: second } = await rotate(first)
  clock.advance(LOST_FOR)
  t.strictSame(await rotate(first), { kind: 'repeated', text: second })
  t.equal((await tokens.look(first)).kind, 'lost')
  clock.advance(1)
  t.equal((await tokens.look(first)).kind, 'reused')
  t.strictSame(await rotate(first), { kind: 'reused', text: '' })
  t.equal((await tokens.look(second)).kind, 'live', 'looking changes nothing')
  await tokens.sweep()
  t.strictSame(
    rows().map((row) => row['sealed_successor']),
    ['', ''],
    'what would be given again is kept no longer than that',
  )
  clock.advance(-MINUTE)
  t.equal((await tokens.look(first)).kind, 'reused', 'a clock that goes back revives nothing')
})

t.test('the next rotation empties what came before it', async (t) => {
  const { clock, first, rotate, rows } = await world(t)
  const { text: second } = await rotate(first)
  clock.advance(15 * MINUTE)
  await rotate(second)
  t.strictSame(
    rows().map((row) => row['sealed_successor'] === ''),
    [true, false, true],
  )
})

t.test('nothing that opens something is in the table (H7)', async (t) => {
  const { first, rotate, rows } = await world(t)
  const { text: second } = await rotate(first)
  const dump = JSON.stringify(rows())
  for (const text of [first, second]) {
    t.match(text, /^sallyport_ref_[0-9A-Za-z]{49}$/)
    t.notOk(dump.includes(text))
    t.notOk(dump.includes(text.slice(14, 40)))
  }
})

t.test(
  'a token ends with its time, its family or its session, whatever is spent then',
  async (t) => {
    const { clock, first, rotate, tokens, store, session, rows } = await world(t)
    const { text: second } = await rotate(first)
    await store.sessions.remove(session.id)
    t.strictSame(await rotate(second), { kind: 'unknown', text: '' }, 'its session ended elsewhere')
    t.equal(rows().length, 2, 'and nothing was spent for it')
    t.equal(await tokens.start(session), undefined)
    clock.advance(7 * DAY)
    t.strictSame(await tokens.look(second), { kind: 'unknown' })
    t.equal(await tokens.sweep(), 3, 'one emptied, two removed')
    t.equal(rows().length, 0)
  },
)

t.test('endFamily() ends all of one session', async (t) => {
  const { first, rotate, tokens, session, rows } = await world(t)
  const { text: second } = await rotate(first)
  await tokens.endFamily(session.id)
  t.strictSame(await tokens.look(second), { kind: 'unknown' })
  t.equal(rows().length, 0)
})

t.test('text that is none of ours costs no look-up', async (t) => {
  const { tokens, first, store } = await world(t)
  await store.close()
  const altered = first.slice(0, -1) + (first.endsWith('0') ? '1' : '0')
  const wrong = ['', altered, ` ${first}`, `${first}\n`, newTokenText('pat'), 'x'.repeat(100_000)]
  for (const text of wrong) {
    t.strictSame(await tokens.look(text), { kind: 'unknown' })
    t.strictSame(await tokens.rotate(text, { endsAt: 1 }), { kind: 'unknown' })
  }
  await t.rejects(tokens.look(first), { code: 'store_unavailable' }, 'an error is never an answer')
})

t.test('whoever spent it may have a clock that is a minute ahead (L24)', async (t) => {
  const { clock, first, rotate } = await world(t)
  const { text } = await rotate(first)
  clock.advance(-60 * SECOND)
  t.strictSame(await rotate(first), { kind: 'repeated', text })
})

t.test('a clock that is set back by more does not bring the grace back', async (t) => {
  const { clock, first, rotate, tokens } = await world(t)
  await rotate(first)
  clock.advance(-61 * SECOND)
  t.equal((await tokens.look(first)).kind, 'reused')
  t.strictSame(await rotate(first), { kind: 'reused', text: '' })
})
