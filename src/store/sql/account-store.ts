import type { Selectable, Transaction } from 'kysely'
import type { Account, AccountStore, NewAccount } from '../../accounts/account.ts'
import type { Database } from './database.ts'
import { cut, rowList, rowUserId } from './row.ts'
import type { Schema } from './schema.ts'

/** Accounts in the table `accounts`. */
export function createAccountStore(database: Database): AccountStore {
  return {
    byName: (name) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('accounts')
          .select(COLUMNS)
          .where('name', '=', name)
          .executeTakeFirst()
        return row && toAccount(row)
      }),
    byId: (id) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('accounts')
          .select(COLUMNS)
          .where('id', '=', id)
          .executeTakeFirst()
        return row && toAccount(row)
      }),
    list: () =>
      database.read(async (db) => {
        const rows = await db.selectFrom('accounts').select(COLUMNS).orderBy('name').execute()
        return rows.map(toAccount)
      }),
    count: () =>
      database.read(async (db) => {
        const { count } = await db
          .selectFrom('accounts')
          .select((eb) => eb.fn.countAll().as('count'))
          .executeTakeFirstOrThrow()
        return Number(count)
      }),
    add: (account, now) => database.write((trx) => insertAccount(trx, account, now)),
    passwordHash: (id) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('accounts')
          .select('password_hash')
          .where('id', '=', id)
          .executeTakeFirst()
        return row?.password_hash
      }),
    setPasswordHash: (id, hash, now) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('accounts')
          .set({ password_hash: hash, updated_at: now })
          .where('id', '=', id)
          .executeTakeFirst()
        await trx.deleteFrom('sessions').where('user_id', '=', id).execute()
        return numUpdatedRows === 1n
      }),
    setUnlocked: (id, now) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('accounts')
          .set({ unlocked_at: now, updated_at: now })
          .where('id', '=', id)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    setDisabled: (id, disabled, now) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('accounts')
          .set({ disabled: disabled ? 1 : 0, updated_at: now })
          .where('id', '=', id)
          .executeTakeFirst()
        if (disabled) await trx.deleteFrom('sessions').where('user_id', '=', id).execute()
        return numUpdatedRows === 1n
      }),
  }
}

/** Adds the account unless its name is taken: then `false`. */
export async function insertAccount(
  trx: Transaction<Schema>,
  account: NewAccount,
  now: number,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('accounts')
    .values({
      id: account.id,
      name: account.name,
      display_name: cut(account.displayName, 256),
      email: cut(account.email, 254),
      group_names: JSON.stringify([...new Set(account.groups)].sort()),
      disabled: 0,
      password_hash: account.passwordHash,
      unlocked_at: 0,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

const COLUMNS = [
  'id',
  'name',
  'display_name',
  'email',
  'group_names',
  'disabled',
  'unlocked_at',
  'created_at',
] as const satisfies readonly (keyof Schema['accounts'])[]

function toAccount(row: Pick<Selectable<Schema['accounts']>, (typeof COLUMNS)[number]>): Account {
  return {
    id: rowUserId(row.id),
    name: row.name,
    displayName: row.display_name,
    email: row.email,
    groups: rowList(row.group_names, (group) => (typeof group === 'string' ? group : undefined)),
    disabled: row.disabled !== 0,
    unlockedAt: row.unlocked_at,
    createdAt: row.created_at,
  }
}
