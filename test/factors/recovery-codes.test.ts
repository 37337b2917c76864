import { readFileSync } from 'node:fs'
import t from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { createKdf } from '../../src/factors/kdf.ts'
import { createPasswordHasher } from '../../src/factors/password.ts'
import { createRecoveryCodes, parseRecoveryCode } from '../../src/factors/recovery-codes.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { Secret } from '../../src/lib/secret.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(dir.remove)
let files = 0

const addAccount = async (store: SqlStore, name = 'alice', passwordHash = 'x'): Promise<UserId> => {
  const id = newUserId()
  await store.accounts.add({ id, name, displayName: '', email: '', groups: [], passwordHash }, 0)
  return id
}

const setUp = async () => {
  const path = dir.at(`${files++}.db`)
  const store = await openSqlStore({ path })
  const kdf = createKdf({ queueLimit: 100 })
  const clock = fakeClock()
  const codes = createRecoveryCodes({ store: store.recoveryCodes, kdf, clock })
  const userId = await addAccount(store)
  return { path, store, kdf, clock, codes, userId, [Symbol.asyncDispose]: store.close }
}

const made = async (codes: Awaited<ReturnType<typeof setUp>>['codes'], userId: UserId) => {
  const set = await codes.create(userId)
  if (set.kind !== 'created') throw new Error('busy')
  return set.codes
}

t.test('create() gives ten codes of 75 bits; each is good once', async (t) => {
  await using parts = await setUp()
  const { codes, userId } = parts
  t.same(await codes.left(userId), { left: 0, total: 0, createdAt: 0 })
  const plain = await made(codes, userId)
  t.equal(plain.length, 10)
  t.equal(new Set(plain).size, 10)
  for (const code of plain) t.match(code, /^([0-9A-HJKMNP-TV-Z]{5}-){2}[0-9A-HJKMNP-TV-Z]{5}$/)
  t.match(await codes.left(userId), { left: 10, total: 10 })
  const [first = '', second = ''] = plain
  t.same(await codes.use(userId, first), { kind: 'right', left: 9 })
  t.same(await codes.use(userId, first), { kind: 'wrong' })
  t.same(await codes.use(userId, second), { kind: 'right', left: 8 })
  t.match(await codes.left(userId), { left: 8, total: 10 })
})

t.test('create() kills the earlier codes', async (t) => {
  await using parts = await setUp()
  const [old = ''] = await made(parts.codes, parts.userId)
  const [fresh = ''] = await made(parts.codes, parts.userId)
  t.same(await parts.codes.use(parts.userId, old), { kind: 'wrong' })
  t.same(await parts.codes.use(parts.userId, fresh), { kind: 'right', left: 9 })
})

t.test('create() makes as many as told', async (t) => {
  await using parts = await setUp()
  const deps = { store: parts.store.recoveryCodes, kdf: parts.kdf, clock: parts.clock }
  const codes = createRecoveryCodes(deps, { count: 4 })
  t.equal((await made(codes, parts.userId)).length, 4)
})

t.test('use() refuses the codes of another account', async (t) => {
  await using parts = await setUp()
  const bob = await addAccount(parts.store, 'bob')
  const [code = ''] = await made(parts.codes, parts.userId)
  await made(parts.codes, bob)
  t.same(await parts.codes.use(bob, code), { kind: 'wrong' })
  t.same(await parts.codes.use(parts.userId, code), { kind: 'right', left: 9 })
})

t.test('parseRecoveryCode() reads what people copy', async (t) => {
  const ok = { kind: 'ok', code: '0123456789ABCDE' }
  for (const typed of [
    '01234-56789-ABCDE',
    '0123456789abcde',
    ' 01234 56789 ABCDE ',
    'o1234-56789-abcde',
    'Oi234-56789-ABCDE',
    'OL234\u201056789\u00a0ABCDE',
    '０１２３４５６７８９ＡＢＣＤＥ',
  ]) {
    t.same(parseRecoveryCode(typed), ok, typed)
  }
  t.same(parseRecoveryCode(' - '), { kind: 'empty' })
  for (const typed of [
    '01234-56789-ABCD',
    '01234-56789-ABCDEF',
    '01234-56789-ABCDU',
    '01234_56789_ABCDE',
    '01234-56789-ABCDÉ',
    `01234-56789-ABCDE${' '.repeat(100_000)}`,
  ]) {
    t.same(parseRecoveryCode(typed), { kind: 'format' }, typed.slice(0, 30))
  }
})

t.test('use() does the same work for an account without codes', async (t) => {
  await using parts = await setUp()
  const { codes, kdf, userId, store } = parts
  await made(codes, userId)
  const bob = await addAccount(store, 'bob')
  const before = kdf.runs()
  t.same(await codes.use(userId, '00000-00000-00000'), { kind: 'wrong' })
  t.equal(kdf.runs() - before, 1, 'one run, however many codes there are')
  t.same(await codes.use(bob, '00000-00000-00000'), { kind: 'wrong' })
  t.equal(kdf.runs() - before, 2)
  t.same(await codes.use(userId, ''), { kind: 'empty' })
  t.same(await codes.use(userId, 'abc'), { kind: 'format' })
  t.equal(kdf.runs() - before, 2, 'what cannot be a code costs nothing')
})

t.test(
  'use() and create() share the bounded queue and change nothing when it is full',
  async (t) => {
    await using parts = await setUp()
    const kdf = createKdf({ concurrency: 1, queueLimit: 0 })
    const codes = createRecoveryCodes({ ...parts, store: parts.store.recoveryCodes, kdf })
    const passwords = createPasswordHasher({ kdf })
    const [code = ''] = await made(parts.codes, parts.userId)
    const hashing = passwords.hash(new Secret('correct horse'))
    t.same(await codes.use(parts.userId, code), { kind: 'busy' })
    t.same(await codes.create(parts.userId), { kind: 'busy' })
    t.equal((await hashing).kind, 'hashed')
    t.same(await codes.use(parts.userId, code), { kind: 'right', left: 9 })
  },
)

t.test('G3 one code in 50 parallel requests over two stores succeeds once', async (t) => {
  await using parts = await setUp()
  await using twin = await openSqlStore({ path: parts.path })
  const { codes, kdf, clock, userId } = parts
  const both = [codes, createRecoveryCodes({ store: twin.recoveryCodes, kdf, clock })] as const
  const [code = ''] = await made(codes, userId)
  const verdicts = await Promise.all(
    Array.from({ length: 50 }, (_, i) => both[i % 2 === 0 ? 0 : 1].use(userId, code)),
  )
  t.equal(verdicts.filter(({ kind }) => kind === 'right').length, 1)
  t.equal(verdicts.filter(({ kind }) => kind === 'wrong').length, 49)
  t.match(await codes.left(userId), { left: 9, total: 10 })
})

t.test('G11 the database files contain no code and no password in clear', async (t) => {
  const parts = await setUp()
  const password = 'tartiflette au reblochon'
  const hashed = await createPasswordHasher(parts).hash(new Secret(password))
  t.equal(hashed.kind, 'hashed')
  await addAccount(parts.store, 'bob', hashed.kind === 'hashed' ? hashed.phc : '')
  const codes = await made(parts.codes, parts.userId)
  await parts.codes.use(parts.userId, codes[0] ?? '')
  const live = Buffer.concat([parts.path, `${parts.path}-wal`].map((path) => readFileSync(path)))
  await parts.store.close()
  const bytes = Buffer.concat([live, readFileSync(parts.path)])
  t.ok(live.includes('$argon2id$'), 'the write-ahead log is looked at')
  for (const text of [password, ...codes, ...codes.map((code) => code.replaceAll('-', ''))]) {
    t.notOk(bytes.includes(text))
    t.notOk(bytes.includes(text.toLowerCase()))
    t.notOk(bytes.includes(Buffer.from(text).toString('base64url')))
  }
})
