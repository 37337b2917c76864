import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import {
  CompiledQuery,
  type Dialect,
  type Driver,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { AppError } from '../../lib/app-error.ts'
import { SECOND } from '../../lib/duration.ts'
import { isDamage, storeError } from './store-error.ts'
import { LOCK_WAIT, whileBusy } from './while-busy.ts'

/** A database file that was opened and looked over. Everything that only SQLite knows is here. */
export type SqliteFile = {
  /** For the query builder; its transactions take the write lock when they begin. */
  readonly dialect: Dialect
  /**
   * A number that changes when another connection, of any process, has committed a change.
   * Costs a look into shared memory, no I/O (https://sqlite.org/pragma.html#pragma_data_version).
   */
  readonly dataVersion: () => number
  /**
   * Whether the file that was opened is still the one at its path. A file that was deleted or
   * replaced goes on answering, but nothing written to it would last. Looked up once a second.
   */
  readonly isPresent: () => boolean
  /** Closes at once, also when the query builder has not used the file yet. Safe to call twice. */
  readonly close: () => void
}

/** `SALP`, in the header of the file: tells our databases from other programs' ones. */
const APPLICATION_ID = 0x53414c50

/**
 * How long the engine itself blocks for a lock: long enough for the commit of another process on
 * a quick disk, short enough not to be felt. Longer waits are timers (`whileBusy`).
 */
const ENGINE_BUSY_TIMEOUT = 5

/** The whole file is read over at start up to this size: a few milliseconds a mebibyte. */
const CHECK_UP_TO_BYTES = 16 * 1024 * 1024

/**
 * Opens the file, and creates it (0600) and its folder (0700) when there is none.
 *
 * @throws AppError `store_incompatible` when the file is damaged or another program's,
 * `store_unavailable` when it cannot be created, opened, or stays locked
 */
export async function openSqliteFile(path: string): Promise<SqliteFile> {
  createPrivately(path)
  let raw: SqliteDatabase.Database | undefined
  try {
    const opened = new SqliteDatabase(path, { timeout: ENGINE_BUSY_TIMEOUT })
    raw = opened
    await whileBusy(async () => configure(opened, path), performance.now() + LOCK_WAIT)
    const version = opened.prepare<[], number>('PRAGMA data_version').pluck()
    return {
      dialect: sqliteDialect(opened),
      dataVersion: () => version.get() ?? 0,
      isPresent: presence(path),
      close: () => opened.close(),
    }
  } catch (cause) {
    raw?.close()
    const error = storeError(cause)
    throw isDamage(error.cause) ? damaged(path, error.cause) : error
  }
}

const LOOK_AGAIN = 1 * SECOND

function presence(path: string): () => boolean {
  const { dev, ino } = statSync(path)
  let present = true
  let nextLook = 0
  return () => {
    const now = performance.now()
    if (now < nextLook) return present
    nextLook = now + LOOK_AGAIN
    const found = statSync(path, { throwIfNoEntry: false })
    present = found !== undefined && found.ino === ino && found.dev === dev
    return present
  }
}

/**
 * SECURITY: SQLite gives the files it keeps beside the database the database's own mode, so
 * creating that one with 0600 covers them. An existing file is never opened here: closing it
 * would drop the locks that this process holds on it (POSIX, fcntl).
 */
function createPrivately(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const mode = statSync(path, { throwIfNoEntry: false })?.mode
    if (mode === undefined) createEmpty(path)
    else if ((mode & 0o077) !== 0) chmodSync(path, 0o600)
  } catch (cause) {
    const code = errorCode(cause) ?? 'unknown error'
    throw new AppError(
      'store_unavailable',
      `The database file ${path} cannot be created or made private (${code}). ` +
        'Give this user its folder, or set another path.',
      { cause },
    )
  }
}

function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (cause) {
    // By another process, a moment ago.
    if (errorCode(cause) !== 'EEXIST') throw cause
  }
}

function errorCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}

/** Everything here may be done again after it failed half-way. */
function configure(raw: SqliteDatabase.Database, path: string): void {
  raw.pragma('trusted_schema = OFF')
  raw.pragma('foreign_keys = ON')
  const id = raw.pragma('application_id', { simple: true })
  if (id !== APPLICATION_ID) {
    const tables = raw.prepare<[], number>('select count(*) from sqlite_schema').pluck().get()
    if (id !== 0 || tables !== 0) {
      throw new AppError(
        'store_incompatible',
        `${path} is the database of another program. Set another path.`,
      )
    }
  }
  if (raw.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
    throw new AppError(
      'store_unavailable',
      `The file system of ${path} does not allow a write-ahead log. Use a local disk.`,
    )
  }
  // FULL: the log is on disk before a commit returns, so a power cut loses nothing that was
  // acknowledged (https://sqlite.org/pragma.html#pragma_synchronous).
  raw.pragma('synchronous = FULL')
  raw.pragma(`journal_size_limit = ${CHECK_UP_TO_BYTES}`)
  if (id === 0) raw.pragma(`application_id = ${APPLICATION_ID}`)
  if (statSync(path).size > CHECK_UP_TO_BYTES) return
  if (raw.pragma('quick_check(1)', { simple: true }) !== 'ok') throw damaged(path)
}

function damaged(path: string, cause?: unknown): AppError {
  return new AppError(
    'store_incompatible',
    `${path} is damaged, or is not a database. Keep a copy of it and restore a backup.`,
    { cause },
  )
}

/**
 * The query builder's own driver with two changes: a transaction takes the write lock at once, so
 * it can fail only before it did anything; and rolling back is nothing when the engine has
 * rolled back by itself, as it does on a full disk.
 */
function sqliteDialect(raw: SqliteDatabase.Database): Dialect {
  const inner = new SqliteDriver({
    database: { prepare: preparing(raw), close: () => raw.close() },
  })
  const driver: Driver = {
    init: (options) => inner.init(options),
    acquireConnection: () => inner.acquireConnection(),
    beginTransaction: async (connection) => {
      await connection.executeQuery(CompiledQuery.raw('begin immediate'))
    },
    commitTransaction: (connection) => inner.commitTransaction(connection),
    rollbackTransaction: async (connection) => {
      if (raw.inTransaction) await inner.rollbackTransaction(connection)
    },
    releaseConnection: () => inner.releaseConnection(),
    destroy: () => inner.destroy(),
  }
  return {
    createDriver: () => driver,
    createQueryCompiler: () => new SqliteQueryCompiler(),
    // SQLite's schema changes do roll back with their transaction.
    createAdapter: () =>
      Object.create(new SqliteAdapter(), { supportsTransactionalDdl: { value: true } }),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

/** Keeps statements that were prepared: the program's queries are few and always the same. */
function preparing(raw: SqliteDatabase.Database) {
  const kept = new Map<string, SqliteDatabase.Statement>()
  return (sql: string): SqliteDatabase.Statement => {
    let statement = kept.get(sql)
    if (statement === undefined) {
      statement = raw.prepare(sql)
      if (kept.size >= 200) kept.clear()
      kept.set(sql, statement)
    }
    return statement
  }
}
