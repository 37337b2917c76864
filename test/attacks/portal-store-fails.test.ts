import { join } from 'node:path'
import t from 'tap'
import { createPasswordPolicy } from '../../src/accounts/password-policy.ts'
import { createFailureStreaks } from '../../src/factors/failure-streaks.ts'
import { createKdf } from '../../src/factors/kdf.ts'
import { createPasswordHasher } from '../../src/factors/password.ts'
import { AppError } from '../../src/lib/app-error.ts'
import { DAY, HOUR, MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { namedBudgets } from '../../src/limits/budgets.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { createInvitations } from '../../src/login/invitation.ts'
import { createLinks } from '../../src/login/links.ts'
import { createPasswordResets } from '../../src/login/reset.ts'
import { createSecondStep } from '../../src/login/second-step.ts'
import { createSignInLinks } from '../../src/login/sign-in-link.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { CONTEXT, createWorld, PASSWORD } from '../login/world.ts'

/** A store that fails half-way through: nobody gets in by it, and nothing is half done. */
const NEXT = 'a brand new, long password'

/** The same store, of which the call with this number throws, counted over all its parts. */
function failingAt(store: SqlStore, nth: () => number): SqlStore {
  let calls = 0
  const part = (whole: object): object =>
    new Proxy(whole, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: readonly unknown[]) => {
          if (name === 'seen') return Reflect.apply(value, target, args)
          calls += 1
          if (calls === nth()) {
            return Promise.reject(new AppError('store_unavailable', 'The disk is gone.'))
          }
          return Reflect.apply(value, target, args)
        }
      },
    })
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'object' && value !== null ? part(value) : value
    },
  })
}

/** Runs a flow over a store that fails at the first call, the second, until it does not fail. */
async function untilItWorks<T>(
  store: SqlStore,
  flow: (store: SqlStore) => Promise<T>,
  afterwards: (n: number) => Promise<void>,
): Promise<{ readonly failures: number; readonly outcome: T }> {
  for (let n = 1; n < 30; n++) {
    try {
      return { failures: n - 1, outcome: await flow(failingAt(store, () => n)) }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'store_unavailable') throw error
      await afterwards(n)
    }
  }
  throw new Error('it never works')
}

const rate = { count: 1, window: MINUTE }
const budgets = namedBudgets({ reset: rate, link: rate, 'auth-second': rate })

t.test('links, second steps and new passwords over a store that fails (J4)', async (t) => {
  const world = await createWorld(t)
  const { clock } = world
  await using store = await openSqlStore({ path: join(world.dir, 'sallyport.db') })
  const lifetimes = { reset: HOUR, invitation: DAY, signIn: HOUR }
  const links = createLinks({ store: store.links, clock }, lifetimes)
  const kdf = createKdf()
  const cost = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 }
  const passwords = createPasswordHasher({ kdf }, { cost })
  // One limiter for all of it: what failed by itself must not be paid for.
  const limiter = createMemoryLimiter({ clock })
  const partsOf = (over: SqlStore) => {
    const { accounts, foreignWrites } = over
    const sessions = createSessions(
      { store: over.sessions, accountById: accounts.byId, foreignWrites, clock },
      { idle: HOUR, absolute: DAY, remember: DAY },
    )
    const shared = { accounts, sessions, passwords, limiter, clock, audit: () => {} }
    const linked = { ...shared, links: createLinks({ store: over.links, clock }, lifetimes) }
    const deps = { ...linked, store: over.links, passwordPolicy: createPasswordPolicy() }
    return {
      sessions,
      invitations: createInvitations(deps, budgets.link),
      signInLinks: createSignInLinks(deps, budgets.link),
      resets: createPasswordResets(
        { ...deps, notify: () => {} },
        {
          ...{ offered: true, urlOf: (token: Secret<string>) => token },
          ...{ asking: budgets.reset, sending: budgets.reset, using: budgets.link },
        },
      ),
      secondStep: createSecondStep(
        { ...shared, streaks: createFailureStreaks({ store: over.failureStreaks }) },
        { secondStep: budgets['auth-second'] },
      ),
    }
  }

  await t.test('a reset', async (t) => {
    const { id } = await world.addAccount('ruth')
    const token = (await links.issue('reset', id)).token.reveal()
    const before = await store.accounts.passwordHash(id)
    const { failures, outcome } = await untilItWorks(
      store,
      (over) =>
        partsOf(over).resets.use(token, { password: new Secret(NEXT), endSessions: true }, CONTEXT),
      async () => {
        t.equal(await store.accounts.passwordHash(id), before)
        t.equal((await links.peek('reset', token)).kind, 'open', 'the link still works')
      },
    )
    t.equal(outcome.kind, 'changed')
    t.ok(failures > rate.count, 'which nobody had to pay for')
  })

  await t.test('an invitation', async (t) => {
    const invitation = { email: 'new@example.com', name: '', groups: [] }
    const fields = { username: 'zoe', displayName: '', password: new Secret(NEXT) }
    let token = (await links.invite(invitation)).token.reveal()
    let made = 0
    const { outcome } = await untilItWorks(
      store,
      (over) => partsOf(over).invitations.accept(token, fields, CONTEXT),
      async () => {
        const zoe = await store.accounts.byName('zoe')
        const { kind } = await links.peek('invitation', token)
        t.equal(kind, zoe === undefined ? 'open' : 'gone', 'the account and its link go together')
        if (zoe === undefined) return
        made += 1
        t.strictSame(await store.sessions.ofUser(zoe.id), [], 'nobody is signed in by it')
        fields.username = `zoe${made}`
        token = (await links.invite(invitation)).token.reveal()
        await store.accounts.setDisabled(zoe.id, true, clock.now())
      },
    )
    t.equal(outcome.kind, 'created')
  })

  await t.test('a sign-in link', async (t) => {
    const { id } = await world.addAccount('sid')
    let token = (await links.issue('sign_in', id)).token.reveal()
    const { outcome } = await untilItWorks(
      store,
      (over) => partsOf(over).signInLinks.use(token, CONTEXT),
      async () => {
        t.strictSame(await store.sessions.ofUser(id), [], 'nobody is signed in by it')
        const peek = await links.peek('sign_in', token)
        if (peek.kind !== 'open') token = (await links.issue('sign_in', id)).token.reveal()
      },
    )
    t.equal(outcome.kind, 'signed_in')
  })

  await t.test('a second step', async (t) => {
    const account = await world.addAccount('tom', { totp: true })
    const entered = await world.enter('tom')
    if (entered.kind !== 'signed_in') throw new Error(entered.kind)
    const { session } = entered.issued
    const { outcome } = await untilItWorks(
      store,
      (over) =>
        partsOf(over).secondStep(
          { event: 'auth.totp', kind: 'totp', session, account, context: CONTEXT },
          async () => 'right',
        ),
      async () => {
        const [now] = await store.sessions.ofUser(account.id)
        t.match(now, { id: session.id, stage: 'pending' }, 'it did not rise')
      },
    )
    t.equal(outcome.kind, 'signed_in')
  })

  await t.test('a request for a reset link', async (t) => {
    const ann = await world.addAccount('ann', { email: 'ann@example.com' })
    const sent: string[] = []
    let failing = 0
    const over = failingAt(store, () => failing)
    const resets = createPasswordResets(
      {
        ...{ links: createLinks({ store: over.links, clock }, lifetimes), store: over.links },
        ...{ accounts: over.accounts, passwords, passwordPolicy: createPasswordPolicy() },
        ...{ sessions: partsOf(over).sessions, limiter, clock, audit: () => {} },
        notify: ({ name }) => sent.push(name),
      },
      {
        ...{ offered: true, urlOf: (token) => token },
        ...{ asking: budgets.reset, sending: { ...rate, name: 'sending' }, using: budgets.link },
      },
    )
    t.equal(resets.request('ann', CONTEXT).kind, 'noted')
    let calls = 0
    // Each time the store is out when the link is written down: the third call of a round.
    for (let round = 0; round < 5; round++) {
      failing = calls + 3
      await t.rejects(resets.work(), { code: 'store_unavailable' })
      calls += 3
    }
    t.strictSame(sent, [])
    failing = 0
    await resets.work()
    t.strictSame(sent, ['ann'], 'it is sent when the store is back')
    t.equal((await world.enter('ann', PASSWORD)).kind, 'signed_in', `${ann.name} is as before`)
  })
})
