import { type Dialect, Kysely, type Transaction } from 'kysely'
import { AppError } from '../../lib/app-error.ts'
import { createLane } from './lane.ts'
import type { Schema } from './schema.ts'
import { LOCK_WAIT, whileBusy } from './while-busy.ts'

/**
 * The way to the tables. Both methods throw AppError `store_unavailable` for whatever the engine
 * refuses, after `LOCK_WAIT` at the latest when another process holds a lock.
 */
export type Database = {
  /** Runs queries that change nothing. May run `job` again. */
  readonly read: <T>(job: (db: Kysely<Schema>) => Promise<T>) => Promise<T>
  /**
   * Runs `job` in a write transaction: all of it is on disk when the promise resolves, nothing
   * of it stays when `job` throws. `job` runs once, and must wait for nothing but its queries.
   */
  readonly write: <T>(job: (trx: Transaction<Schema>) => Promise<T>) => Promise<T>
  /** Lets what was asked before finish, then closes. */
  readonly close: () => Promise<void>
}

/**
 * One connection, in two queues. `connection` is held for as long as statements run, which takes
 * no waiting; `writers` is held while waiting for another process's lock too, so that one writer
 * tries at a time and readers pass meanwhile.
 */
export function createDatabase(dialect: Dialect, isPresent: () => boolean): Database {
  const kysely = new Kysely<Schema>({ dialect, log: [] })
  const connection = createLane()
  const writers = createLane()
  let closing: Promise<void> | undefined

  const assertUsable = () => {
    if (closing !== undefined) throw new AppError('store_unavailable', 'The database is closed.')
    if (isPresent()) return
    throw new AppError(
      'store_unavailable',
      'The database file was removed or replaced while it was in use. Put it back, or restart.',
    )
  }

  return {
    read: async (job) => {
      assertUsable()
      return await whileBusy(() => connection.run(() => job(kysely)), performance.now() + LOCK_WAIT)
    },
    write: async (job) => {
      assertUsable()
      const deadline = performance.now() + LOCK_WAIT
      return await writers.run(async () => {
        let begun = false
        const attempt = () =>
          connection.run(() =>
            kysely.transaction().execute((trx) => {
              begun = true
              return job(trx)
            }),
          )
        // Once the lock is held, nothing can be busy any more: what fails then is final.
        return await whileBusy(attempt, deadline, () => !begun)
      })
    },
    close: async () => {
      closing ??= writers.run(() => connection.run(() => kysely.destroy()))
      await closing
    },
  }
}
