import type { PhoneStore } from '../../factors/sms/phone.ts'
import type { Database } from './database.ts'

/** Verified numbers in the table `phones`. Whatever was sent to an earlier one is void with it. */
export function createPhoneStore(database: Database): PhoneStore {
  return {
    of: (userId) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('phones')
          .selectAll()
          .where('user_id', '=', userId)
          .executeTakeFirst()
        return (
          row && {
            userId,
            sealedNumber: row.sealed_number,
            numberDigest: row.number_digest,
            verifiedAt: row.verified_at,
          }
        )
      }),
    set: (phone) =>
      database.write(async (trx) => {
        const number = {
          sealed_number: phone.sealedNumber,
          number_digest: phone.numberDigest,
          verified_at: phone.verifiedAt,
        }
        await trx
          .insertInto('phones')
          .values({ user_id: phone.userId, ...number })
          .onConflict((conflict) => conflict.column('user_id').doUpdateSet(number))
          .execute()
        await voided(trx, phone.userId).execute()
      }),
    remove: (userId) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('phones')
          .where('user_id', '=', userId)
          .executeTakeFirst()
        await voided(trx, userId).execute()
        return numDeletedRows === 1n
      }),
  }
}

type Writer = Parameters<Parameters<Database['write']>[0]>[0]

function voided(trx: Writer, userId: string) {
  return trx.updateTable('sent_codes').set({ spent: 1 }).where('user_id', '=', userId)
}
