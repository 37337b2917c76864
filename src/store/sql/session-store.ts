import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Insertable, type Selectable, sql } from 'kysely'
import {
  FACTOR_KINDS,
  type FactorKind,
  type ProvedFactor,
  type SessionId,
} from '../../identity/principal.ts'
import type { Session, SessionStore } from '../../sessions/session.ts'
import type { Database } from './database.ts'
import { cut, rowList, rowSessionId, rowUserId } from './row.ts'
import type { Schema } from './schema.ts'

/** Rows changed by one statement: what a slow disk does in a few milliseconds. */
const BATCH = 500

/** Sessions in the table `sessions`. */
export function createSessionStore(database: Database): SessionStore {
  return {
    add: (session) =>
      database.write(async (trx) => {
        // SECURITY: a sign-in takes a while, and an account may be shut meanwhile: its sessions were
        // ended then, and this one would come alive when it is let in again.
        const open = await trx
          .selectFrom('accounts')
          .select('id')
          .where('id', '=', session.userId)
          .where('disabled', '=', 0)
          .executeTakeFirst()
        if (open === undefined) return false
        await trx.insertInto('sessions').values(toRow(session)).execute()
        return true
      }),
    byTokenHash: (tokenHash) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('sessions')
          .selectAll()
          .where('token_hash', '=', tokenHash)
          .executeTakeFirst()
        return row && toSession(row)
      }),
    byId: (id) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('sessions')
          .selectAll()
          .where('id', '=', id)
          .executeTakeFirst()
        return row && toSession(row)
      }),
    ofUser: (userId) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom('sessions')
          .selectAll()
          .where('user_id', '=', userId)
          .orderBy('created_at')
          .execute()
        return rows.map(toSession)
      }),
    list: () =>
      database.read(async (db) => {
        const rows = await db.selectFrom('sessions').selectAll().orderBy('created_at').execute()
        return rows.map(toSession)
      }),
    page: ({ userId, after, now, limit }) =>
      database.read(async (db) => {
        let rows = db.selectFrom('sessions').selectAll().where('over_at', '>', now)
        if (userId !== undefined) rows = rows.where('user_id', '=', userId)
        if (after !== undefined) {
          rows = rows.where((eb) =>
            eb.or([
              eb('created_at', '>', after.createdAt),
              eb.and([eb('created_at', '=', after.createdAt), eb('id', '>', after.id)]),
            ]),
          )
        }
        const page = await rows.orderBy('created_at').orderBy('id').limit(limit).execute()
        return page.map(toSession)
      }),
    replace: (previousHash, next) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('sessions')
          .set(toRow(next))
          .where('token_hash', '=', previousHash)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    touch: async (seen) => {
      const all = [...seen]
      if (all.length === 0) return
      await database.write(async (trx) => {
        for (let start = 0; start < all.length; start += BATCH) {
          if (start > 0) await nextTurn()
          await touchStatement(all.slice(start, start + BATCH)).execute(trx)
        }
      })
    },
    remove: (id) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('sessions')
          .where('id', '=', id)
          .executeTakeFirst()
        return numDeletedRows === 1n
      }),
    removeOfUser: (userId, except) =>
      database.write(async (trx) => {
        const ended = trx.deleteFrom('sessions').where('user_id', '=', userId).returning('id')
        const rows = await (except === undefined
          ? ended
          : ended.where('id', '<>', except)
        ).execute()
        return rows.map((row) => rowSessionId(row.id))
      }),
    removeBeyond: ({ id, userId, stage, client }, keep) =>
      database.write(async (trx) => {
        const alike = trx
          .selectFrom('sessions')
          .where('user_id', '=', userId)
          .where('stage', '=', stage)
          .where('client', '=', client)
        const { count } = await alike
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow()
        if (Number(count) <= keep) return []
        const kept = alike
          .select('id')
          .where('id', '!=', id)
          .orderBy('last_seen_at', 'desc')
          .orderBy('created_at', 'desc')
          .limit(keep - 1)
        const rows = await trx
          .deleteFrom('sessions')
          .where('user_id', '=', userId)
          .where('stage', '=', stage)
          .where('client', '=', client)
          .where('id', '!=', id)
          .where('id', 'not in', kept)
          .returning('id')
          .execute()
        return rows.map((row) => rowSessionId(row.id))
      }),
    removeAll: () =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx.deleteFrom('sessions').executeTakeFirst()
        return Number(numDeletedRows)
      }),
    removeEnded: async (now) => {
      // In small transactions: nobody waits for the end of a long cleaning.
      for (let total = 0; ; ) {
        const removed = await database.write(async (trx) => {
          const { numDeletedRows } = await trx
            .deleteFrom('sessions')
            .where('id', 'in', (eb) =>
              eb.selectFrom('sessions').select('id').where('over_at', '<=', now).limit(BATCH),
            )
            .executeTakeFirst()
          return Number(numDeletedRows)
        })
        total += removed
        if (removed < BATCH) return total
        await nextTurn()
      }
    },
  }
}

/** One statement for many sessions; SQL that PostgreSQL reads in the same way. */
function touchStatement(batch: readonly (readonly [SessionId, number])[]) {
  const rows = batch.map(([id, seenAt]) => sql`(${id}, cast(${seenAt} as bigint))`)
  return sql`
    with seen(session_id, seen_at) as (values ${sql.join(rows)})
    update sessions set
      last_seen_at = seen.seen_at,
      over_at = case
        when seen.seen_at + sessions.idle < sessions.ends_at then seen.seen_at + sessions.idle
        else sessions.ends_at
      end
    from seen
    where sessions.id = seen.session_id and sessions.last_seen_at < seen.seen_at`
}

function toRow(session: Session): Insertable<Schema['sessions']> {
  return {
    id: session.id,
    token_hash: session.tokenHash,
    user_id: session.userId,
    stage: session.stage,
    factors: JSON.stringify(session.factors.map(({ kind, at }) => ({ kind, at }))),
    created_at: session.createdAt,
    last_seen_at: session.lastSeenAt,
    idle: session.idle,
    ends_at: session.endsAt,
    over_at: Math.min(session.endsAt, session.lastSeenAt + session.idle),
    remember: session.remember ? 1 : 0,
    address: cut(session.address, 64),
    user_agent: cut(session.userAgent, 256),
    client: session.client,
  }
}

function toSession(row: Selectable<Schema['sessions']>): Session {
  return {
    id: rowSessionId(row.id),
    tokenHash: row.token_hash,
    userId: rowUserId(row.user_id),
    // Whatever is not `complete` opens nothing but the second step.
    stage: row.stage === 'complete' ? 'complete' : 'pending',
    factors: rowList(row.factors, toFactor),
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    idle: row.idle,
    endsAt: row.ends_at,
    remember: row.remember !== 0,
    address: row.address,
    userAgent: row.user_agent,
    client: row.client === 'api' ? 'api' : 'browser',
  }
}

function toFactor(value: unknown): ProvedFactor | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!('kind' in value && 'at' in value)) return undefined
  const { kind, at } = value
  return isFactorKind(kind) && typeof at === 'number' ? { kind, at } : undefined
}

function isFactorKind(value: unknown): value is FactorKind {
  return FACTOR_KINDS.some((kind) => kind === value)
}
