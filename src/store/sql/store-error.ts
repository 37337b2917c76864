import { AppError } from '../../lib/app-error.ts'

/**
 * What an error of the database engine is to the rest of the program: AppError
 * `store_unavailable`, whose message names SQLite's result code and never a statement or a value.
 */
export function storeError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const code = sqliteCode(cause)
  if (code === undefined) {
    return new AppError('store_unavailable', 'The database could not be used.', { cause })
  }
  const advice = ADVICE.find(([start]) => code.startsWith(start))?.[1] ?? ''
  return new AppError('store_unavailable', `The database could not be used (${code}).${advice}`, {
    cause,
  })
}

/** Whether another connection holds the lock that was needed; the statement did nothing. */
export function isBusy(cause: unknown): boolean {
  return sqliteCode(cause)?.startsWith('SQLITE_BUSY') ?? false
}

/** Whether the file is damaged, or no database at all. */
export function isDamage(cause: unknown): boolean {
  const code = sqliteCode(cause) ?? ''
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB'
}

/** Result codes of SQLite (https://sqlite.org/rescode.html) by their beginning. */
const ADVICE = [
  ['SQLITE_BUSY', ' Another process keeps it locked.'],
  ['SQLITE_FULL', ' The disk is full.'],
  ['SQLITE_READONLY', ' The file or its folder cannot be written.'],
  ['SQLITE_CANTOPEN', ' The file or its folder cannot be opened.'],
  ['SQLITE_IOERR', ' The disk reported an error, or is full.'],
  ['SQLITE_CORRUPT', ' The file is damaged: stop and restore a backup.'],
  ['SQLITE_NOTADB', ' The file is damaged: stop and restore a backup.'],
] as const satisfies readonly (readonly [start: string, advice: string])[]

function sqliteCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  const { code } = cause
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}
