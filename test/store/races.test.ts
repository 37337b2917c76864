import t from 'tap'
import type { NewAccount } from '../../src/accounts/account.ts'
import { newUserId } from '../../src/accounts/user-id.ts'
import { parseSessionId, type SessionId, type UserId } from '../../src/identity/principal.ts'
import { randomToken } from '../../src/lib/random.ts'
import type { Session } from '../../src/sessions/session.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { tempDir } from '../support/temp-dir.ts'

const NOW = 1_767_603_600_000

const dir = tempDir()
t.teardown(dir.remove)
const path = dir.at('sallyport.db')
const stores = [await openSqlStore({ path }), await openSqlStore({ path })] as const
t.teardown(() => Promise.all(stores.map((store) => store.close())))

/** 50 calls at once, every other one through the other connection; gives how many said `true`. */
const race = async (call: (store: SqlStore, i: number) => Promise<boolean>) => {
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, i) => call(stores[i % 2 === 0 ? 0 : 1], i)),
  )
  return outcomes.filter(Boolean).length
}

const newAccount = (name: string): NewAccount => ({
  id: newUserId(),
  name,
  displayName: name,
  email: '',
  groups: [],
  passwordHash: 'x',
})

const newSession = (userId: UserId): Session => ({
  id: parseSessionId(`ses_${randomToken(16)}`) as SessionId,
  tokenHash: randomToken(),
  userId,
  stage: 'pending',
  factors: [],
  createdAt: NOW,
  lastSeenAt: NOW,
  idle: 1000,
  endsAt: NOW + 10_000,
  remember: false,
  address: '',
  userAgent: '',
  client: 'browser',
})

t.test(
  'I4 setup.claim() makes one account of 50 parallel claims over two connections',
  async (t) => {
    await stores[0].setup.offer('link', NOW + 1000, NOW)
    t.equal(await race((store, i) => store.setup.claim('link', newAccount(`first-${i}`), NOW)), 1)
    t.equal(await stores[0].accounts.count(), 1)
  },
)

t.test('accounts.add() gives a name once', async (t) => {
  t.equal(await race((store) => store.accounts.add(newAccount('alice'), NOW)), 1)
})

t.test('one text is never the name of one account and the address of another', async (t) => {
  const accounts = await Promise.all(
    Array.from({ length: 25 }, async (_, i) => {
      const account = newAccount(`owner-${i}`)
      await stores[0].accounts.add(account, NOW)
      return account
    }),
  )
  for (const [way, claim] of Object.entries({
    added: (store: SqlStore, i: number, email: string) =>
      store.accounts.add({ ...newAccount(`late-${i}`), email }, NOW),
    changed: async (store: SqlStore, i: number, email: string) =>
      (await store.accounts.change(accounts[i]?.id as UserId, { email }, NOW)) === 'done',
  })) {
    const outcomes = await Promise.all(
      accounts.map((_, i) => {
        const text = `${way}-${i}@example.com`
        const [one, other] = i % 2 === 0 ? stores : stores.toReversed()
        const calls = [
          () => one?.accounts.add(newAccount(text), NOW),
          () => claim(other as SqlStore, i, text.toUpperCase()),
        ]
        return Promise.all((i % 3 === 0 ? calls : calls.toReversed()).map((call) => call()))
      }),
    )
    t.strictSame(
      outcomes.map((pair) => pair.filter(Boolean).length),
      outcomes.map(() => 1),
      way,
    )
  }
})

t.test(
  'a session that is added while its account is disabled is not there afterwards',
  async (t) => {
    const account = newAccount('carol')
    await stores[0].accounts.add(account, NOW)
    const added = await race(async (store, i) => {
      if (i !== 20) return store.sessions.add(newSession(account.id))
      await store.accounts.setDisabled(account.id, true, NOW)
      return false
    })
    t.ok(added < 49, `${added} were before`)
    await stores[0].accounts.setDisabled(account.id, false, NOW)
    t.strictSame(await stores[0].sessions.ofUser(account.id), [])
  },
)

t.test('G3 one-time steps of an account succeed once of 50 parallel calls', async (t) => {
  const account = newAccount('bob')
  const userId = account.id
  await stores[0].accounts.add(account, NOW)

  const shown = { userId, sealedSecret: 'v1.shown', expiresAt: NOW + 1000 }
  await stores[0].totp.startEnrolment(shown)
  const device = {
    userId,
    label: '',
    sealedSecret: 'v1.device',
    createdAt: NOW,
    lastStep: 1,
    lastUsedAt: 0,
  }
  t.equal(
    await race(async (store, i) => {
      const turned = { ...device, id: `otp_${i}` }
      return (await store.totp.finishEnrolment(shown, turned, 10)) === 'done'
    }),
    1,
    'finishEnrolment()',
  )
  const [only, ...more] = await stores[1].totp.devices(userId)
  t.same(more, [])

  t.equal(await race((store) => store.totp.spendStep(only?.id ?? '', 7, NOW)), 1, 'spendStep()')

  const set = { id: 'rcs_1', userId, salt: 's', createdAt: NOW, unused: ['a', 'b'], total: 2 }
  await stores[0].recoveryCodes.replace(set)
  t.equal(await race((store) => store.recoveryCodes.spend('rcs_1', 'a', NOW)), 1, 'spend()')
  t.same((await stores[0].recoveryCodes.current(userId))?.unused, ['b'])

  const pending = newSession(userId)
  await stores[0].sessions.add(pending)
  t.equal(
    await race((store) => store.sessions.replace(pending.tokenHash, newSession(userId))),
    1,
    'replace()',
  )
  const [raised] = await stores[0].sessions.ofUser(userId)
  t.equal(await race((store) => store.sessions.remove(raised?.id as SessionId)), 1, 'remove()')
})

t.test('meta.setIfAbsent() gives everyone the same value', async (t) => {
  const kept = new Set<string>()
  await race(async (store, i) => {
    kept.add(await store.meta.setIfAbsent('who', `number ${i}`))
    return true
  })
  t.equal(kept.size, 1)
})
