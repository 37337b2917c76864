import SqliteDatabase from 'better-sqlite3'
import t from 'tap'
import type { NewAccount } from '../../src/accounts/account.ts'
import { newUserId } from '../../src/accounts/user-id.ts'
import type { TotpDevice } from '../../src/factors/totp/totp-store.ts'
import { parseSessionId, type SessionId, type UserId } from '../../src/identity/principal.ts'
import { randomToken } from '../../src/lib/random.ts'
import type { Session } from '../../src/sessions/session.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { tempDir } from '../support/temp-dir.ts'

const NOW = 1_767_603_600_000

const dir = tempDir()
t.teardown(dir.remove)
let files = 0
const freshStore = () => openSqlStore({ path: dir.at(`${files++}.db`) })
const newestFile = () => dir.at(`${files - 1}.db`)

const newAccount = (name: string, change: Partial<NewAccount> = {}): NewAccount => ({
  id: newUserId(),
  name,
  displayName: 'Alice Martin',
  email: 'alice@example.fr',
  groups: [],
  passwordHash: '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  ...change,
})

const addAccount = async (store: SqlStore, name = 'alice'): Promise<UserId> => {
  const account = newAccount(name)
  await store.accounts.add(account, NOW)
  return account.id
}

const newSession = (userId: UserId, change: Partial<Session> = {}): Session => ({
  id: sessionId(),
  tokenHash: randomToken(),
  userId,
  stage: 'complete',
  factors: [{ kind: 'password', at: NOW }],
  createdAt: NOW,
  lastSeenAt: NOW,
  idle: 1000,
  endsAt: NOW + 10_000,
  remember: false,
  address: '192.0.2.1',
  userAgent: 'agent',
  client: 'browser',
  ...change,
})

/** Copies a session under `count` further ids, in one transaction, and gives the ids. */
const copySession = (id: SessionId, count: number): readonly SessionId[] => {
  const raw = new SqliteDatabase(newestFile())
  const columns = raw.pragma("table_info('sessions')") as { name: string }[]
  const rest = columns.map(({ name }) => name).filter((name) => !/^(id|token_hash)$/.test(name))
  const ids = raw
    .prepare<[number, string], string>(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
       insert into sessions (id, token_hash, ${rest})
       select printf('ses_%022d', i), 'copy-' || i, ${rest} from sessions, n where id = ?
       returning id`,
    )
    .pluck()
    .all(count, id)
  raw.close()
  return ids as SessionId[]
}

function sessionId(): SessionId {
  const id = parseSessionId(`ses_${randomToken(16)}`)
  if (id === undefined) throw new Error('not a session id')
  return id
}

t.test('accounts', async (t) => {
  await using store = await freshStore()
  const { accounts } = store
  const alice = newAccount('alice', { groups: ['users', 'admins', 'users'] })
  t.equal(await accounts.count(), 0)
  t.equal(await accounts.add(alice, NOW), true)
  t.equal(await accounts.add(newAccount('alice'), NOW), false, 'a name is given once')
  const { passwordHash, ...known } = alice
  const expected = {
    ...known,
    groups: ['admins', 'users'],
    disabled: false,
    unlockedAt: 0,
    language: '',
    passwordChangedAt: 0,
    passwordDue: '',
    secondFactorAskedAt: 0,
    passkeyOffers: { count: 0, lastAt: 0 },
    createdAt: NOW,
  }
  t.same(await accounts.byName('alice'), expected)
  t.same(await accounts.byId(alice.id), expected)
  t.equal(await accounts.passwordHash(alice.id), passwordHash)
  t.equal(await accounts.byName('Alice'), undefined, 'canonical names only')
  t.equal(await accounts.byId(newUserId()), undefined)
  t.equal(await accounts.passwordHash(newUserId()), undefined)
  await accounts.add(newAccount('aaron'), NOW)
  t.same(
    (await accounts.list()).map((account) => account.name),
    ['aaron', 'alice'],
  )
  t.equal(await accounts.count(), 2)
})

t.test('an account name is nobody else’s address, in any spelling of either', async (t) => {
  await using store = await freshStore()
  const { accounts } = store
  const boss = newAccount('boss', { email: 'Boss@example.com' })
  const ulla = newAccount('ulla', { email: 'ÜLLA@example.com' })
  for (const one of [boss, ulla]) t.equal(await accounts.add(one, NOW), true)

  const other = { email: 'eve@elsewhere.test' }
  for (const name of ['boss@example.com', 'ülla@example.com']) {
    t.equal(await accounts.isNameFree(name), false, name)
    t.equal(await accounts.add(newAccount(name, other), NOW), false, name)
  }
  t.equal(await accounts.isNameFree('boss'), false)
  t.equal(await accounts.isNameFree('boss@example.co'), true)

  const named = newAccount('eve@elsewhere.test', other)
  t.equal(await accounts.add(named, NOW), true, 'its own address')
  for (const email of ['eve@elsewhere.test', 'EVE@elsewhere.test', '\uff25ve@elsewhere.test']) {
    t.equal(await accounts.add(newAccount('late', { email }), NOW), false, email)
    const change = { email, displayName: 'Other', groups: ['x'] }
    t.equal(await accounts.change(boss.id, change, NOW), 'address_taken', email)
  }
  t.match(await accounts.byId(boss.id), { email: 'Boss@example.com', displayName: 'Alice Martin' })
  t.equal(await accounts.byName('late'), undefined)
  t.equal(await accounts.change(named.id, { email: 'Eve@elsewhere.test' }, NOW), 'done', 'its own')
  t.equal(await accounts.change(boss.id, { email: '' }, NOW), 'done')
  t.equal(await accounts.isNameFree('boss@example.com'), true, 'nobody has it any more')
  t.equal(await accounts.change(newUserId(), { email: 'x@example.com' }, NOW), 'gone')
  t.equal(await accounts.add(newAccount('twin', { email: ulla.email }), NOW), true, 'shared')
})

t.test('setPasswordHash() and setDisabled() end the sessions of that account alone', async (t) => {
  await using store = await freshStore()
  const alice = await addAccount(store, 'alice')
  const bob = await addAccount(store, 'bob')
  const signIn = async () => {
    await store.sessions.add(newSession(alice))
    await store.sessions.add(newSession(bob))
  }
  await signIn()
  t.equal(await store.accounts.setPasswordHash(alice, 'new', NOW), true)
  t.equal(await store.accounts.passwordHash(alice), 'new')
  t.equal((await store.sessions.ofUser(alice)).length, 0)
  t.equal((await store.sessions.ofUser(bob)).length, 1)
  await signIn()
  t.equal(await store.accounts.setDisabled(alice, true, NOW), true)
  t.equal((await store.accounts.byId(alice))?.disabled, true)
  t.equal((await store.sessions.ofUser(alice)).length, 0)
  t.equal((await store.sessions.ofUser(bob)).length, 2)
  await signIn()
  t.equal(await store.accounts.setDisabled(alice, false, NOW), true)
  t.equal((await store.accounts.byId(alice))?.disabled, false)
  t.equal((await store.sessions.ofUser(alice)).length, 0, 'none was begun meanwhile')
  await signIn()
  t.equal(await store.accounts.setDisabled(alice, false, NOW), true)
  t.equal((await store.sessions.ofUser(alice)).length, 1, 'enabling ends none')
  t.equal(await store.accounts.setPasswordHash(newUserId(), 'x', NOW), false)
  t.equal(await store.accounts.setDisabled(newUserId(), true, NOW), false)
})

t.test('setup links', async (t) => {
  await using store = await freshStore()
  const { setup } = store
  t.equal(await setup.offer('first', NOW + 1000, NOW), true)
  t.equal(await setup.offer('second', NOW + 1000, NOW), true)
  t.equal(await setup.isOpen('first', NOW), false, 'replaced')
  t.equal(await setup.isOpen('second', NOW), true)
  t.equal(await setup.isOpen('second', NOW + 1000), false, 'expired')
  t.equal(await setup.claim('second', newAccount('late'), NOW + 1000), false, 'expired')
  t.equal(await setup.claim('first', newAccount('old'), NOW), false, 'replaced')
  t.equal(await store.accounts.count(), 0)
  t.equal(await setup.claim('second', newAccount('alice'), NOW), true)
  t.equal(await setup.claim('second', newAccount('bob'), NOW), false, 'spent')
  t.equal(await setup.offer('third', NOW + 1000, NOW), false, 'an account exists')
  t.equal(await setup.isOpen('second', NOW), false)
  t.equal(await store.accounts.count(), 1)
})

t.test('claim() refuses a good link once an account was made in another way', async (t) => {
  await using store = await freshStore()
  await store.setup.offer('link', NOW + 1000, NOW)
  await addAccount(store)
  t.equal(await store.setup.isOpen('link', NOW), false)
  t.equal(await store.setup.claim('link', newAccount('mallory'), NOW), false)
  t.same(
    (await store.accounts.list()).map((account) => account.name),
    ['alice'],
  )
})

t.test('TOTP devices and enrolments', async (t) => {
  await using store = await freshStore()
  const { totp } = store
  const userId = await addAccount(store)
  const device: TotpDevice = {
    id: 'otp_1',
    userId,
    label: 'phone',
    sealedSecret: 'v1.device',
    createdAt: NOW,
    lastStep: 100,
    lastUsedAt: 0,
  }
  const shown = { userId, sealedSecret: 'v1.shown', expiresAt: NOW + 1000 }
  t.equal(await totp.enrolment(userId, NOW), undefined)
  await totp.startEnrolment({ ...shown, sealedSecret: 'v1.earlier' })
  await totp.startEnrolment(shown)
  t.same(await totp.enrolment(userId, NOW), shown)
  t.equal(await totp.enrolment(userId, NOW + 1000), undefined, 'expired')
  t.same(await totp.devices(userId), [], 'an enrolment is no device')
  t.equal(
    await totp.finishEnrolment({ ...shown, sealedSecret: 'v1.earlier' }, device, 2),
    'gone',
    'replaced',
  )
  t.equal(await totp.finishEnrolment(shown, device, 2), 'done')
  t.equal(
    await totp.finishEnrolment(shown, { ...device, id: 'otp_2' }, 2),
    'gone',
    'turned already',
  )
  t.same(await totp.devices(userId), [device])
  t.equal(await totp.enrolment(userId, NOW), undefined)

  t.equal(await totp.spendStep('otp_1', 100, NOW), false, 'the step of the enrolment')
  t.equal(await totp.spendStep('otp_1', 102, NOW), true)
  t.equal(await totp.spendStep('otp_1', 101, NOW), false, 'older than the newest')
  t.equal(await totp.spendStep('otp_1', 102, NOW), false)
  t.equal(await totp.spendStep('otp_gone', 200, NOW), false)
  await totp.add({ ...device, id: 'otp_3', label: 'x'.repeat(300), createdAt: NOW + 1 })
  t.same(
    (await totp.devices(userId)).map(({ label, lastStep }) => [label.length, lastStep]),
    [
      [5, 102],
      [64, 100],
    ],
  )
  await totp.startEnrolment(shown)
  t.equal(await totp.finishEnrolment(shown, { ...device, id: 'otp_4' }, 2), 'full')
  t.same(await totp.enrolment(userId, NOW), shown, 'nothing was changed')
  t.equal((await totp.devices(userId))[0]?.lastUsedAt, NOW)

  await totp.tellStep('otp_1', 105, NOW + 1000)
  await totp.tellStep('otp_1', 105, NOW + 1000)
  t.equal(await totp.spendStep('otp_1', 105, NOW), false, 'it was told')
  t.equal(await totp.spendStep('otp_3', 105, NOW), true, 'of another device')
  t.equal(await totp.spendStep('otp_1', 104, NOW), true, 'an earlier one')

  const bob = await addAccount(store, 'bob')
  t.equal(await totp.rename(bob, 'otp_1', 'mine'), false, "another account's device")
  t.equal(await totp.rename(userId, 'otp_1', 'y'.repeat(300)), true)
  t.equal((await totp.devices(userId))[0]?.label, 'y'.repeat(64))
  t.equal(await totp.remove(bob, 'otp_1'), false, "another account's device")
  t.equal(await totp.remove(userId, 'otp_1'), true)
  t.equal(await totp.remove(userId, 'otp_1'), false)
})

t.test('recovery codes', async (t) => {
  await using store = await freshStore()
  const { recoveryCodes } = store
  const userId = await addAccount(store)
  const set = { id: 'rcs_1', userId, salt: 'salt', createdAt: NOW, unused: ['a', 'b'], total: 2 }
  t.equal(await recoveryCodes.current(userId), undefined)
  await recoveryCodes.replace(set)
  t.same(await recoveryCodes.current(userId), set)
  t.equal(await recoveryCodes.spend('rcs_1', 'a', NOW), true)
  t.equal(await recoveryCodes.spend('rcs_1', 'a', NOW), false)
  t.equal(await recoveryCodes.spend('rcs_1', 'c', NOW), false)
  t.same(await recoveryCodes.current(userId), { ...set, unused: ['b'] })
  t.equal(await recoveryCodes.spend('rcs_1', 'b', NOW), true)
  t.same(await recoveryCodes.current(userId), { ...set, unused: [] }, 'a set that is used up')
  await recoveryCodes.replace({ ...set, id: 'rcs_2', unused: ['d'], total: 1 })
  t.equal(await recoveryCodes.spend('rcs_1', 'b', NOW), false, 'replaced')
  t.equal(await recoveryCodes.spend('rcs_2', 'd', NOW), true)
})

t.test('sessions', async (t) => {
  await using store = await freshStore()
  const { sessions } = store
  const alice = await addAccount(store)
  const one = newSession(alice, {
    stage: 'pending',
    remember: true,
    factors: [
      { kind: 'password', at: NOW },
      { kind: 'totp', at: NOW + 1 },
    ],
  })
  t.equal(await sessions.add(one), true)
  t.equal(await sessions.add(newSession(newUserId())), false, 'of an account that is gone')
  t.same(await sessions.byTokenHash(one.tokenHash), one)
  t.same(await sessions.byId(one.id), one)
  t.equal(await sessions.byTokenHash('unknown'), undefined)

  const next = newSession(alice, { createdAt: NOW + 1 })
  t.equal(await sessions.replace(one.tokenHash, next), true)
  t.equal(await sessions.replace(one.tokenHash, newSession(alice)), false, 'replaced already')
  t.equal(await sessions.byTokenHash(one.tokenHash), undefined, 'the old token is dead')
  t.equal(await sessions.byId(one.id), undefined)
  t.same(await sessions.list(), [next])

  t.equal(await sessions.remove(next.id), true)
  t.equal(await sessions.remove(next.id), false)
  t.equal(await sessions.replace(next.tokenHash, newSession(alice)), false, 'revoked')

  const bob = await addAccount(store, 'bob')
  const mine = [newSession(alice), newSession(alice), newSession(alice)] as const
  for (const session of mine) await sessions.add(session)
  await sessions.add(newSession(bob))
  t.same(
    [...(await sessions.removeOfUser(alice, mine[1].id))].sort(),
    [mine[0].id, mine[2].id].sort(),
  )
  t.same(await sessions.ofUser(alice), [mine[1]])
  t.same(await sessions.removeOfUser(alice), [mine[1].id])
  t.same(await sessions.removeOfUser(alice), [])
  t.equal(await sessions.removeAll(), 1)
  t.equal(await sessions.removeAll(), 0)
})

t.test('add() of a session cuts what a client can make long', async (t) => {
  await using store = await freshStore()
  const userId = await addAccount(store)
  const session = newSession(userId, {
    userAgent: '\u{1F600}'.repeat(5000),
    address: 'x'.repeat(500),
  })
  await store.sessions.add(session)
  const kept = await store.sessions.byId(session.id)
  t.equal(kept?.userAgent.length, 256)
  t.equal(kept?.address.length, 64)
})

t.test('touch() moves many sessions forward, never backward', async (t) => {
  await using store = await freshStore()
  const { sessions } = store
  const userId = await addAccount(store)
  const first = newSession(userId)
  await sessions.add(first)
  const all = [first.id, ...copySession(first.id, 1202)]
  await sessions.touch(new Map())
  await sessions.touch(new Map(all.map((id, i) => [id, NOW + i])))
  await sessions.touch(new Map([...all.map((id) => [id, NOW + 5] as const), [sessionId(), NOW]]))
  for (const [i, id] of all.entries()) {
    if (i % 100 === 0 || i === 1202) {
      t.equal((await sessions.byId(id))?.lastSeenAt, NOW + Math.max(i, 5), `session ${i}`)
    }
  }
})

t.test('removeEnded() removes what is past its absolute or its idle end', async (t) => {
  await using store = await freshStore()
  const { sessions } = store
  const userId = await addAccount(store)
  const idle = newSession(userId, { idle: 100 })
  const seen = newSession(userId, { idle: 100 })
  const ended = newSession(userId, { idle: 100_000, endsAt: NOW + 200 })
  const alive = newSession(userId, { idle: 100_000, endsAt: NOW + 100_000 })
  for (const session of [idle, seen, ended, alive]) await sessions.add(session)
  await sessions.touch(
    new Map([
      [seen.id, NOW + 50],
      [ended.id, NOW + 150],
    ]),
  )
  const left = async () => (await sessions.list()).map(({ id }) => id).sort()
  t.equal(await sessions.removeEnded(NOW + 99), 0)
  t.equal(await sessions.removeEnded(NOW + 100), 1)
  t.same(await left(), [seen.id, ended.id, alive.id].sort())
  t.equal(await sessions.removeEnded(NOW + 150), 1)
  t.same(await left(), [ended.id, alive.id].sort())
  t.equal(await sessions.removeEnded(NOW + 199), 0, 'touching does not move the absolute end')
  t.equal(await sessions.removeEnded(NOW + 200), 1)
  t.same(await left(), [alive.id])
  const last = newSession(userId)
  await sessions.add(last)
  copySession(last.id, 1099)
  t.equal(await sessions.removeEnded(NOW + 50_000), 1100, 'more than one batch')
  t.same(await left(), [alive.id])
})

t.test('meta.setIfAbsent() keeps the first value', async (t) => {
  await using store = await freshStore()
  t.equal(await store.meta.get('key'), undefined)
  t.equal(await store.meta.setIfAbsent('key', 'one'), 'one')
  t.equal(await store.meta.setIfAbsent('key', 'two'), 'one')
  t.equal(await store.meta.get('key'), 'one')
})

t.test('foreignWrites.seen() tells once of each change by another connection', async (t) => {
  const path = dir.at('foreign.db')
  await using mine = await openSqlStore({ path })
  t.equal(mine.foreignWrites.seen(), false)
  const userId = await addAccount(mine)
  t.equal(mine.foreignWrites.seen(), false, 'own writes are known')
  await using theirs = await openSqlStore({ path })
  t.equal(mine.foreignWrites.seen(), false, 'opening changes nothing')
  await theirs.accounts.byId(userId)
  t.equal(mine.foreignWrites.seen(), false, 'nor does reading')
  await theirs.accounts.setDisabled(userId, true, NOW)
  await mine.accounts.count()
  await mine.meta.setIfAbsent('own', 'write')
  t.equal(mine.foreignWrites.seen(), true, 'own reads and writes in between hide nothing')
  t.equal(mine.foreignWrites.seen(), false)
  t.equal(theirs.foreignWrites.seen(), true)

  for (let i = 0; i < 2000; i++) mine.foreignWrites.seen()
  const start = performance.now()
  for (let i = 0; i < 10_000; i++) mine.foreignWrites.seen()
  const each = ((performance.now() - start) * 1000) / 10_000
  t.comment(`${each.toFixed(2)} microseconds each`)
  t.ok(each < 20, 'cheap enough for every request')
})
