import type { Database } from './database.ts'

/** A few values that belong to the database as a whole. */
export type MetaStore = {
  readonly get: (key: string) => Promise<string | undefined>
  /** Keeps `value` unless the key has one already; gives the value that is kept from then on. */
  readonly setIfAbsent: (key: string, value: string) => Promise<string>
}

/** Values in the table `meta`. */
export function createMetaStore(database: Database): MetaStore {
  return {
    get: (key) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('meta')
          .select('value')
          .where('key', '=', key)
          .executeTakeFirst()
        return row?.value
      }),
    setIfAbsent: (key, value) =>
      database.write(async (trx) => {
        await trx
          .insertInto('meta')
          .values({ key, value })
          .onConflict((conflict) => conflict.column('key').doNothing())
          .execute()
        const kept = await trx
          .selectFrom('meta')
          .select('value')
          .where('key', '=', key)
          .executeTakeFirstOrThrow()
        return kept.value
      }),
  }
}
