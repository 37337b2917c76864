import t from 'tap'
import { createFailureStreaks } from '../../src/factors/failure-streaks.ts'
import type { RecoveryCodes } from '../../src/factors/recovery-codes.ts'
import { DAY, MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { Session } from '../../src/sessions/session.ts'
import { CONTEXT, codeAt, createWorld, PASSWORD } from './world.ts'

const codesOf = async (making: ReturnType<RecoveryCodes['create']>): Promise<readonly string[]> => {
  const made = await making
  return made.kind === 'created' ? made.codes : []
}

const worldWithAda = async (...args: Parameters<typeof createWorld>) => {
  const world = await createWorld(...args)
  const ada = await world.addAccount('ada', { totp: true })
  const pending = async (): Promise<Session> => {
    const outcome = await world.enter('ada')
    if (outcome.kind !== 'signed_in') throw new Error(outcome.kind)
    return outcome.issued.session
  }
  const prove = (session: Session, code: string, address = CONTEXT.address) =>
    world.login.withTotp(session, ada, code, { ...CONTEXT, address })
  return { ...world, ada, pending, prove }
}

t.test(
  'withTotp() takes the code of the present step and its neighbours, each once (G1, G5)',
  async (t) => {
    const { pending, prove, clock, events } = await worldWithAda(t)
    const now = clock.now()
    for (const drift of [-60_000, 60_000, -90_000]) {
      const outcome = await prove(await pending(), codeAt(now + drift))
      t.strictSame(outcome, { kind: 'refused', drift }, `${drift}`)
      t.match(events.at(-1), { event: 'auth.totp', outcome: 'failure', reason: 'clock' })
    }
    t.strictSame(await prove(await pending(), codeAt(now + DAY)), { kind: 'refused' })
    clock.advance(5 * MINUTE)
    const code = codeAt(clock.now())
    t.match(await prove(await pending(), code), { kind: 'signed_in', next: 'done' })
    t.strictSame(await prove(await pending(), code), { kind: 'refused' }, 'spent')
    const before = codeAt(clock.now() - 30_000)
    t.strictSame(await prove(await pending(), before), { kind: 'refused' }, 'and all before it')
    t.match(await prove(await pending(), codeAt(clock.now() + 30_000)), { kind: 'signed_in' })
    clock.advance(-DAY)
    t.strictSame(
      await prove(await pending(), codeAt(clock.now())),
      { kind: 'refused' },
      'also when the clock goes back',
    )
  },
)

t.test(
  'of parallel proofs by one code one succeeds, from one session or from many (G3)',
  async (t) => {
    const { pending, prove, clock } = await worldWithAda(t)
    const session = await pending()
    const sessions = [session, session, await pending(), await pending(), await pending()]
    const code = codeAt(clock.now())
    const outcomes = await Promise.all(sessions.map((one) => prove(one, code)))
    t.equal(outcomes.filter(({ kind }) => kind === 'signed_in').length, 1)
  },
)

t.test('a session that ended meanwhile is not raised', async (t) => {
  const { pending, prove, sessions, clock } = await worldWithAda(t)
  const session = await pending()
  await sessions.end(session.id)
  t.strictSame(await prove(session, codeAt(clock.now())), { kind: 'gone' })
})

t.test(
  'five codes in five minutes, five recovery codes in one, by account from wherever (F7, F10, G4)',
  async (t) => {
    const { pending, prove, login, ada, clock, recoveryCodes } = await worldWithAda(t)
    const codes = await codesOf(recoveryCodes.create(ada.id))
    const recover = (session: Session, code: string, host: number) =>
      login.withRecoveryCode(session, ada, code, { ...CONTEXT, address: `192.0.2.${host}` })
    for (let i = 0; i < 5; i++) {
      t.equal((await prove(await pending(), '000000', `192.0.2.${i + 1}`)).kind, 'refused')
    }
    const limited = (name: string) => ({ kind: 'limited', budget: { name } })
    const right = codeAt(clock.now())
    t.match(await prove(await pending(), right, '192.0.2.99'), limited('totp'))
    for (let i = 0; i < 5; i++) {
      const wrong = await recover(await pending(), '00000-00000-00000', i + 1)
      t.equal(wrong.kind, 'refused', 'the other way has its own')
    }
    t.match(await recover(await pending(), codes[0] ?? '', 99), limited('recovery-code'))
    clock.advance(MINUTE / 5)
    t.match(await prove(await pending(), right), limited('totp'))
    t.equal((await recover(await pending(), codes[0] ?? '', 99)).kind, 'signed_in')
    clock.advance(MINUTE)
    t.equal(
      (await prove(await pending(), codeAt(clock.now()))).kind,
      'signed_in',
      'one comes back a minute',
    )
  },
)

t.test('a right code gives its try back', async (t) => {
  const { pending, prove, clock } = await worldWithAda(t, { auth: 5 })
  for (let i = 0; i < 12; i++) {
    clock.advance(30_000)
    t.equal((await prove(await pending(), codeAt(clock.now()))).kind, 'signed_in')
  }
})

t.test('withRecoveryCode() takes each code once, in any spelling (G10)', async (t) => {
  const { pending, login, ada, recoveryCodes, clock } = await worldWithAda(t)
  const use = async (code: string) =>
    (await login.withRecoveryCode(await pending(), ada, code, CONTEXT)).kind
  const [first = '', second = ''] = await codesOf(recoveryCodes.create(ada.id))
  t.equal(await use(` ${first.toLowerCase().replaceAll('-', ' ')} `), 'signed_in')
  t.equal(await use(first), 'refused')
  const outcomes = await Promise.all(
    Array.from({ length: 4 }, async () =>
      login.withRecoveryCode(await pending(), ada, second, CONTEXT),
    ),
  )
  t.equal(outcomes.filter(({ kind }) => kind === 'signed_in').length, 1)
  t.match(await recoveryCodes.left(ada.id), { left: 8 })
  clock.advance(10 * MINUTE)
  const [, , old = ''] = await codesOf(recoveryCodes.create(ada.id))
  await recoveryCodes.create(ada.id)
  t.equal(await use(old), 'refused', 'a new set kills the old one')
})

t.test('setup: one link makes one account, once, for a day (I4)', async (t) => {
  const { setup, store, sessions } = await createWorld(t)
  const fields = { username: 'Ada', displayName: '', email: '', password: new Secret(PASSWORD) }
  const earlier = (await setup.offer())?.reveal() ?? ''
  const token = (await setup.offer())?.reveal() ?? ''
  t.equal(await setup.isOpen(earlier), false, 'a new link replaces the one before')
  t.equal(await setup.isOpen(token), true)
  t.match(await setup.claim(token, { ...fields, password: new Secret('short') }, CONTEXT), {
    kind: 'invalid',
  })
  t.equal(await setup.isOpen(token), true, 'a refusal spends nothing')
  for (const bad of ['', earlier, token.slice(1), `${token}x`]) {
    t.strictSame(await setup.claim(bad, fields, CONTEXT), { kind: 'gone' })
  }
  const claims = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      setup.claim(token, { ...fields, username: `ada${i}` }, CONTEXT),
    ),
  )
  const made = claims.filter((claim) => claim.kind === 'created')
  t.equal(made.length, 1)
  t.equal(await store.accounts.count(), 1)
  t.match(made[0]?.account.groups, ['admins'])
  t.equal((await sessions.resolve(made[0]?.issued.token.reveal() ?? '')).kind, 'active')
  t.equal(await setup.isOpen(token), false)
  t.equal(await setup.offer(), undefined, 'no further link')

  const other = await createWorld(t)
  const late = (await other.setup.offer())?.reveal() ?? ''
  other.clock.advance(DAY)
  t.equal(await other.setup.isOpen(late), false)
  t.strictSame(await other.setup.claim(late, fields, CONTEXT), { kind: 'gone' })
})

t.test(
  'a factor is looked at a hundred times in a row and no more, through a restart (G4)',
  async (t) => {
    const { ada, pending, prove, clock, store, recoveryCodes, login } = await worldWithAda(t)
    const codes = await codesOf(recoveryCodes.create(ada.id))
    let looked = 0
    // As quickly as the budget allows: five in five minutes.
    while (looked < 100) {
      clock.advance(6 * MINUTE)
      const session = await pending()
      for (let i = 0; i < 5; i++) {
        t.equal((await prove(session, '000000')).kind, 'refused')
        looked += 1
      }
    }
    clock.advance(6 * MINUTE)
    const right = codeAt(clock.now())
    t.strictSame(await prove(await pending(), right), { kind: 'refused' }, 'not even a right one')
    const streaks = createFailureStreaks({ store: store.failureStreaks })
    t.equal(await streaks.begin(ada.id, 'auth.totp'), 'full', 'the store remembers')
    const other = await login.withRecoveryCode(await pending(), ada, codes[0] ?? '', CONTEXT)
    t.equal(other.kind, 'signed_in', 'another factor is not touched by it')
    await store.failureStreaks.clear(ada.id)
    t.equal((await prove(await pending(), right)).kind, 'signed_in', 'an operator lifts it')
    t.equal(await streaks.begin(ada.id, 'auth.totp'), 'go')
  },
)

t.test('of 50 attempts at once no more are looked at than a streak has left (G4)', async (t) => {
  const { ada, store } = await worldWithAda(t)
  const streaks = createFailureStreaks({ store: store.failureStreaks }, { most: 7 })
  const begun = await Promise.all(
    Array.from({ length: 50 }, () => streaks.begin(ada.id, 'auth.sms')),
  )
  t.equal(begun.filter((one) => one === 'go').length, 7)
  await streaks.takeBack(ada.id, 'auth.sms')
  t.equal(await streaks.begin(ada.id, 'auth.sms'), 'go', 'one was not judged')
  t.equal(await streaks.begin(ada.id, 'auth.sms'), 'full')
  t.equal(await streaks.begin(ada.id, 'auth.totp'), 'go', 'each factor has its own')
  await streaks.end(ada.id, 'auth.sms')
  t.equal(await streaks.begin(ada.id, 'auth.sms'), 'go', 'a right one ends it')
})
