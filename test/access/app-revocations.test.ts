import t from 'tap'
import { afterRevocation } from '../../src/access/after-revocation.ts'
import { type AppRevocationStore, createAppRevocations } from '../../src/access/app-revocations.ts'
import { type ProvedFactor, parseUserId } from '../../src/identity/principal.ts'
import type { Decision } from '../../src/policy/decide.ts'
import { DEFAULT_DENY } from '../../src/policy/match.ts'
import { type ConnectionOwner, createLiveConnections } from '../../src/proxy/live-connections.ts'
import { fakeClock } from '../support/fake-clock.ts'

function world(kept = new Map<string, number>()) {
  const state = { changed: false, reads: 0, fails: false }
  const store: AppRevocationStore = {
    revoke: async (app, at) => {
      kept.set(app, Math.max(at, kept.get(app) ?? 0))
    },
    all: async () => {
      state.reads++
      if (state.fails) throw new Error('no store')
      return new Map(kept)
    },
  }
  const changes = {
    seen: () => {
      const { changed } = state
      state.changed = false
      return changed
    },
  }
  const clock = fakeClock(1000)
  return { state, kept, clock, revocations: createAppRevocations({ store, changes, clock }) }
}

t.test('since() reads once, and again when another process has written', async (t) => {
  const { state, kept, revocations } = world(new Map([['wiki', 5]]))
  t.equal(await revocations.since('wiki'), 5)
  t.equal(revocations.since('wiki'), 5, 'from memory')
  t.equal(revocations.since('other'), 0)
  t.equal(state.reads, 1)
  kept.set('wiki', 7)
  state.changed = true
  const both = [revocations.since('wiki'), revocations.since('wiki')]
  t.ok(
    both.every((one) => one instanceof Promise),
    'whoever asks meanwhile waits for it',
  )
  t.strictSame(await Promise.all(both), [7, 7])
  t.equal(state.reads, 2)
})

t.test('since() is an error while the store cannot be read, never 0', async (t) => {
  const { state, revocations } = world()
  state.fails = true
  await t.rejects(Promise.resolve(revocations.since('wiki')))
  await t.rejects(Promise.resolve(revocations.since('wiki')), 'and stays one')
  state.fails = false
  t.equal(await revocations.since('wiki'), 0)
})

t.test('revoke() is in force when it resolves, and told of once', async (t) => {
  const { clock, revocations } = world()
  const told: unknown[] = []
  revocations.onRevoke((app, at) => told.push([app, at]))
  await revocations.revoke('wiki')
  t.equal(revocations.since('wiki'), 1000)
  await revocations.refresh()
  clock.advance(1)
  await revocations.revoke('wiki')
  t.strictSame(told, [
    ['wiki', 1000],
    ['wiki', 1001],
  ])
  t.strictSame([...revocations.known()], [['wiki', 1001]])
})

const USER = parseUserId(`usr_${'a'.repeat(22)}`)
if (USER === undefined) throw new Error('no id')
const principal = (proved: readonly ProvedFactor[]) => ({
  userId: USER,
  name: 'ada',
  displayName: 'Ada',
  email: '',
  groups: [],
  level: 'two_factor' as const,
  proved,
  secondFactorDue: undefined,
})

t.test('afterRevocation() takes back what was proved before, and nothing else', async (t) => {
  const person = (proved: readonly ProvedFactor[], since: number) => {
    const known = principal(proved)
    const allow: Decision = { kind: 'allow', rule: DEFAULT_DENY, principal: known }
    return afterRevocation(allow, { kind: 'active' }, since, 1000)
  }
  const program = (issuedAt: number | undefined) => {
    const known = principal([])
    const allow: Decision = { kind: 'allow', rule: DEFAULT_DENY, principal: known }
    const who = { kind: 'program', ...(issuedAt === undefined ? {} : { issuedAt }) } as const
    return afterRevocation(allow, who, 500, 1000)
  }
  const password = { kind: 'password', at: 100 } as const
  t.equal(person([password], 0).kind, 'allow')
  t.equal(person([password], 99).kind, 'allow')
  t.match(person([password], 100), { kind: 'confirm', stepUp: { maxAge: 900 } }, 'the same instant')
  const again = { kind: 'password', at: 600 } as const
  t.equal(person([again], 500).kind, 'allow')
  const totp = { kind: 'totp', at: 100 } as const
  t.equal(person([again, totp], 500).kind, 'confirm', 'a password is less than it had')
  t.equal(person([password, { ...totp, at: 600 }], 500).kind, 'allow')
  t.match(person([password], 5000), { stepUp: { maxAge: 0 } }, 'with a clock that went back')
  t.equal(program(400).kind, 'confirm')
  t.equal(program(501).kind, 'allow')
  t.equal(program(undefined).kind, 'allow', 'it proves itself every time')
  const open: Decision = { kind: 'allow', rule: DEFAULT_DENY }
  t.equal(afterRevocation(open, { kind: 'none' }, 500, 1000).kind, 'allow')
  const denied: Decision = { kind: 'forbidden', rule: DEFAULT_DENY, reason: 'denied' }
  t.equal(afterRevocation(denied, { kind: 'none' }, 500, 1000).kind, 'forbidden')
})

t.test('closeApp() ends what was let in to the app by then, however it is open', async (t) => {
  const live = createLiveConnections({ perSession: 10, perAddress: 10 })
  const closed: string[] = []
  const open = (name: string, owner: Partial<ConnectionOwner>) =>
    live.follow({ address: '192.0.2.1', ...owner }, (why) => closed.push(`${name} ${why}`))
  open('early', { holder: 'ses_a', entry: { app: 'wiki', at: 99 } })
  open('at once', { holder: 'tok_b', entry: { app: 'wiki', at: 100 } })
  open('late', { holder: 'ses_a', entry: { app: 'wiki', at: 101 } })
  open('other', { holder: 'ses_a', entry: { app: 'mail', at: 99 } })
  open('nobody', {})
  t.equal(live.closeApp('wiki', 100), 2)
  t.strictSame(closed, ['early session', 'at once session'])
  t.equal(live.closeApp('wiki', 100), 0)
  t.equal(live.size(), 3)
})
