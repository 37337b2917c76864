import type { Transaction } from 'kysely'
import type { FactorRemovalStore, RemovableFactor } from '../../factors/factor-removal.ts'
import type { UserId } from '../../identity/principal.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** Takes rows out of `totp_devices`, `passkeys` and `phones`. */
export function createFactorRemovalStore(database: Database): FactorRemovalStore {
  return {
    remove: (userId, factor, stay) =>
      database.write(async (trx) => {
        if (!(await isThere(trx, userId, factor))) return 'gone'
        const left = { totp: 0, passkey: 0, phone: 0 }
        for (const [kind, table] of TABLES) left[kind] = await count(trx, table, userId)
        left[factor.kind] -= 1
        if (stay.sameKind && left[factor.kind] === 0) return 'needed'
        const all = left.totp + left.passkey + (stay.phoneCounts ? left.phone : 0)
        if (stay.any && all === 0) return 'needed'
        await remove(trx, userId, factor)
        return 'removed'
      }),
  }
}

const TABLES = [
  ['totp', 'totp_devices'],
  ['passkey', 'passkeys'],
  ['phone', 'phones'],
] as const

async function isThere(
  trx: Transaction<Schema>,
  userId: UserId,
  factor: RemovableFactor,
): Promise<boolean> {
  if (factor.kind === 'phone') return (await count(trx, 'phones', userId)) > 0
  const row = await trx
    .selectFrom(factor.kind === 'totp' ? 'totp_devices' : 'passkeys')
    .select('id')
    .where('user_id', '=', userId)
    .where('id', '=', factor.id)
    .executeTakeFirst()
  return row !== undefined
}

async function count(
  trx: Transaction<Schema>,
  table: (typeof TABLES)[number][1],
  userId: UserId,
): Promise<number> {
  const { count } = await trx
    .selectFrom(table)
    .select(({ fn }) => fn.countAll().as('count'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

async function remove(
  trx: Transaction<Schema>,
  userId: UserId,
  factor: RemovableFactor,
): Promise<void> {
  if (factor.kind === 'phone') {
    await trx.deleteFrom('phones').where('user_id', '=', userId).execute()
    // Whatever was sent to it is void with it.
    await trx.updateTable('sent_codes').set({ spent: 1 }).where('user_id', '=', userId).execute()
    return
  }
  await trx
    .deleteFrom(factor.kind === 'totp' ? 'totp_devices' : 'passkeys')
    .where('user_id', '=', userId)
    .where('id', '=', factor.id)
    .execute()
}
