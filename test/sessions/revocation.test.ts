import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { createWorld } from './world.ts'

t.test('end() holds on the next request, answers kept in memory or not (E8)', async (t) => {
  const { open, kindOf, sessions } = await createWorld(t)
  const { token, session } = await open()
  const other = await open()
  t.equal(await kindOf(token.reveal()), 'active')
  const ended: string[] = []
  sessions.onEnd((id) => ended.push(id))
  t.equal(await sessions.end(session.id), true)
  t.strictSame(await sessions.resolve(token.reveal()), { kind: 'none' }, 'in the same turn')
  t.equal(sessions.familiar(token.reveal()), undefined)
  t.strictSame(ended, [session.id])
  t.equal(await sessions.end(session.id), false, 'it was gone')
  t.equal(await sessions.isAlive(session.id), false)
  t.equal(await kindOf(other.token.reveal()), 'active', 'the others stay')
})

t.test('endOfUser() ends all of a person but the one at hand', async (t) => {
  const { open, kindOf, sessions, bob } = await createWorld(t)
  const kept = await open()
  const gone = [await open(), await open({ stage: 'pending' }), await open({ remember: true })]
  for (const { token } of gone) await kindOf(token.reveal())
  t.equal(await sessions.endOfUser(bob, kept.session.id), 3)
  for (const { token } of gone) t.equal(await kindOf(token.reveal()), 'none')
  t.equal(await kindOf(kept.token.reveal()), 'active')
  t.equal(await sessions.endOfUser(bob), 1)
  t.equal(await kindOf(kept.token.reveal()), 'none')
})

t.test(
  "another process's write leaves the others known, so that their own budget pays",
  async (t) => {
    const { open, kindOf, sessions, elsewhere } = await createWorld(t)
    const cli = await elsewhere()
    const [kept, ended] = [await open(), await open()]
    await kindOf(kept.token.reveal())
    await kindOf(ended.token.reveal())
    await cli.sessions.remove(ended.session.id)
    t.equal(await kindOf(ended.token.reveal()), 'none')
    t.equal(sessions.familiar(kept.token.reveal()), kept.session.id)
    t.equal(await kindOf(kept.token.reveal()), 'active')
  },
)

t.test('what another process removes or disables is gone on the next request', async (t) => {
  const { open, kindOf, sessions, clock, bob, elsewhere } = await createWorld(t)
  const cli = await elsewhere()
  const first = await open()
  t.equal(await kindOf(first.token.reveal()), 'active')
  await cli.sessions.remove(first.session.id)
  t.equal(await kindOf(first.token.reveal()), 'none')

  const second = await open()
  t.equal(await kindOf(second.token.reveal()), 'active')
  await cli.sessions.removeOfUser(bob)
  t.equal(await kindOf(second.token.reveal()), 'none')

  const third = await open()
  t.equal(await kindOf(third.token.reveal()), 'active')
  await cli.accounts.setPasswordHash(bob, 'new', clock.now())
  t.equal(await kindOf(third.token.reveal()), 'none', 'a new password')

  const fourth = await open()
  t.equal(await kindOf(fourth.token.reveal()), 'active')
  await cli.accounts.setDisabled(bob, true, clock.now())
  t.equal(await kindOf(fourth.token.reveal()), 'none', 'an account kept out')
  await t.rejects(open(), { message: 'no session' }, 'cannot have another')
  t.equal(await sessions.isAlive(fourth.session.id), false)
  t.equal(sessions.familiar(fourth.token.reveal()), undefined, 'what ended is nobody any more')
  await cli.accounts.setDisabled(bob, false, clock.now())
  t.equal(await kindOf(first.token.reveal()), 'none', 'and what ended stays ended')
})

t.test('a session that two processes have in memory is gone in both', async (t) => {
  const { open, kindOf, sessions, another } = await createWorld(t)
  const neighbour = await another()
  const { token, session } = await open()
  t.equal(await kindOf(token.reveal()), 'active')
  t.equal(await kindOf(token.reveal(), neighbour), 'active')
  await neighbour.end(session.id)
  t.equal(await kindOf(token.reveal()), 'none')
  const risen = await open({ stage: 'pending' })
  t.equal(await kindOf(risen.token.reveal(), neighbour), 'pending')
  await sessions.raise(risen.session, { kind: 'totp', at: 0 })
  t.equal(await kindOf(risen.token.reveal(), neighbour), 'none')
})

t.test('what was read before a revocation is not remembered after it', async (t) => {
  const { open, sessions, store } = await createWorld(t)
  const { token, session } = await open()
  const { byTokenHash } = store.sessions
  const read = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  Object.assign(store.sessions, {
    byTokenHash: async (hash: string) => {
      const found = await byTokenHash(hash)
      read.resolve()
      await go.promise
      return found
    },
  })
  const slow = sessions.resolve(token.reveal())
  await read.promise
  await sessions.end(session.id)
  go.resolve()
  await slow
  Object.assign(store.sessions, { byTokenHash })
  t.strictSame(await sessions.resolve(token.reveal()), { kind: 'none' })
})

t.test(
  'an answer from memory is used for seconds, and not with a clock that went back',
  async (t) => {
    const { open, sessions, store, clock } = await createWorld(t)
    const { token } = await open()
    let reads = 0
    const { byTokenHash } = store.sessions
    Object.assign(store.sessions, {
      byTokenHash: (hash: string) => {
        reads++
        return byTokenHash(hash)
      },
    })
    const ask = async () => {
      await nextTurn()
      return (await sessions.resolve(token.reveal())).kind
    }
    for (let i = 0; i < 5; i++) t.equal(await ask(), 'active')
    t.equal(reads, 1)
    t.equal(sessions.familiar(token.reveal()) === undefined, false)
    clock.advance(9 * SECOND)
    await ask()
    t.equal(reads, 1)
    clock.advance(SECOND)
    await ask()
    t.equal(reads, 2)
    clock.advance(-MINUTE)
    t.equal(await ask(), 'active')
    t.equal(reads, 3)
  },
)

t.test('a store that fails is an error, never an answer (E2)', async (t) => {
  const { open, sessions, store, clock } = await createWorld(t)
  const { token, session } = await open()
  const down = { byTokenHash: () => Promise.reject(new Error('down')) }
  Object.assign(store.sessions, down)
  await t.rejects(Promise.resolve(sessions.resolve(token.reveal())), /down/)
  clock.advance(SECOND)
  await t.rejects(Promise.resolve(sessions.resolve(token.reveal())), /down/)
  await store.close()
  await t.rejects(sessions.isAlive(session.id), { code: 'store_unavailable' })
})

t.test('endAll() ends everybody’s at once, and tells of those that are known', async (t) => {
  const { open, kindOf, sessions } = await createWorld(t)
  const [one, two] = [await open(), await open({ remember: true })]
  const unknown = await open()
  for (const { token } of [one, two]) t.equal(await kindOf(token.reveal()), 'active')
  const ended: string[] = []
  sessions.onEnd((id) => ended.push(id))
  t.equal(await sessions.endAll(), 3)
  t.strictSame(ended.sort(), [one.session.id, two.session.id].sort())
  for (const { token } of [one, two, unknown]) t.equal(await kindOf(token.reveal()), 'none')
  t.equal(await sessions.endAll(), 0)
})
