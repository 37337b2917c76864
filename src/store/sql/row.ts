import {
  parseSessionId,
  parseUserId,
  type SessionId,
  type UserId,
} from '../../identity/principal.ts'
import { AppError } from '../../lib/app-error.ts'

/** The user id of a row. @throws AppError `store_unavailable` when it is none */
export function rowUserId(text: string): UserId {
  return parseUserId(text) ?? notOurs('user id')
}

/** The session id of a row. @throws AppError `store_unavailable` when it is none */
export function rowSessionId(text: string): SessionId {
  return parseSessionId(text) ?? notOurs('session id')
}

/**
 * The JSON list of a row, each item read by `item`, which gives `undefined` for what is none.
 * @throws AppError `store_unavailable`
 */
export function rowList<T>(text: string, item: (value: unknown) => T | undefined): readonly T[] {
  const values: unknown = parseJson(text)
  if (!Array.isArray(values)) return notOurs('list')
  return values.map((value: unknown) => item(value) ?? notOurs('list'))
}

/**
 * The JSON value of a row, read by `read`, which gives `undefined` for what is none of ours.
 * @throws AppError `store_unavailable`
 */
export function rowValue<T>(text: string, read: (value: unknown) => T | undefined): T {
  return read(parseJson(text)) ?? notOurs('value')
}

/** At most `length` UTF-16 units of a free text: the last line behind whoever should have cut it. */
export function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notOurs(what: string): never {
  throw new AppError(
    'store_unavailable',
    `The database holds a ${what} that this program did not write. Restore a backup.`,
  )
}
