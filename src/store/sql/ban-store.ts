import type { BanStore } from '../../bans/ban.ts'
import type { Database } from './database.ts'
import { cut } from './row.ts'

const MAX_REASON = 200

/** The bans in the table `bans`. */
export function createBanStore(database: Database): BanStore {
  return {
    add: (ban, max) =>
      database.write(async (trx) => {
        await trx.deleteFrom('bans').where('ends_at', '<=', ban.createdAt).execute()
        const before = await trx
          .selectFrom('bans')
          .select('network')
          .where('network', '=', ban.network)
          .executeTakeFirst()
        const { count } = await trx
          .selectFrom('bans')
          .select((select) => select.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow()
        if (before === undefined && Number(count) >= max) return 'full'
        const row = {
          reason: cut(ban.reason, MAX_REASON),
          created_at: ban.createdAt,
          ends_at: ban.endsAt,
        }
        await trx
          .insertInto('bans')
          .values({ network: ban.network, ...row })
          .onConflict((conflict) => conflict.column('network').doUpdateSet(row))
          .execute()
        return before === undefined ? 'added' : 'replaced'
      }),
    list: (now, max) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom('bans')
          .selectAll()
          .where('ends_at', '>', now)
          .orderBy('ends_at', 'desc')
          .orderBy('network')
          .limit(max)
          .execute()
        return rows.map((row) => ({
          network: row.network,
          reason: row.reason,
          createdAt: Number(row.created_at),
          endsAt: Number(row.ends_at),
        }))
      }),
    lift: (network, now) =>
      database.write(async (trx) => {
        const rows = await trx
          .deleteFrom('bans')
          .where('network', '=', network)
          .returning('ends_at')
          .execute()
        return rows.some((row) => Number(row.ends_at) > now)
      }),
    removeEnded: (now) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('bans')
          .where('ends_at', '<=', now)
          .executeTakeFirst()
        return Number(numDeletedRows)
      }),
  }
}
