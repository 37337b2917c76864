import t from 'tap'
import { AppError } from '../../src/lib/app-error.ts'
import { MINUTE } from '../../src/lib/duration.ts'
import { CONTEXT, codeAt, createWorld, PASSWORD, rename } from './world.ts'

t.test('withPassword() opens a session, pending where a second factor is owed', async (t) => {
  const { enter, addAccount, sessions, events } = await createWorld(t)
  await addAccount('bob')
  await addAccount('ada', { totp: true })
  const bob = await enter('bob')
  t.match(bob, { kind: 'signed_in', next: 'done', issued: { session: { stage: 'complete' } } })
  const ada = await enter(' ADA ')
  t.match(ada, {
    kind: 'signed_in',
    next: 'second_step',
    issued: { session: { stage: 'pending' } },
  })
  if (ada.kind !== 'signed_in') return
  t.equal((await sessions.resolve(ada.issued.token.reveal())).kind, 'pending')
  t.strictSame(
    events.map(({ event, outcome, user }) => [event, outcome, user]),
    [
      ['auth.password', 'success', 'bob'],
      ['session.created', 'success', 'bob'],
      ['auth.password', 'success', 'ada'],
      ['session.created', 'success', 'ada'],
    ],
  )
})

t.test(
  'every refusal is the same answer after the same work; the log alone knows why (F1, O6)',
  async (t) => {
    const { enter, addAccount, store, kdf, events, clock } = await createWorld(t)
    for (const name of ['bob', 'shut']) await addAccount(name)
    await addAccount('ada', { totp: true })
    const dead = await addAccount('dead')
    await store.accounts.setDisabled(dead.id, true, clock.now())
    for (const name of ['shut', 'none']) for (let i = 0; i < 10; i++) await enter(name, 'wrong')
    events.length = 0
    const cases: readonly (readonly [name: string, password: string, reason: string])[] = [
      ['nobody', 'wrong', 'unknown_account'],
      ['bob', 'wrong', 'wrong'],
      ['ada', 'wrong', 'wrong'],
      ['dead', 'wrong', 'wrong'],
      ['dead', PASSWORD, 'disabled'],
      ['shut', PASSWORD, 'locked'],
      ['shut', 'wrong', 'locked'],
      ['none', PASSWORD, 'locked'],
      ['bob', '', 'wrong'],
      ['bob', 'x'.repeat(5000), 'wrong'],
      ['', 'wrong', 'unknown_account'],
      ['x'.repeat(5000), 'wrong', 'unknown_account'],
      ["' or 1=1 --", 'wrong', 'unknown_account'],
      ['bob\u200b', PASSWORD, 'unknown_account'],
    ]
    for (const [name, password, reason] of cases) {
      const before = kdf.runs()
      t.strictSame(
        await enter(name, password),
        { kind: 'refused' },
        `${name.slice(0, 20)}: ${reason}`,
      )
      t.equal(kdf.runs() - before, 1, 'one hash')
      t.match(events.at(-1), { event: 'auth.password', outcome: 'failure', reason })
    }
    t.equal(events.length, cases.length)
    t.ok(events.every(({ user = '' }) => user.length <= 128))
    t.notMatch(JSON.stringify(events), PASSWORD)
  },
)

t.test('a sixth try in a minute is not even looked at; success gives its try back', async (t) => {
  const { enter, addAccount, kdf, clock } = await createWorld(t, { auth: 5 })
  await addAccount('bob')
  for (let i = 0; i < 8; i++) t.equal((await enter('bob')).kind, 'signed_in')
  for (let i = 0; i < 5; i++) t.equal((await enter(`n${i}`, 'wrong')).kind, 'refused')
  const before = kdf.runs()
  t.match(await enter('bob'), {
    kind: 'limited',
    budget: { name: 'auth' },
    take: { kind: 'limited' },
  })
  t.equal(kdf.runs(), before)
  t.equal(
    (await enter('bob', PASSWORD, { address: '192.0.2.2' })).kind,
    'signed_in',
    'others go on',
  )
  t.equal((await enter('bob', PASSWORD, { address: '::ffff:192.0.2.1' })).kind, 'limited', 'mapped')
  clock.advance(12_000)
  t.equal((await enter('bob')).kind, 'signed_in')
  for (const end of ['1', 'ffff', 'b:c:d'])
    await enter('x', 'wrong', { address: `2001:db8:1:2::${end}` })
  for (const end of ['2', '3']) await enter('x', 'wrong', { address: `2001:db8:1:2::${end}` })
  t.equal((await enter('bob', PASSWORD, { address: '2001:db8:1:2::9' })).kind, 'limited', 'one /64')
  t.equal((await enter('bob', PASSWORD, { address: '2001:db8:1:3::9' })).kind, 'signed_in')
})

t.test('of parallel guesses no more are judged than are allowed (F6)', async (t) => {
  const { enter, addAccount, kdf } = await createWorld(t, { auth: 5, queue: 500 })
  await addAccount('bob')
  const before = kdf.runs()
  const outcomes = await Promise.all(Array.from({ length: 200 }, () => enter('bob', 'wrong')))
  t.equal(kdf.runs() - before, 5)
  t.equal(outcomes.filter(({ kind }) => kind === 'limited').length, 195)
})

t.test(
  'ten failures lock account and network, not the owner elsewhere nor on a known device (F3, F9)',
  async (t) => {
    const { enter, addAccount, events, clock } = await createWorld(t)
    const bob = await addAccount('bob')
    const spellings = [
      'bob',
      'BOB',
      ' bob',
      'bob\u00a0',
      'ｂｏｂ',
      'BoB ',
      'bob',
      'Bob',
      'bOb',
      'boB',
    ]
    for (const name of spellings) await enter(name, 'wrong')
    t.equal(events.filter(({ event }) => event === 'auth.locked').length, 1, 'said once')
    t.equal((await enter('bob')).kind, 'refused')
    t.equal((await enter('bob', PASSWORD, { address: '192.0.2.2' })).kind, 'signed_in')
    const knownDevice = (account: { readonly id: string }) =>
      account.id === bob.id ? 'phone' : undefined
    t.equal((await enter('bob', PASSWORD, { knownDevice })).kind, 'signed_in', 'the same network')
    for (let i = 0; i < 10; i++) await enter('bob', 'wrong', { knownDevice })
    t.equal(
      (await enter('bob', PASSWORD, { knownDevice })).kind,
      'refused',
      'a device has its own ten',
    )
    clock.advance(15 * MINUTE)
    t.equal((await enter('bob')).kind, 'signed_in', 'a lock ends by time')
  },
)

t.test('a success forgets the failures before it', async (t) => {
  const { enter, addAccount } = await createWorld(t)
  await addAccount('bob')
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 9; i++) t.equal((await enter('bob', 'wrong')).kind, 'refused')
    t.equal((await enter('bob')).kind, 'signed_in', 'never locked by nine')
  }
})

t.test('an unlock by the command line is obeyed at the next attempt, once', async (t) => {
  const { enter, addAccount, store, clock } = await createWorld(t)
  const bob = await addAccount('bob')
  for (let i = 0; i < 10; i++) await enter('bob', 'wrong')
  t.equal((await enter('bob')).kind, 'refused')
  clock.advance(1000)
  await store.accounts.setUnlocked(bob.id, clock.now())
  t.equal((await enter('bob')).kind, 'signed_in')
  for (let i = 0; i < 10; i++) await enter('bob', 'wrong')
  t.equal((await enter('bob')).kind, 'refused', 'not for ever')
})

t.test('where too many wait, nothing is judged and nothing counted', async (t) => {
  const { enter, addAccount } = await createWorld(t, { auth: 40, queue: 1 })
  await addAccount('bob')
  const outcomes = await Promise.all(Array.from({ length: 30 }, () => enter('bob', 'wrong')))
  const busy = outcomes.filter(({ kind }) => kind === 'busy').length
  t.ok(busy >= 20, `${busy} were told so`)
  t.equal((await enter('bob')).kind, 'signed_in', 'no lock, no limit')
})

t.test('a password that is changed while it is judged opens nothing (L35)', async (t) => {
  const { enter, addAccount, store, sessions, clock } = await createWorld(t)
  const bob = await addAccount('bob')
  const { add } = store.sessions
  Object.assign(store.sessions, {
    add: async (session: Parameters<typeof add>[0]) => {
      await store.accounts.setPasswordHash(bob.id, '$argon2id$new', clock.now())
      return add(session)
    },
  })
  t.strictSame(await enter('bob'), { kind: 'refused' })
  t.strictSame(await sessions.ofUser(bob.id), [])
})

t.test(
  'while the store is out nothing is counted: whoever tries again is not locked out',
  async (t) => {
    const { addAccount, enter, store, login, clock } = await createWorld(t, { auth: 3 })
    const ada = await addAccount('ada', { totp: true })
    const signedIn = await enter('ada')
    if (signedIn.kind !== 'signed_in') return t.fail(signedIn.kind)
    const { session } = signedIn.issued
    const { sessions, accounts, totp } = store
    const out = async () => {
      throw new AppError('store_unavailable', 'out')
    }
    /** Puts the failure in a method's place; gives what puts the method back. */
    const fail = (part: object, name: string) => {
      const method: unknown = Reflect.get(part, name)
      Reflect.set(part, name, out)
      return () => Reflect.set(part, name, method)
    }
    const stops: (readonly [object, string])[] = [
      [accounts, 'byName'],
      [accounts, 'passwordHash'],
      [totp, 'devices'],
      [sessions, 'add'],
    ]
    for (const [part, name] of stops) {
      const mend = fail(part, name)
      for (let i = 0; i < 12; i++)
        await t.rejects(enter('ada'), { code: 'store_unavailable' }, name)
      mend()
    }
    t.equal((await enter('ada')).kind, 'signed_in', 'twelve at each place later')
    const mend = fail(totp, 'devices')
    for (let i = 0; i < 12; i++) {
      await t.rejects(login.withTotp(session, ada, '123456', CONTEXT), {
        code: 'store_unavailable',
      })
    }
    mend()
    t.equal((await login.withTotp(session, ada, codeAt(clock.now()), CONTEXT)).kind, 'signed_in')
  },
)

t.test('what was typed into the name of nobody is written down nowhere', async (t) => {
  const { enter, events, addAccount } = await createWorld(t, { auth: 3 })
  await addAccount('ada')
  const typed = 'hunter2-my-password'
  for (let i = 0; i < 4; i++) await enter(typed, 'whatever')
  await enter('ADA', 'wrong', { address: '192.0.2.9' })
  t.strictSame(
    events.map((event) => ('reason' in event ? event.reason : '')),
    ['unknown_account', 'unknown_account', 'unknown_account', 'rate_limited', 'wrong'],
  )
  t.notMatch(JSON.stringify(events), /hunter2/)
  t.match(events.at(-1), { user: 'ada' }, 'an account is named')
})

t.test('text that is one account’s name and another’s address signs nobody in', async (t) => {
  const { enter, addAccount, store, dir, kdf, events, clock } = await createWorld(t)
  const boss = await addAccount('boss', { email: 'boss@example.com' })
  const eve = await addAccount('eve', { email: 'eve@elsewhere.test' })
  t.match(await enter('boss@example.com'), { kind: 'signed_in', account: { id: boss.id } })
  rename(dir, eve.id, 'boss@example.com')
  await store.accounts.setPasswordHash(boss.id, 'x', clock.now())
  for (const typed of ['boss@example.com', ' BOSS@Example.com ']) {
    const before = kdf.runs()
    t.strictSame(await enter(typed), { kind: 'refused' }, typed)
    t.equal(kdf.runs() - before, 1, 'one hash')
    const { user, reason } = { user: undefined, reason: '', ...events.at(-1) }
    t.strictSame([user, reason], [undefined, 'unknown_account'])
  }
  const kept = await store.accounts.passwordHash(eve.id)
  await store.accounts.setPasswordHash(boss.id, kept ?? '', clock.now())
  t.equal((await enter('boss@example.com')).kind, 'refused', 'the owner of the address neither')
  t.match(await enter('boss'), { kind: 'signed_in', account: { id: boss.id } })
  t.match(await enter('Eve@elsewhere.test'), { kind: 'signed_in', account: { id: eve.id } })
  await store.accounts.change(boss.id, { email: 'boss@example.net' }, clock.now())
  t.match(await enter('boss@example.com'), { kind: 'signed_in', account: { id: eve.id } })
})

t.test('an account whose name is its own address signs in by it in any case', async (t) => {
  const { enter, addAccount } = await createWorld(t)
  const eve = await addAccount('eve@example.com', { email: 'Eve@example.com' })
  t.match(await enter('EVE@example.com'), { kind: 'signed_in', account: { id: eve.id } })
})

t.test('an account that is disabled while its password is judged is refused', async (t) => {
  const { enter, addAccount, store, sessions, events, clock } = await createWorld(t)
  const bob = await addAccount('bob')
  const shutting: Promise<unknown>[] = []
  const meanwhile = {
    knownDevice: () => {
      if (shutting.length > 0) return undefined
      shutting.push(store.accounts.setDisabled(bob.id, true, clock.now()))
      return undefined
    },
  }
  const outcome = await enter('bob', PASSWORD, meanwhile)
  await Promise.all(shutting)
  t.strictSame(outcome, await enter('bob'), 'as one that was disabled before')
  t.strictSame(
    events.map((one) => [one.event, one.outcome, 'reason' in one ? one.reason : '']),
    Array(2).fill(['auth.password', 'failure', 'disabled']),
  )
  await store.accounts.setDisabled(bob.id, false, clock.now())
  t.strictSame(await sessions.ofUser(bob.id), [], 'and none comes alive later')
})
