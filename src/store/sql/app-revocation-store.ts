import type { AppRevocationStore } from '../../access/app-revocations.ts'
import type { Database } from './database.ts'

/** Instants in the table `app_revocations`. */
export function createAppRevocationStore(database: Database): AppRevocationStore {
  return {
    revoke: (app, at) =>
      database.write(async (trx) => {
        await trx
          .insertInto('app_revocations')
          .values({ app, revoked_before: at })
          .onConflict((conflict) =>
            conflict
              .column('app')
              .doUpdateSet({ revoked_before: at })
              .where('app_revocations.revoked_before', '<', at),
          )
          .execute()
      }),
    all: () =>
      database.read(async (db) => {
        const rows = await db.selectFrom('app_revocations').selectAll().execute()
        return new Map(rows.map((row) => [row.app, Number(row.revoked_before)]))
      }),
  }
}
