import { type Insertable, type Selectable, sql, type Transaction } from 'kysely'
import type { RefreshToken, RefreshTokenStore } from '../../tokens/refresh-token.ts'
import type { Database } from './database.ts'
import { rowSessionId, rowUserId } from './row.ts'
import type { Schema } from './schema.ts'

/** How many rows go in one turn, so that other writers do not wait long. */
const BATCH = 500
/** How many turns at most; what is left waits for the next call. */
const TURNS = 50

/** Refresh tokens, in the table `refresh_tokens`. */
export function createRefreshTokenStore(database: Database): RefreshTokenStore {
  return {
    start: (token) =>
      database.write(async (trx) => {
        if (!(await isThere(trx, token.sessionId))) return false
        await trx.deleteFrom('refresh_tokens').where('session_id', '=', token.sessionId).execute()
        await trx.insertInto('refresh_tokens').values(toRow(token)).execute()
        return true
      }),
    byHash: (tokenHash) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('refresh_tokens')
          .selectAll()
          .where('token_hash', '=', tokenHash)
          .executeTakeFirst()
        return row && toToken(row)
      }),
    replace: (tokenHash, next, { now, sealedSuccessor, lostBefore }) =>
      database.write(async (trx) => {
        if (!(await isThere(trx, next.sessionId))) return false
        const { numUpdatedRows } = await trx
          .updateTable('refresh_tokens')
          .set({ spent_at: now, sealed_successor: sealedSuccessor })
          .where('token_hash', '=', tokenHash)
          .where('session_id', '=', next.sessionId)
          .where('spent_at', '=', 0)
          .where('expires_at', '>', now)
          .executeTakeFirst()
        if (numUpdatedRows !== 1n) return false
        await trx
          .updateTable('refresh_tokens')
          .set({ sealed_successor: '' })
          .where('session_id', '=', next.sessionId)
          .where('spent_at', '<', lostBefore)
          .where('sealed_successor', '<>', '')
          .execute()
        await trx.insertInto('refresh_tokens').values(toRow(next)).execute()
        return true
      }),
    removeFamily: (sessionId) =>
      database.write(async (trx) => {
        await trx.deleteFrom('refresh_tokens').where('session_id', '=', sessionId).execute()
      }),
    emptySuccessors: (before) =>
      inTurns(() =>
        database.write(async (trx) => {
          const { numUpdatedRows } = await trx
            .updateTable('refresh_tokens')
            .set({ sealed_successor: '' })
            .where('token_hash', 'in', (eb) =>
              eb
                .selectFrom('refresh_tokens')
                .select('token_hash')
                // Written out: only so is it known to be what the index is about.
                .where(sql<boolean>`sealed_successor <> ''`)
                .where('spent_at', '<', before)
                .limit(BATCH),
            )
            .executeTakeFirst()
          return Number(numUpdatedRows)
        }),
      ),
    removeOver: (now) =>
      inTurns(() =>
        database.write(async (trx) => {
          const { numDeletedRows } = await trx
            .deleteFrom('refresh_tokens')
            .where('token_hash', 'in', (eb) =>
              eb
                .selectFrom('refresh_tokens')
                .select('token_hash')
                .where('expires_at', '<=', now)
                .limit(BATCH),
            )
            .executeTakeFirst()
          return Number(numDeletedRows)
        }),
      ),
  }
}

async function inTurns(turn: () => Promise<number>): Promise<number> {
  let total = 0
  for (let count = 0; count < TURNS; count++) {
    const changed = await turn()
    total += changed
    if (changed < BATCH) break
  }
  return total
}

async function isThere(trx: Transaction<Schema>, sessionId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', sessionId)
    .executeTakeFirst()
  return row !== undefined
}

function toRow(token: RefreshToken): Insertable<Schema['refresh_tokens']> {
  return {
    token_hash: token.tokenHash,
    session_id: token.sessionId,
    user_id: token.userId,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    spent_at: token.spentAt,
    sealed_successor: token.sealedSuccessor,
  }
}

function toToken(row: Selectable<Schema['refresh_tokens']>): RefreshToken {
  return {
    tokenHash: row.token_hash,
    sessionId: rowSessionId(row.session_id),
    userId: rowUserId(row.user_id),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    spentAt: row.spent_at,
    sealedSuccessor: row.sealed_successor,
  }
}
