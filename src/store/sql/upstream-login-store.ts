import type { StoredUpstreamLogin, UpstreamLoginStore } from '../../tokens/upstream-login.ts'
import type { Database } from './database.ts'
import { rowUserId } from './row.ts'

/** The table `upstream_logins`. */
export function createUpstreamLoginStore(database: Database): UpstreamLoginStore {
  return {
    of: (app, userId) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('upstream_logins')
          .selectAll()
          .where('app', '=', app)
          .where('user_id', '=', userId)
          .executeTakeFirst()
        return row && toLogin(row)
      }),
    set: (login) =>
      database.write(async (trx) => {
        const kept = { sealed_login: login.sealedLogin, updated_at: login.updatedAt }
        await trx
          .insertInto('upstream_logins')
          .values({ app: login.app, user_id: login.userId, ...kept })
          .onConflict((conflict) => conflict.columns(['app', 'user_id']).doUpdateSet(kept))
          .execute()
      }),
    remove: (app, userId) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('upstream_logins')
          .where('app', '=', app)
          .where('user_id', '=', userId)
          .executeTakeFirst()
        return numDeletedRows === 1n
      }),
    list: (userId) =>
      database.read(async (db) => {
        const all = db.selectFrom('upstream_logins').selectAll().orderBy('app').orderBy('user_id')
        const rows = await (userId === undefined
          ? all
          : all.where('user_id', '=', userId)
        ).execute()
        return rows.map(toLogin)
      }),
  }
}

function toLogin(row: {
  readonly app: string
  readonly user_id: string
  readonly sealed_login: string
  readonly updated_at: number
}): StoredUpstreamLogin {
  return {
    app: row.app,
    userId: rowUserId(row.user_id),
    sealedLogin: row.sealed_login,
    updatedAt: Number(row.updated_at),
  }
}
