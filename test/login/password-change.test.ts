import t, { type Test } from 'tap'
import { createPasswordPolicy } from '../../src/accounts/password-policy.ts'
import type { AuditContext, AuditEvent } from '../../src/audit/audit.ts'
import { createPasswordHasher } from '../../src/factors/password.ts'
import { MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { namedBudgets } from '../../src/limits/budgets.ts'
import { createLockout } from '../../src/limits/lockout.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { createPasswordChange } from '../../src/login/password-change.ts'
import { createPasswordUpkeep } from '../../src/login/password-upkeep.ts'
import type { Sessions } from '../../src/sessions/sessions.ts'
import { CONTEXT, createWorld, PASSWORD } from './world.ts'

const CHEAP = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 }
const NEXT = 'seven green bottles hang'

/** The world of sign-ins, and a change of password over the same store. */
async function changing(
  t: Test,
  options: { readonly queue?: number; readonly judged?: boolean } = {},
) {
  const world = await createWorld(t, { queue: options.queue ?? 200 })
  const { clock, store, sessions, kdf } = world
  const events: (AuditEvent & AuditContext)[] = []
  const audit = (event: AuditEvent, context: AuditContext) => events.push({ ...event, ...context })
  const passwords = createPasswordHasher({ kdf }, { cost: CHEAP })
  const changesWith = (own: Partial<Sessions> = {}) =>
    createPasswordChange(
      {
        ...{ passwords, audit, clock },
        sessions: { ...sessions, ...own },
        accounts: store.accounts,
        policy:
          options.judged === true
            ? createPasswordPolicy()
            : { check: async () => ({ kind: 'ok' }) },
        limiter: createMemoryLimiter({ clock }),
        lockout: createLockout({ clock, failures: 10, duration: 15 * MINUTE }),
      },
      { budget: namedBudgets({ auth: { count: 1000, window: MINUTE } }).auth },
    )
  const account = await world.addAccount('alice')
  const signIn = async (password = PASSWORD) => {
    const outcome = await world.enter('alice', password)
    if (outcome.kind !== 'signed_in') throw new Error(outcome.kind)
    return outcome.issued
  }
  type Session = Awaited<ReturnType<typeof signIn>>['session']
  const changeWith = (own?: Partial<Sessions>) => {
    const changes = changesWith(own)
    return (session: Session, next: string, current = '') =>
      changes.change(
        session,
        account,
        { current: new Secret(current), next: new Secret(next), endOthers: true },
        CONTEXT,
      )
  }
  const change = changeWith()
  return { ...world, events, passwords, account, signIn, change, changeWith }
}

t.test(
  'change() asks for the old password once it was not given lately, and counts it',
  async (t) => {
    const { clock, signIn, change, events, account } = await changing(t)
    const { session } = await signIn()
    clock.advance(10 * MINUTE + 1)
    for (let i = 0; i < 10; i++) {
      t.match(await change(session, NEXT, 'a wrong one here'), { kind: 'wrong' })
    }
    t.match(events.at(-1), { event: 'auth.locked', user: 'alice', userId: account.id })
    t.match(await change(session, NEXT, PASSWORD), { kind: 'wrong' }, 'locked: nobody is told')
    t.match(events.at(-1), { event: 'auth.password', reason: 'locked' })
    clock.advance(15 * MINUTE)
    t.match(await change(session, NEXT, PASSWORD), { kind: 'changed' })
  },
)

t.test('change() asks for it too when the clock was set back since it was given', async (t) => {
  const { clock, signIn, change } = await changing(t)
  const { session } = await signIn()
  clock.advance(-11 * MINUTE)
  t.match(await change(session, NEXT, 'a wrong one here'), { kind: 'wrong' })
  t.match(await change(session, NEXT, PASSWORD), { kind: 'changed' })
})

t.test(
  'of changes at the same moment one counts, and its session is the one that lives',
  async (t) => {
    const { signIn, change, sessions, account, store } = await changing(t)
    const all = await Promise.all(Array.from({ length: 8 }, () => signIn()))
    const ended = new Set<string>()
    sessions.onEnd((id) => ended.add(id))
    const outcomes = await Promise.all(all.map(({ session }, i) => change(session, `${NEXT} ${i}`)))
    const changed = outcomes.filter((outcome) => outcome.kind === 'changed')
    t.equal(changed.length, 1)
    t.equal(outcomes.filter(({ kind }) => kind === 'gone').length, 7)
    const left = await store.sessions.ofUser(account.id)
    t.strictSame(
      left.map(({ id }) => id),
      changed.map((outcome) => outcome.kind === 'changed' && outcome.issued.session.id),
    )
    t.ok(
      all.every(({ session }) => ended.has(session.id)),
      'what they hold open is told',
    )
    for (const { token } of all) t.match(await sessions.resolve(token.reveal()), { kind: 'none' })
  },
)

t.test('change() leaves a password alone that an operator set meanwhile', async (t) => {
  const { signIn, store, account, passwords, change, clock, sessions, changeWith } =
    await changing(t)
  const theirs = await passwords.hash(new Secret('what the operator has set'))
  if (theirs.kind !== 'hashed') throw new Error('busy')
  const set = () => store.accounts.setPasswordHash(account.id, theirs.phc, clock.now())
  const running = change((await signIn()).session, NEXT)
  await set()
  t.match(await running, { kind: 'gone' })
  t.equal(await store.accounts.passwordHash(account.id), theirs.phc)

  // In the last moment, too: the session has its new id, the hash is not replaced yet.
  const { session, token } = await signIn('what the operator has set')
  const again = await passwords.hash(new Secret('set by the operator again'))
  if (again.kind !== 'hashed') throw new Error('busy')
  const late = changeWith({
    renew: async (old) => {
      const issued = await sessions.renew(old)
      await store.accounts.setPasswordHash(account.id, again.phc, clock.now(), { keep: 'all' })
      return issued
    },
  })
  t.match(await late(session, NEXT), { kind: 'gone' })
  t.equal(await store.accounts.passwordHash(account.id), again.phc)
  t.match(await sessions.resolve(token.reveal()), { kind: 'none' })
  t.strictSame(await store.sessions.ofUser(account.id), [], 'the new session ends')
})

t.test('change() without a free place in the queue judges and counts nothing', async (t) => {
  const { signIn, change, kdf } = await changing(t, { queue: 1 })
  const { session } = await signIn()
  const salt = Buffer.alloc(16)
  const waiting = Array.from({ length: 2 }, () =>
    kdf.run(Buffer.from('x'), salt, { ...CHEAP, memory: 131_072 }),
  )
  t.match(await change(session, NEXT), { kind: 'busy' })
  await Promise.all(waiting)
  t.match(await change(session, NEXT), { kind: 'changed' })
})

t.test('F11 4 kB of password are refused before anything is hashed', async (t) => {
  const { signIn, change, kdf } = await changing(t, { judged: true })
  const { session } = await signIn()
  const before = kdf.runs()
  for (const next of ['ab'.repeat(2048), 'é'.repeat(513), 'x'.repeat(1_000_000)]) {
    t.match(await change(session, next), { kind: 'refused', refusal: { problem: 'too_long' } })
  }
  t.equal(kdf.runs(), before)
})

t.test('F11 a password counts to its last byte, and its two spellings are one', async (t) => {
  const { signIn, change, enter } = await changing(t)
  const long = `${'seven green bottles hang on the wall and '.repeat(2)}one`
  t.ok(Buffer.byteLength(long) > 73)
  const composed = `${long} tombée`
  t.match(await change((await signIn()).session, composed), { kind: 'changed' })
  t.match(await enter('alice', composed.normalize('NFD')), { kind: 'signed_in' })
  t.match(await enter('alice', composed.slice(0, 72)), { kind: 'refused' })
  t.match(await enter('alice', `${composed.slice(0, 72)}?${composed.slice(73)}`), {
    kind: 'refused',
  })
  t.match(await enter('alice', `${composed.slice(0, -1)}E`), { kind: 'refused' }, 'the last byte')
})

t.test(
  'given() replaces an old hash in the background; a sign-in beside it is right',
  async (t) => {
    const { store, account, kdf, sessions, clock, enter, events, signIn } = await changing(t)
    const stronger = createPasswordHasher({ kdf }, { cost: { ...CHEAP, passes: 2 } })
    const audit = (event: AuditEvent, context: AuditContext) =>
      events.push({ ...event, ...context })
    const failures: unknown[] = []
    const upkeep = createPasswordUpkeep({
      ...{ passwords: stronger, sessions, audit, clock },
      accounts: store.accounts,
      failed: (cause) => failures.push(cause),
    })
    const { token } = await signIn()
    const hash = (await store.accounts.passwordHash(account.id)) ?? ''
    const right = { account, password: new Secret(PASSWORD), hash, needsRehash: true }
    const signingIn = Array.from({ length: 6 }, () => enter('alice'))
    upkeep.given(right, { user: 'alice' })
    upkeep.given(right, { user: 'alice' })
    for (const outcome of await Promise.all(signingIn)) t.match(outcome, { kind: 'signed_in' })
    await upkeep.settled()
    t.match(await store.accounts.passwordHash(account.id), 't=2')
    t.equal(events.filter(({ event }) => event === 'password.rehashed').length, 1)
    t.match(await sessions.resolve(token.reveal()), { kind: 'active' })
    t.match(await enter('alice'), { kind: 'signed_in' })
    t.strictSame(failures, [])
  },
)

t.test('given() asks once a day whether a password leaked, and never throws', async (t) => {
  const { store, account, sessions, clock, passwords, events } = await changing(t)
  const asked: string[] = []
  const answers = { kind: 'unreachable' as 'unreachable' | 'leaked' }
  const failures: unknown[] = []
  const upkeep = createPasswordUpkeep({
    ...{ passwords, sessions, clock },
    accounts: store.accounts,
    audit: (event, context) => events.push({ ...event, ...context }),
    leaked: {
      find: async (password) => {
        asked.push(password.reveal())
        return answers.kind === 'leaked' ? { kind: 'leaked' } : { kind: 'unreachable', cause: 'no' }
      },
    },
    failed: (cause) => failures.push(cause),
  })
  const give = async (password: string, of = account) => {
    const hash = (await store.accounts.passwordHash(account.id)) ?? ''
    upkeep.given({ account: of, password: new Secret(password), hash, needsRehash: false }, {})
    await upkeep.settled()
    return (await store.accounts.byId(account.id))?.passwordDue
  }
  t.equal(await give(PASSWORD), '', 'what nobody can tell holds nobody up')
  t.same(failures, ['no'])
  answers.kind = 'leaked'
  t.equal(await give(PASSWORD), 'leaked', 'a failure is asked again')
  t.match(events.at(-1), { event: 'password.change_required', detail: 'leaked' })
  await store.accounts.setPasswordDue(account.id, '', clock.now())
  t.equal(await give(PASSWORD), '', 'asked today')
  clock.advance(24 * 60 * MINUTE)
  t.equal(await give(PASSWORD), 'leaked')
  t.equal(asked.length, 3)
})
