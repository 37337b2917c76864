import type { SpentStore } from '../../lib/spent.ts'
import type { Database } from './database.ts'

/** How many rows go in one turn, so that other writers do not wait long. */
const BATCH = 1000
/** How many turns at most; what is left waits for the next call. */
const TURNS = 50

/** What was spent, in the table `spent`. */
export type SqlSpentStore = SpentStore & {
  /** Forgets, up to a bounded number, what would be refused by `now` anyway; gives how many. */
  readonly forget: (now: number) => Promise<number>
}

export function createSpentStore(database: Database): SqlSpentStore {
  return {
    spend: (kind, digest, forgetAt) =>
      database.write(async (trx) => {
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('spent')
          .values({ kind, digest, forget_at: forgetAt })
          .onConflict((conflict) => conflict.columns(['kind', 'digest']).doNothing())
          .executeTakeFirst()
        return numInsertedOrUpdatedRows === 1n
      }),
    giveBack: (kind, digest) =>
      database.write(async (trx) => {
        await trx
          .deleteFrom('spent')
          .where('kind', '=', kind)
          .where('digest', '=', digest)
          .execute()
      }),
    forget: async (now) => {
      let gone = 0
      for (let turn = 0; turn < TURNS; turn++) {
        const count = await forgetBatch(database, now)
        gone += count
        if (count < BATCH) break
      }
      return gone
    },
  }
}

function forgetBatch(database: Database, now: number): Promise<number> {
  return database.write(async (trx) => {
    const { numDeletedRows } = await trx
      .deleteFrom('spent')
      .where(({ eb, refTuple, selectFrom }) =>
        eb(
          refTuple('kind', 'digest'),
          'in',
          selectFrom('spent')
            .select(['kind', 'digest'])
            .where('forget_at', '<=', now)
            .orderBy('forget_at')
            .limit(BATCH)
            .$asTuple('kind', 'digest'),
        ),
      )
      .executeTakeFirst()
    return Number(numDeletedRows)
  })
}
