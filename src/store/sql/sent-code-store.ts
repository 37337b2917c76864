import type { Kysely, Selectable } from 'kysely'
import type { SendLimit, SentCode, SentCodeStore, SmsPlace } from '../../factors/sms/sms-codes.ts'
import type { Database } from './database.ts'
import { rowUserId } from './row.ts'
import type { Schema } from './schema.ts'

/** How many rows go in one turn, so that other writers do not wait long. */
const BATCH = 1000
/** How many turns at most; what is left waits for the next call. */
const TURNS = 50

/** Codes that were sent, in the table `sent_codes`. */
export function createSentCodeStore(database: Database): SentCodeStore {
  return {
    reserve: (code, numberDigests, limits) =>
      database.write(async (trx) => {
        const now = code.createdAt
        const since = now - Math.max(...limits.map(({ window }) => window))
        const owners = [
          ['user_id', [code.userId]],
          ['number_digest', numberDigests],
        ] as const
        let retryAt = 0
        for (const [column, names] of owners) {
          const rows = await trx
            .selectFrom('sent_codes')
            .select('created_at')
            .where(column, 'in', names)
            .where('created_at', '>', since)
            .orderBy('created_at', 'desc')
            .execute()
          const times = rows.map((row) => row.created_at)
          retryAt = Math.max(retryAt, ...limits.map((limit) => openAgain(times, limit, now)))
        }
        if (retryAt > now) return { kind: 'limited', retryAt }
        await trx.insertInto('sent_codes').values(toRow(code)).execute()
        return { kind: 'reserved' }
      }),
    giveBack: (id) =>
      database.write(async (trx) => {
        await trx.deleteFrom('sent_codes').where('id', '=', id).execute()
      }),
    open: (place, now, tries) =>
      database.read(async (db) => {
        const row = await goodOnes(db, place, now, tries).limit(1).executeTakeFirst()
        return row && toCode(row)
      }),
    judge: (place, now, tries, isRight) =>
      database.write(async (trx) => {
        const rows = await goodOnes(trx, place, now, tries).execute()
        const codes = rows.map(toCode)
        // Each is compared, whichever is right.
        const [code] = codes.filter(isRight)
        if (code !== undefined) {
          await trx
            .updateTable('sent_codes')
            .set({ spent: 1 })
            .where('user_id', '=', place.userId)
            .where('purpose', '=', place.purpose)
            .execute()
          return { kind: 'right', code }
        }
        if (codes.length === 0) return { kind: 'none' }
        await trx
          .updateTable('sent_codes')
          .set(({ eb }) => ({ tries: eb('tries', '+', 1) }))
          .where(
            'id',
            'in',
            codes.map(({ id }) => id),
          )
          .execute()
        return { kind: 'wrong' }
      }),
    forget: async (before) => {
      let gone = 0
      for (let turn = 0; turn < TURNS; turn++) {
        const count = await forgetBatch(database, before)
        gone += count
        if (count < BATCH) break
      }
      return gone
    },
  }
}

/** When the limit lets another one through, given the times of those before, newest first. */
function openAgain(times: readonly number[], { count, window }: SendLimit, now: number): number {
  const oldest = times[count - 1]
  // What seems to be of the future was sent before the clock went back.
  return oldest === undefined ? 0 : Math.min(oldest, now) + window
}

function goodOnes(db: Kysely<Schema>, place: SmsPlace, now: number, tries: number) {
  return db
    .selectFrom('sent_codes')
    .selectAll()
    .where('user_id', '=', place.userId)
    .where('purpose', '=', place.purpose)
    .where('bound_to', '=', place.boundTo)
    .where('spent', '=', 0)
    .where('tries', '<', tries)
    .where('expires_at', '>', now)
    .orderBy('created_at', 'desc')
}

function forgetBatch(database: Database, before: number): Promise<number> {
  return database.write(async (trx) => {
    const { numDeletedRows } = await trx
      .deleteFrom('sent_codes')
      .where('id', 'in', (db) =>
        db
          .selectFrom('sent_codes')
          .select('id')
          .where('created_at', '<=', before)
          .orderBy('created_at')
          .limit(BATCH),
      )
      .executeTakeFirst()
    return Number(numDeletedRows)
  })
}

function toRow(code: SentCode): Selectable<Schema['sent_codes']> {
  return {
    id: code.id,
    user_id: code.userId,
    number_digest: code.numberDigest,
    bound_to: code.boundTo,
    purpose: code.purpose,
    digest: code.digest,
    sealed_number: code.sealedNumber,
    created_at: code.createdAt,
    expires_at: code.expiresAt,
    tries: 0,
    spent: 0,
  }
}

function toCode(row: Selectable<Schema['sent_codes']>): SentCode {
  return {
    id: row.id,
    userId: rowUserId(row.user_id),
    purpose: row.purpose === 'phone' || row.purpose === 'confirm' ? row.purpose : 'login',
    boundTo: row.bound_to,
    numberDigest: row.number_digest,
    digest: row.digest,
    sealedNumber: row.sealed_number,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
