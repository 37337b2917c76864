import { sql } from 'kysely'
import type { SealedColumn, SealedValueStore } from '../../tokens/sealed-column.ts'
import type { Database } from './database.ts'

type Row = {
  readonly value: string
  readonly digest: string
  readonly rests_until: number
} & Readonly<Record<`key${number}`, string>>

/** Sealed values of any table. Names of tables and columns come from the program's own list. */
export function createSealedValueStore(database: Database): SealedValueStore {
  return {
    page: (column, after, limit) =>
      database.read(async (db) => {
        const key = keyOf(column)
        const named = sql.join(column.key.map((name, at) => sql`${sql.ref(name)} as ${as(at)}`))
        const from = after === undefined ? sql`` : sql`where (${key}) > (${sql.join([...after])})`
        const { rows } = await sql<Row>`
          select ${named},
            ${sql.ref(column.column)} as value,
            ${column.digest === undefined ? sql`''` : sql.ref(column.digest)} as digest,
            ${column.restsUntil === undefined ? sql`0` : sql.ref(column.restsUntil)} as rests_until
          from ${sql.table(column.table)} ${from} order by ${key} limit ${limit}`.execute(db)
        return rows.map((row) => ({
          key: column.key.map((_, at) => row[`key${at}`] ?? ''),
          value: row.value,
          digest: row.digest,
          restsUntil: Number(row.rests_until),
        }))
      }),
    replace: (column, changes) =>
      database.write(async (trx) => {
        let replaced = 0n
        for (const { key, from, to } of changes) {
          const digest = column.digest === undefined ? undefined : sql.ref(column.digest)
          const { numAffectedRows = 0n } = await sql`
            update ${sql.table(column.table)}
            set ${sql.ref(column.column)} = ${to.value}
              ${digest === undefined ? sql`` : sql`, ${digest} = ${to.digest}`}
            where (${keyOf(column)}) = (${sql.join([...key])})
              and ${sql.ref(column.column)} = ${from.value}
              ${digest === undefined ? sql`` : sql`and ${digest} = ${from.digest}`}`.execute(trx)
          replaced += numAffectedRows
        }
        return Number(replaced)
      }),
  }
}

function keyOf(column: SealedColumn) {
  return sql.join(column.key.map((name) => sql.ref(name)))
}

function as(at: number) {
  return sql.ref(`key${at}`)
}
