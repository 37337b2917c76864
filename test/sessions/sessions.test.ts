import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { newUserId } from '../../src/accounts/user-id.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import type { Session, SessionStore } from '../../src/sessions/session.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { createWorld, OPTIONS } from './world.ts'

t.test('resolve() knows whose session it is and how well it was proved', async (t) => {
  const { open, sessions, clock } = await createWorld(t)
  const { token, session } = await open()
  t.match(token.reveal(), /^[\w-]{43}$/, '256 bits')
  t.notMatch(JSON.stringify(session), token.reveal(), 'of which only the digest is kept')
  t.match(await sessions.resolve(token.reveal()), {
    kind: 'active',
    session: { id: session.id },
    principal: { name: 'bob', groups: ['staff'], level: 'one_factor' },
  })
  const both = [
    { kind: 'password', at: clock.now() },
    { kind: 'totp', at: clock.now() },
  ] as const
  const strong = await open({ factors: both })
  t.match(await sessions.resolve(strong.token.reveal()), { principal: { level: 'two_factor' } })
  const pending = await open({ stage: 'pending' })
  const owing = await sessions.resolve(pending.token.reveal())
  t.equal(owing.kind, 'pending')
  t.notOk('principal' in owing, 'nobody yet')
})

t.test('resolve() takes nothing for a token that is none (E1)', async (t) => {
  const { open, sessions } = await createWorld(t)
  const { token, session } = await open()
  const text = token.reveal()
  const bad = ['', 'x', text.slice(1), `${text}A`, ` ${text}`, `${text}=`, text.replace(/.$/, '+')]
  for (const one of [...bad, session.id, session.tokenHash, 'x'.repeat(8000), '\0'.repeat(43)]) {
    t.strictSame(await sessions.resolve(one), { kind: 'none' }, one.slice(0, 50))
    t.equal(sessions.familiar(one), undefined)
  }
})

t.test('a session ends when it was idle for its time, and use puts that off', async (t) => {
  const { open, kindOf, clock } = await createWorld(t)
  const used = (await open()).token.reveal()
  const unused = (await open()).token.reveal()
  for (let i = 0; i < 6; i++) {
    clock.advance(29 * MINUTE)
    t.equal(await kindOf(used), 'active', `after ${(i + 1) * 29} minutes of use`)
    if (i === 0) t.equal(await kindOf(unused), 'active')
  }
  t.equal(await kindOf(unused), 'none')
  clock.advance(30 * MINUTE)
  t.equal(await kindOf(used), 'none', 'at the very end of the half hour')
})

t.test('use in the last seconds counts while the answer is in memory', async (t) => {
  const { open, kindOf, clock } = await createWorld(t)
  const token = (await open()).token.reveal()
  clock.advance(30 * MINUTE - 5 * SECOND)
  t.equal(await kindOf(token), 'active')
  clock.advance(7 * SECOND)
  t.equal(await kindOf(token), 'active', 'it was used seven seconds ago')
})

t.test('a session ends at its absolute end however much it is used', async (t) => {
  const { open, kindOf, sessions, clock } = await createWorld(t)
  const { token, session } = await open()
  const from = clock.now()
  while (clock.now() + 20 * MINUTE < from + 12 * HOUR) {
    clock.advance(20 * MINUTE)
    t.equal(await kindOf(token.reveal()), 'active')
  }
  clock.advance(from + 12 * HOUR - clock.now() - 1)
  t.equal(await kindOf(token.reveal()), 'active')
  t.ok(await sessions.isAlive(session.id))
  clock.advance(1)
  t.equal(await kindOf(token.reveal()), 'none', 'also out of memory')
  t.notOk(await sessions.isAlive(session.id), 'also for what is open still')
})

t.test('remember gives both ends 30 days, and only those', async (t) => {
  const { open, kindOf, clock } = await createWorld(t)
  const token = (await open({ remember: true })).token.reveal()
  clock.advance(29 * DAY)
  t.equal(await kindOf(token), 'active')
  clock.advance(DAY - 1)
  t.equal(await kindOf(token), 'active')
  clock.advance(1)
  t.equal(await kindOf(token), 'none')
})

t.test('a pending session lasts 20 minutes, remembered or not', async (t) => {
  const { open, kindOf, clock } = await createWorld(t)
  const tokens = [
    await open({ stage: 'pending' }),
    await open({ stage: 'pending', remember: true }),
  ]
  clock.advance(20 * MINUTE - 1)
  for (const { token } of tokens) t.equal(await kindOf(token.reveal()), 'pending')
  clock.advance(1)
  for (const { token } of tokens) t.equal(await kindOf(token.reveal()), 'none')
})

t.test(
  'raise() gives a new id and token and kills the old ones in the same step (E4)',
  async (t) => {
    const { open, kindOf, sessions, clock } = await createWorld(t)
    const before = await open({ stage: 'pending', remember: true })
    t.equal(await kindOf(before.token.reveal()), 'pending')
    const ended: string[] = []
    sessions.onEnd((id) => ended.push(id))
    clock.advance(5 * MINUTE)
    const after = await sessions.raise(before.session, { kind: 'totp', at: clock.now() })
    t.ok(after)
    if (after === undefined) return
    t.not(after.session.id, before.session.id)
    t.not(after.token.reveal(), before.token.reveal())
    t.equal(await kindOf(before.token.reveal()), 'none')
    t.strictSame(ended, [before.session.id])
    t.match(await sessions.resolve(after.token.reveal()), {
      kind: 'active',
      principal: { level: 'two_factor' },
    })
    t.equal(
      after.session.endsAt,
      before.session.createdAt + 30 * DAY,
      'counted from its first proof',
    )
    t.equal(
      await sessions.raise(before.session, { kind: 'totp', at: clock.now() }),
      undefined,
      'once',
    )
  },
)

t.test('of parallel rises one succeeds', async (t) => {
  const { open, sessions, clock } = await createWorld(t)
  const { session } = await open({ stage: 'pending' })
  const rises = await Promise.all(
    Array.from({ length: 20 }, () => sessions.raise(session, { kind: 'totp', at: clock.now() })),
  )
  t.equal(rises.filter(Boolean).length, 1)
  t.equal((await sessions.ofUser(session.userId)).length, 1)
})

t.test('a session that was raised cannot be stretched by raising it again', async (t) => {
  const { open, sessions, clock } = await createWorld(t)
  const first = await open()
  clock.advance(20 * MINUTE)
  const second = await sessions.raise(first.session, { kind: 'totp', at: clock.now() })
  t.equal(second?.session.endsAt, first.session.endsAt)
  t.strictSame(
    second?.session.factors.map(({ kind }) => kind),
    ['password', 'totp'],
  )
})

t.test('flush() writes the last use down, once, and keeps it when that fails', async (t) => {
  const { open, kindOf, sessions, store, another, clock } = await createWorld(t)
  const { token, session } = await open()
  clock.advance(25 * MINUTE)
  t.equal(await kindOf(token.reveal()), 'active')
  t.equal((await store.sessions.byId(session.id))?.lastSeenAt, session.createdAt, 'not yet')
  await sessions.flush()
  t.equal((await store.sessions.byId(session.id))?.lastSeenAt, clock.now())
  clock.advance(20 * MINUTE)
  t.equal(await kindOf(token.reveal(), await another()), 'active', 'after a restart it counts')

  clock.advance(MINUTE)
  t.equal(await kindOf(token.reveal()), 'active')
  const { touch } = store.sessions
  Object.assign(store.sessions, { touch: () => Promise.reject(new Error('disk full')) })
  await t.rejects(sessions.flush(), /disk full/)
  Object.assign(store.sessions, { touch })
  await sessions.flush()
  t.equal(
    (await store.sessions.byId(session.id))?.lastSeenAt,
    clock.now(),
    'kept for the next time',
  )
})

t.test('sweep() removes what is over and nothing else', async (t) => {
  const { open, sessions, store, clock } = await createWorld(t)
  await open()
  await open({ stage: 'pending' })
  const kept = await open({ remember: true })
  clock.advance(31 * MINUTE)
  t.equal(await sessions.sweep(), 2)
  t.strictSame(
    (await store.sessions.list()).map(({ id }) => id),
    [kept.session.id],
  )
})

t.test('ending many sessions does not search all that are remembered for each', async (t) => {
  const known = new Map<string, Session>()
  const bob = newUserId()
  const account = { id: bob, name: 'bob', groups: [], passwordDue: '' } as unknown as Account
  const sessions = createSessions(
    {
      store: {
        add: async (session: Session) => {
          known.set(session.tokenHash, session)
          return true
        },
        removeBeyond: async () => [],
        byTokenHash: async (hash: string) => known.get(hash),
        removeOfUser: async () => {
          const ids = [...known.values()].map(({ id }) => id)
          known.clear()
          return ids
        },
      } as unknown as SessionStore,
      accountById: async () => account,
      foreignWrites: { seen: () => false },
      clock: fakeClock(),
    },
    OPTIONS,
  )
  const tokens: string[] = []
  for (let i = 0; i < 5_000; i++) {
    const issued = await sessions.open({
      userId: bob,
      stage: 'complete',
      factors: [{ kind: 'password', at: 0 }],
      remember: false,
      address: '192.0.2.1',
      userAgent: 'test',
    })
    const token = issued?.token.reveal() ?? ''
    tokens.push(token)
    await sessions.resolve(token)
  }
  t.ok(sessions.familiar(tokens[0] ?? ''))
  const from = performance.now()
  t.equal(await sessions.endOfUser(bob), 5_000)
  t.ok(performance.now() - from < 400, 'a search for each takes seconds')
  t.equal(sessions.familiar(tokens[0] ?? ''), undefined)
  t.equal((await sessions.resolve(tokens[4_999] ?? '')).kind, 'none')
})

t.test('of too many sessions of one account those end that were used least lately', async (t) => {
  const { open, kindOf, sessions, store, bob, clock } = await createWorld(t)
  const program = await open({ client: 'api' })
  const first = (await open()).token.reveal()
  const second = (await open()).token.reveal()
  clock.advance(MINUTE)
  t.equal(await kindOf(first), 'active')
  await sessions.flush()
  for (let i = 0; i < 198; i++) await open()
  clock.advance(MINUTE)
  t.equal(await kindOf(second), 'active', '200 of them')
  await sessions.flush()
  const ended: string[] = []
  sessions.onEnd((id) => ended.push(id))
  clock.advance(MINUTE)
  await open()
  t.equal(ended.length, 1, 'what it holds open ends too')
  t.equal(await kindOf(first), 'none')
  t.equal(await kindOf(second), 'active')
  t.equal((await store.sessions.ofUser(bob)).length, 201, 'a program’s sessions count apart')
  t.ok(await sessions.isAlive(program.session.id))
  clock.advance(-HOUR)
  const late = (await open()).token.reveal()
  t.equal(await kindOf(late), 'active', 'the new one stays, though the clock was set back')
  clock.advance(HOUR)
  for (let i = 0; i < 60; i++) await open({ stage: 'pending' })
  const left = (await store.sessions.ofUser(bob)).filter(({ stage }) => stage === 'pending')
  t.equal(left.length, 50, 'half a sign-in ends no whole one')
  const [one] = left
  if (one === undefined) throw new Error('no session')
  const raised = await sessions.raise(one, { kind: 'totp', at: clock.now() })
  t.not(raised, undefined)
  t.equal(
    (await store.sessions.ofUser(bob)).filter(({ stage }) => stage === 'complete').length,
    201,
  )
})
