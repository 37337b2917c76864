import type { FailureStreakStore } from '../../factors/failure-streaks.ts'
import type { Database } from './database.ts'

/** Failures in a row in the table `factor_failures`. */
export function createFailureStreakStore(database: Database): FailureStreakStore {
  return {
    add: (userId, factor, most) =>
      database.write(async (trx) => {
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('factor_failures')
          .values({ user_id: userId, factor, count: 1 })
          .onConflict((conflict) =>
            conflict
              .columns(['user_id', 'factor'])
              .doUpdateSet((eb) => ({ count: eb('factor_failures.count', '+', 1) }))
              .where('factor_failures.count', '<', most),
          )
          .executeTakeFirst()
        return numInsertedOrUpdatedRows === 1n
      }),
    takeBack: (userId, factor) =>
      database.write(async (trx) => {
        await trx
          .updateTable('factor_failures')
          .set((eb) => ({ count: eb('count', '-', 1) }))
          .where('user_id', '=', userId)
          .where('factor', '=', factor)
          .where('count', '>', 0)
          .execute()
      }),
    clear: (userId, factor) =>
      database.write(async (trx) => {
        let rows = trx.deleteFrom('factor_failures').where('user_id', '=', userId)
        if (factor !== undefined) rows = rows.where('factor', '=', factor)
        await rows.execute()
      }),
  }
}
