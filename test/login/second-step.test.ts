import t from 'tap'
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
    const { pending, prove, clock } = await worldWithAda(t)
    const now = clock.now()
    for (const offset of [-60_000, 60_000, -90_000, DAY]) {
      t.strictSame(
        await prove(await pending(), codeAt(now + offset)),
        { kind: 'refused' },
        `${offset}`,
      )
    }
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
  'five tries in five minutes, counted by account wherever they come from (F10, G4)',
  async (t) => {
    const { pending, prove, login, ada, clock, recoveryCodes } = await worldWithAda(t)
    const made = await recoveryCodes.create(ada.id)
    for (let i = 0; i < 5; i++) {
      const address = `192.0.2.${i + 1}`
      const session = await pending()
      const wrong =
        i % 2 === 0
          ? await prove(session, '000000', address)
          : await login.withRecoveryCode(session, ada, '00000-00000-00000', { ...CONTEXT, address })
      t.strictSame(wrong, { kind: 'refused' })
    }
    const session = await pending()
    t.match(await prove(session, codeAt(clock.now()), '192.0.2.99'), {
      kind: 'limited',
      budget: { name: 'second-factor' },
    })
    const code = made.kind === 'created' ? (made.codes[0] ?? '') : ''
    t.match(
      await login.withRecoveryCode(session, ada, code, CONTEXT),
      { kind: 'limited' },
      'neither way',
    )
    clock.advance(MINUTE)
    t.match(
      await prove(await pending(), codeAt(clock.now())),
      { kind: 'signed_in' },
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
