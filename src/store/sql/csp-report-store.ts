import { sql, type Transaction } from 'kysely'
import type { Harvest, ViolationStore } from '../../csp/violation-store.ts'
import type { Database } from './database.ts'
import { cut } from './row.ts'
import type { Schema } from './schema.ts'

/** The row that counts what there was no room for. No directive has an empty name. */
const DROPPED = { directive: '', blocked: '', page: '' } as const

/** Violations in the table `csp_reports`. */
export function createCspReportStore(database: Database): ViolationStore {
  return {
    add: (harvest, room) =>
      database.write(async (trx) => {
        for (const one of harvest) await addOfApp(trx, one, room)
      }),
    ofApp: (app) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom('csp_reports')
          .selectAll()
          .where('app', '=', app)
          .orderBy('count', 'desc')
          .orderBy('directive')
          .orderBy('blocked')
          .execute()
        return {
          violations: rows
            .filter((row) => row.directive !== DROPPED.directive)
            .map(({ directive, blocked, page, count, first_at, last_at }) => {
              return { directive, blocked, page, count, firstAt: first_at, lastAt: last_at }
            }),
          dropped: rows.find((row) => row.directive === DROPPED.directive)?.count ?? 0,
        }
      }),
    clear: (app) =>
      database.write(async (trx) => {
        const rows = await trx
          .deleteFrom('csp_reports')
          .where('app', '=', app)
          .returning('directive')
          .execute()
        return rows.filter((row) => row.directive !== DROPPED.directive).length
      }),
  }
}

async function addOfApp(trx: Transaction<Schema>, harvest: Harvest, room: number): Promise<void> {
  const { app, violations } = harvest
  const rows = await trx
    .selectFrom('csp_reports')
    .select(['directive', 'blocked'])
    .where('app', '=', app)
    .where('directive', '!=', DROPPED.directive)
    .execute()
  const known = new Set(rows.map(keyOf))
  let { dropped } = harvest
  for (const seen of violations) {
    const key = keyOf(seen)
    if (!known.has(key) && known.size >= room) {
      dropped += seen.count
      continue
    }
    known.add(key)
    await addRow(trx, {
      app,
      directive: cut(seen.directive, 64),
      blocked: cut(seen.blocked, 512),
      page: cut(seen.page, 512),
      count: seen.count,
      first_at: seen.firstAt,
      last_at: seen.lastAt,
    })
  }
  if (dropped > 0) {
    await addRow(trx, { app, ...DROPPED, count: dropped, first_at: 0, last_at: 0 })
  }
}

async function addRow(trx: Transaction<Schema>, row: Schema['csp_reports']): Promise<void> {
  await trx
    .insertInto('csp_reports')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['app', 'directive', 'blocked']).doUpdateSet(({ ref }) => ({
        count: sql<number>`${ref('csp_reports.count')} + ${ref('excluded.count')}`,
        last_at: ref('excluded.last_at'),
      })),
    )
    .execute()
}

function keyOf({ directive, blocked }: { readonly directive: string; readonly blocked: string }) {
  return `${directive} ${blocked}`
}
