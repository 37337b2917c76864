import type { Kysely, Transaction } from 'kysely'
import type { DataKeyId, DataKeyStore } from '../../tokens/data-key.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** When the newest master key was made: `id instant`, in the table `meta`. */
const MASTER_MADE = 'master_key_made'

/** Data keys in the tables `data_keys` and `data_key_seals`. */
export function createDataKeyStore(database: Database): DataKeyStore {
  return {
    list: () =>
      database.read(async (db) => {
        // One statement: a change between two of them would show a key without its seals.
        const rows = await db
          .selectFrom('data_keys')
          .leftJoin('data_key_seals', 'data_key_seals.key_id', 'data_keys.id')
          .selectAll('data_keys')
          .select(['data_key_seals.master_id', 'data_key_seals.sealed_material'])
          .orderBy('purpose')
          .orderBy('active_from')
          .orderBy('data_keys.id')
          .execute()
        const keys = Map.groupBy(rows, ({ id }) => id)
        return [...keys.values()].flatMap((ofKey) => {
          const [first] = ofKey
          if (first === undefined) return []
          return {
            id: first.id as DataKeyId,
            purpose: first.purpose,
            createdAt: Number(first.created_at),
            activeFrom: Number(first.active_from),
            retiredAt: Number(first.retired_at),
            unmarked: first.unmarked === 1,
            seals: ofKey.flatMap(({ master_id: masterId, sealed_material: sealed }) =>
              masterId === null || sealed === null ? [] : { masterId, sealed },
            ),
          }
        })
      }),
    add: (keys, master) =>
      database.write(async (trx) => {
        const masters = await mastersOf(trx)
        if (masters.some((id) => id !== master.id)) return 'other_master'
        for (const key of keys) {
          const newest = await trx
            .selectFrom('data_keys')
            .select('id')
            .where('purpose', '=', key.purpose)
            .where('retired_at', '=', 0)
            .orderBy('active_from', 'desc')
            .orderBy('id', 'desc')
            .limit(1)
            .executeTakeFirst()
          if (newest?.id !== key.after) return 'changed'
        }
        for (const key of keys) {
          await trx
            .insertInto('data_keys')
            .values({
              id: key.id,
              purpose: key.purpose,
              created_at: key.createdAt,
              active_from: key.activeFrom,
              retired_at: 0,
              unmarked: key.unmarked ? 1 : 0,
            })
            .execute()
          await trx
            .insertInto('data_key_seals')
            .values({ key_id: key.id, master_id: master.id, sealed_material: key.sealed })
            .execute()
        }
        if (master.madeAt !== undefined) await noteMade(trx, master.id, master.madeAt)
        return 'added'
      }),
    retire: (id, now, keep) =>
      database.write(async (trx) => {
        const key = await trx
          .selectFrom('data_keys')
          .select(['purpose', 'active_from'])
          .where('id', '=', id)
          .where('retired_at', '=', 0)
          .executeTakeFirst()
        if (key === undefined) return 'gone'
        const successor = await trx
          .selectFrom('data_keys')
          .select('id')
          .where('purpose', '=', key.purpose)
          .where('retired_at', '=', 0)
          .where('active_from', '>', key.active_from)
          .where('active_from', '<=', now)
          .limit(1)
          .executeTakeFirst()
        if (successor === undefined) return 'current'
        await trx.updateTable('data_keys').set({ retired_at: now }).where('id', '=', id).execute()
        await trx.deleteFrom('data_key_seals').where('key_id', '=', id).execute()
        await trx
          .deleteFrom('data_keys')
          .where('purpose', '=', key.purpose)
          .where('retired_at', '>', 0)
          .where('id', 'not in', (db) =>
            db
              .selectFrom('data_keys')
              .select('id')
              .where('purpose', '=', key.purpose)
              .where('retired_at', '>', 0)
              .orderBy('retired_at', 'desc')
              .orderBy('active_from', 'desc')
              .limit(keep),
          )
          .execute()
        return 'retired'
      }),
    addSeals: (masterId, seals, now) =>
      database.write(async (trx) => {
        const keys = await liveKeys(trx)
        if (keys.length !== seals.size || keys.some((id) => !seals.has(id))) return 'changed'
        for (const [id, sealed] of seals) {
          await trx
            .insertInto('data_key_seals')
            .values({ key_id: id, master_id: masterId, sealed_material: sealed })
            .onConflict((conflict) =>
              conflict.columns(['key_id', 'master_id']).doUpdateSet({ sealed_material: sealed }),
            )
            .execute()
        }
        await noteMade(trx, masterId, now)
        return 'added'
      }),
    keepSeals: (masterId) =>
      database.write(async (trx) => {
        const sealed = await trx
          .selectFrom('data_key_seals')
          .select('key_id')
          .where('master_id', '=', masterId)
          .execute()
        const known = new Set(sealed.map((row) => row.key_id))
        if ((await madeLast(trx))?.id !== masterId) return false
        if ((await liveKeys(trx)).some((id) => !known.has(id))) return false
        await trx.deleteFrom('data_key_seals').where('master_id', '!=', masterId).execute()
        return true
      }),
    masterMade: () => database.read(madeLast),
  }
}

type Writer = Transaction<Schema>

async function mastersOf(trx: Writer): Promise<readonly string[]> {
  const rows = await trx.selectFrom('data_key_seals').select('master_id').distinct().execute()
  return rows.map((row) => row.master_id)
}

async function liveKeys(trx: Writer): Promise<readonly DataKeyId[]> {
  const rows = await trx.selectFrom('data_keys').select('id').where('retired_at', '=', 0).execute()
  return rows.map(({ id }) => id as DataKeyId)
}

async function madeLast(db: Kysely<Schema>) {
  const row = await db
    .selectFrom('meta')
    .select('value')
    .where('key', '=', MASTER_MADE)
    .executeTakeFirst()
  const [id = '', at = ''] = row?.value.split(' ') ?? []
  return id === '' ? undefined : { id, at: Number(at) }
}

async function noteMade(trx: Writer, masterId: string, at: number): Promise<void> {
  const value = `${masterId} ${at}`
  await trx
    .insertInto('meta')
    .values({ key: MASTER_MADE, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}
