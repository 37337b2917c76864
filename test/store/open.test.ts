import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { CompiledQuery } from 'kysely'
import t from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { createDatabase } from '../../src/store/sql/database.ts'
import { MIGRATIONS, migrate } from '../../src/store/sql/migrations.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { openSqliteFile } from '../../src/store/sql/sqlite-file.ts'
import { tempDir } from '../support/temp-dir.ts'

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

t.test('openSqlStore() creates what it needs for its own user alone', async (t) => {
  using dir = tempDir()
  const path = dir.at('data/deep/sallyport.db')
  await using store = await openSqlStore({ path })
  await store.meta.setIfAbsent('a', '1')
  t.equal(mode(dirname(path)), '700', 'folder')
  for (const file of ['', '-wal', '-shm']) t.equal(mode(path + file), '600', `file${file}`)
})

t.test('openSqlStore() makes an existing file private', async (t) => {
  using dir = tempDir()
  const path = dir.at('sallyport.db')
  await (await openSqlStore({ path })).close()
  chmodSync(path, 0o644)
  await using _store = await openSqlStore({ path })
  t.equal(mode(path), '600')
})

t.test('openSqlStore() sets the connection up for durability', async (t) => {
  using dir = tempDir()
  const path = dir.at('sallyport.db')
  await (await openSqlStore({ path })).close()
  const raw = new SqliteDatabase(path, { readonly: true })
  t.equal(raw.pragma('journal_mode', { simple: true }), 'wal')
  raw.close()
  const file = await openSqliteFile(path)
  const database = createDatabase(file.dialect, file.isPresent)
  const pragma = (name: string) =>
    database.read(async (db) => {
      const { rows } = await db.executeQuery(CompiledQuery.raw(`pragma ${name}`))
      return Object.values(rows[0] ?? {})[0]
    })
  t.equal(await pragma('synchronous'), 2, 'FULL')
  t.equal(await pragma('foreign_keys'), 1)
  t.equal(await pragma('trusted_schema'), 0)
  t.ok(Number(await pragma('busy_timeout')) <= 25)
  await database.close()
})

t.test('openSqlStore() keeps what was written before', async (t) => {
  using dir = tempDir()
  const path = dir.at('sallyport.db')
  const first = await openSqlStore({ path })
  await first.meta.setIfAbsent('key', 'kept')
  await first.close()
  await using second = await openSqlStore({ path })
  t.equal(await second.meta.get('key'), 'kept')
})

t.test('openSqlStore() called five times at once on a new file gives five stores', async (t) => {
  using dir = tempDir()
  const path = dir.at('sallyport.db')
  const stores = await Promise.all(Array.from({ length: 5 }, () => openSqlStore({ path })))
  await stores[0]?.meta.setIfAbsent('a', '1')
  for (const store of stores) {
    t.equal(await store.meta.get('a'), '1')
    await store.close()
  }
})

t.test('openSqlStore() refuses what it cannot serve and says what to do', async (t) => {
  using dir = tempDir()
  const good = dir.at('good.db')
  const store = await openSqlStore({ path: good })
  for (let i = 0; i < 40; i++) await store.meta.setIfAbsent(`key-${i}`, 'x'.repeat(400))
  await store.close()
  const bytes = readFileSync(good)
  const refusal = (path: string) =>
    openSqlStore({ path }).then(
      () => ({ code: 'opened', message: '' }),
      (error: { code: string; message: string }) => error,
    )

  const newer = dir.write('newer.db', bytes)
  const raw = new SqliteDatabase(newer)
  raw.prepare('insert into kysely_migration values (?, ?)').run('0999_later', '2030-01-01')
  raw.close()
  t.match(await refusal(newer), {
    code: 'store_incompatible',
    message: /newer version.*0999_later/,
  })

  const noise = dir.write('noise.db', Buffer.alloc(8192, 'no database at all '))
  t.match(await refusal(noise), { code: 'store_incompatible', message: /restore a backup/ })

  const cutShort = dir.write('short.db', bytes.subarray(0, Math.floor(bytes.length / 2)))
  t.match(await refusal(cutShort), { code: 'store_incompatible', message: /restore a backup/ })

  const flipped = Buffer.from(bytes)
  flipped.fill(0xff, 4096, 4096 * 3)
  t.match(await refusal(dir.write('flipped.db', flipped)), {
    code: 'store_incompatible',
    message: /restore a backup/,
  })

  const foreign = dir.at('foreign.db')
  const other = new SqliteDatabase(foreign)
  other.exec('create table notes (text)')
  other.close()
  t.match(await refusal(foreign), { code: 'store_incompatible', message: /another program/ })
  const after = new SqliteDatabase(foreign)
  t.equal(after.pragma('journal_mode', { simple: true }), 'delete', 'left as it was')
  after.close()

  mkdirSync(dir.at('folder.db'))
  t.match(await refusal(dir.at('folder.db')), { code: 'store_unavailable' })
  writeFileSync(dir.at('file'), '')
  t.match(await refusal(dir.at('file/sallyport.db')), {
    code: 'store_unavailable',
    message: /cannot be created/,
  })
})

t.test('migrate() leaves the tables as they were when a later migration fails', async (t) => {
  using dir = tempDir()
  const path = dir.at('sallyport.db')
  await (await openSqlStore({ path })).close()
  const file = await openSqliteFile(path)
  const database = createDatabase(file.dialect, file.isPresent)
  const failing = {
    ...MIGRATIONS,
    '9999_half': {
      up: async (db) => {
        await db.schema.createTable('half').addColumn('a', 'text').execute()
        throw new Error('power cut')
      },
    },
  } satisfies Parameters<typeof migrate>[1]
  await t.rejects(migrate(database, failing), { code: 'store_unavailable' })
  await database.close()

  await using store = await openSqlStore({ path })
  t.equal(await store.accounts.count(), 0)
  const raw = new SqliteDatabase(path, { readonly: true })
  t.equal(raw.prepare("select 1 from sqlite_schema where name = 'half'").get(), undefined)
  t.equal(
    raw.prepare('select count(*) from kysely_migration').pluck().get(),
    Object.keys(MIGRATIONS).length,
  )
  raw.close()
})

t.test(
  'close() lets writes finish, can be called twice, and then everything refuses',
  async (t) => {
    using dir = tempDir()
    const path = dir.at('sallyport.db')
    const store = await openSqlStore({ path })
    const writing = store.meta.setIfAbsent('last', 'word')
    await store.close()
    await store.close()
    t.equal(await writing, 'word')
    await t.rejects(store.ping(), { code: 'store_unavailable' })
    await t.rejects(store.meta.setIfAbsent('a', 'b'), { code: 'store_unavailable' })
    t.equal(store.foreignWrites.seen(), true, 'nothing that is cached may be relied on')
  },
)

t.test(
  'an error of the engine becomes store_unavailable without statement or values',
  async (t) => {
    using dir = tempDir()
    const path = dir.at('sallyport.db')
    await using store = await openSqlStore({ path })
    const ofNobody = {
      userId: newUserId(),
      sealedSecret: 'sealed-secret',
      expiresAt: 192,
    }
    const error = await store.totp.startEnrolment(ofNobody).then(
      () => undefined,
      (cause: Error & { code: string }) => cause,
    )
    t.equal(error?.code, 'store_unavailable')
    t.match(error?.message, /SQLITE_CONSTRAINT_FOREIGNKEY/)
    t.notMatch(error?.message, /insert|sealed-secret|192/)
    t.ok(error?.cause instanceof Error)
    t.equal(await store.meta.setIfAbsent('next', 'works'), 'works', 'the connection is usable')
  },
)
