import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { CONTEXT, createWorld, PASSWORD } from './world.ts'

t.test('confirmPassword() renews a complete session and finishes no pending one', async (t) => {
  const { login, sessions, addAccount, enter, clock, events } = await createWorld(t)
  const bob = await addAccount('bob')
  const amy = await addAccount('amy', { totp: true })
  const entered = await enter('bob')
  if (entered.kind !== 'signed_in') return t.fail(entered.kind)
  const { session, token } = entered.issued
  clock.advance(60_000)
  const confirm = (password: string) =>
    login.confirmPassword(session, bob, new Secret(password), CONTEXT)
  t.equal((await confirm('not this one')).kind, 'refused')
  const all = await Promise.all(Array.from({ length: 8 }, () => confirm(PASSWORD)))
  const won = all.filter(({ kind }) => kind === 'signed_in')
  t.equal(won.length, 1, 'of many at once one')
  t.equal(all.filter(({ kind }) => kind === 'gone').length, 7)
  const [next] = won
  if (next?.kind !== 'signed_in') return
  t.not(next.issued.session.id, session.id)
  t.equal(next.issued.session.endsAt, session.endsAt, 'it lasts no longer')
  t.strictSame(next.issued.session.factors, [{ kind: 'password', at: clock.now() }])
  t.equal((await sessions.resolve(token.reveal())).kind, 'none', 'the old token is dead')
  t.equal(events.filter(({ event }) => event === 'session.confirmed').length, 1)

  const half = await enter('amy')
  if (half.kind !== 'signed_in') return t.fail(half.kind)
  const owing = half.issued.session
  const outcome = await login.confirmPassword(owing, amy, new Secret(PASSWORD), CONTEXT)
  t.equal(outcome.kind, 'gone')
  const still = await sessions.resolve(half.issued.token.reveal())
  t.equal(still.kind, 'pending')
})

t.test('confirmPassword() counts with the sign-in, and locks with it', async (t) => {
  const { login, addAccount, enter, events } = await createWorld(t)
  const bob = await addAccount('bob')
  const entered = await enter('bob')
  if (entered.kind !== 'signed_in') return t.fail(entered.kind)
  const { session } = entered.issued
  for (let i = 0; i < 5; i++) {
    await enter('bob', `wrong ${i}`)
    await login.confirmPassword(session, bob, new Secret(`wrong ${i}`), CONTEXT)
  }
  const right = await login.confirmPassword(session, bob, new Secret(PASSWORD), CONTEXT)
  t.equal(right.kind, 'refused')
  t.equal((await enter('bob')).kind, 'refused')
  t.equal(events.filter(({ event }) => event === 'auth.locked').length, 1)
})
