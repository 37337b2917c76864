import type { Insertable, Selectable } from 'kysely'
import type { AuditRow, AuditStore } from '../../audit/audit-store.ts'
import type { Database } from './database.ts'
import { cut } from './row.ts'
import type { Schema } from './schema.ts'

/** Audit events in the table `audit_events`. */
export function createAuditStore(database: Database): AuditStore {
  return {
    add: (rows) =>
      database.write(async (trx) => {
        if (rows.length === 0) return
        await trx.insertInto('audit_events').values(rows.map(toColumns)).execute()
      }),
    find: (query) =>
      database.read(async (db) => {
        let rows = db.selectFrom('audit_events').selectAll().orderBy('id', 'desc')
        if (query.userId !== undefined) rows = rows.where('user_id', '=', query.userId)
        if (query.userName !== undefined) rows = rows.where('user_name', '=', query.userName)
        if (query.event !== undefined) rows = rows.where('event', '=', query.event)
        if (query.requestId !== undefined) rows = rows.where('request_id', '=', query.requestId)
        if (query.since !== undefined) rows = rows.where('at', '>=', query.since)
        if (query.until !== undefined) rows = rows.where('at', '<', query.until)
        if (query.before !== undefined) rows = rows.where('id', '<', query.before)
        return (await rows.limit(query.limit).execute()).map(toRow)
      }),
    trim: (room) =>
      database.write(async (trx) => {
        const old = await trx
          .deleteFrom('audit_events')
          .where('at', '<', room.before)
          .executeTakeFirst()
        let removed = Number(old.numDeletedRows)
        for (const [outcome, keep] of Object.entries(room.each)) {
          const oldest = await trx
            .selectFrom('audit_events')
            .select('id')
            .where('outcome', '=', outcome)
            .orderBy('id', 'desc')
            .offset(keep)
            .limit(1)
            .executeTakeFirst()
          if (oldest === undefined) continue
          const gone = await trx
            .deleteFrom('audit_events')
            .where('outcome', '=', outcome)
            .where('id', '<=', oldest.id)
            .executeTakeFirst()
          removed += Number(gone.numDeletedRows)
        }
        return removed
      }),
  }
}

function toColumns(row: AuditRow): Insertable<Schema['audit_events']> {
  return {
    at: row.at,
    event: cut(row.event, 64),
    outcome: cut(row.outcome, 16),
    reason: cut(row.reason, 64),
    request_id: cut(row.requestId, 16),
    client_ip: cut(row.clientIp, 64),
    user_id: cut(row.userId, 64),
    user_name: cut(row.userName, 128),
    session: cut(row.session, 64),
    user_agent: cut(row.userAgent, 256),
    details: JSON.stringify(row.details),
  }
}

function toRow(row: Selectable<Schema['audit_events']>): AuditRow {
  return {
    id: row.id,
    at: row.at,
    event: row.event,
    outcome: row.outcome,
    reason: row.reason,
    requestId: row.request_id,
    clientIp: row.client_ip,
    userId: row.user_id,
    userName: row.user_name,
    session: row.session,
    userAgent: row.user_agent,
    details: toDetails(row.details),
  }
}

/** What somebody else wrote there is no reason to show nothing of the event. */
function toDetails(text: string): AuditRow['details'] {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string] => {
        return typeof entry[1] === 'string'
      }),
    )
  } catch {
    return {}
  }
}
