import type { RecoveryCodeStore } from '../../factors/totp/totp-store.ts'
import type { Database } from './database.ts'

/** Recovery codes in the tables `recovery_code_sets` and `recovery_codes`. */
export function createRecoveryCodeStore(database: Database): RecoveryCodeStore {
  return {
    // One statement, so that a set replaced meanwhile cannot be seen with the codes of another.
    current: (userId) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom('recovery_code_sets')
          .leftJoin('recovery_codes', (join) =>
            join
              .onRef('recovery_codes.set_id', '=', 'recovery_code_sets.id')
              .on('recovery_codes.used_at', '=', 0),
          )
          .select(['id', 'salt', 'created_at', 'total', 'recovery_codes.digest'])
          .where('user_id', '=', userId)
          .orderBy('recovery_codes.digest')
          .execute()
        const [first] = rows
        return (
          first && {
            id: first.id,
            userId,
            salt: first.salt,
            createdAt: first.created_at,
            unused: rows.flatMap((row) => row.digest ?? []),
            total: first.total,
          }
        )
      }),
    replace: (set) =>
      database.write(async (trx) => {
        await trx.deleteFrom('recovery_code_sets').where('user_id', '=', set.userId).execute()
        await trx
          .insertInto('recovery_code_sets')
          .values({
            id: set.id,
            user_id: set.userId,
            salt: set.salt,
            created_at: set.createdAt,
            total: set.total,
          })
          .execute()
        await trx
          .insertInto('recovery_codes')
          .values(set.unused.map((digest) => ({ set_id: set.id, digest, used_at: 0 })))
          .execute()
      }),
    spend: (setId, digest, now) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('recovery_codes')
          .set({ used_at: now })
          .where('set_id', '=', setId)
          .where('digest', '=', digest)
          .where('used_at', '=', 0)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
  }
}
