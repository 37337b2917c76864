import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Account, AccountStore, NewAccount } from '../../accounts/account.ts'
import type { UserId } from '../../identity/principal.ts'
import { foldName } from '../../lib/fold.ts'
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
    isNameFree: (name) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('accounts')
          .select('id')
          .where('name', '=', name)
          .executeTakeFirst()
        return row === undefined && !(await isAddress(db, name))
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
    byEmail: (email) =>
      database.read(async (db) => {
        if (email === '') return undefined
        const rows = await db
          .selectFrom('accounts')
          .select(COLUMNS)
          .where((eb) => eb.fn('lower', ['email']), '=', email.toLowerCase())
          .limit(2)
          .execute()
        const [row, ...others] = rows
        return row === undefined || others.length > 0 ? undefined : toAccount(row)
      }),
    setPasswordHash: (id, hash, now, { keep, due, previous } = {}) =>
      database.write(async (trx) => {
        if (previous !== undefined && (await hashOf(trx, id)) !== previous) return false
        const replaced = await replacePassword(trx, id, { hash, due: due ?? '' }, now)
        if (keep === 'all') return replaced
        await trx
          .deleteFrom('sessions')
          .where('user_id', '=', id)
          .where('id', '!=', keep ?? '')
          .execute()
        return replaced
      }),
    rehash: (id, previous, hash, now) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('accounts')
          .set({ password_hash: hash, updated_at: now })
          .where('id', '=', id)
          .where('password_hash', '=', previous)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    setPasswordDue: (id, due, now) => setColumns(database, id, { password_due: due }, now),
    change: (id, { displayName, email, groups }, now) =>
      database.write(async (trx) => {
        if (email !== undefined && (await isNameOfAnother(trx, email, id))) return 'address_taken'
        const { numUpdatedRows } = await trx
          .updateTable('accounts')
          .set({
            ...(displayName === undefined ? {} : { display_name: cut(displayName, 256) }),
            ...(email === undefined ? {} : { email: cut(email, 254) }),
            ...(groups === undefined ? {} : { group_names: groupNames(groups) }),
            updated_at: now,
          })
          .where('id', '=', id)
          .executeTakeFirst()
        // What was mailed lies in a mailbox that is the account's no more.
        if (email !== undefined) await removeResetLinks(trx, id)
        return numUpdatedRows === 1n ? 'done' : 'gone'
      }),
    setLanguage: (id, language, now) => setColumns(database, id, { language }, now),
    secondFactorAsked: (id, now) =>
      database.write(async (trx) => {
        await trx
          .updateTable('accounts')
          .set({ second_factor_asked_at: now })
          .where('id', '=', id)
          .where('second_factor_asked_at', '=', 0)
          .execute()
      }),
    firstSignIn: async (id, now) => {
      const isFirst = await database.read(async (db) => {
        const row = await db
          .selectFrom('accounts')
          .select('first_sign_in_at')
          .where('id', '=', id)
          .executeTakeFirst()
        return row?.first_sign_in_at === 0
      })
      if (!isFirst) return false
      return database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('accounts')
          .set({ first_sign_in_at: now })
          .where('id', '=', id)
          .where('first_sign_in_at', '=', 0)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      })
    },
    passkeyOffered: (id, now) =>
      database.write(async (trx) => {
        await trx
          .updateTable('accounts')
          .set((eb) => ({
            passkey_offers: eb('passkey_offers', '+', 1),
            passkey_offered_at: now,
          }))
          .where('id', '=', id)
          .execute()
      }),
    setUnlocked: (id, now) => setColumns(database, id, { unlocked_at: now }, now),
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

async function hashOf(trx: Transaction<Schema>, id: UserId): Promise<string | undefined> {
  const row = await trx
    .selectFrom('accounts')
    .select('password_hash')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.password_hash
}

/** Sorted, each once. */
export function groupNames(groups: readonly string[]): string {
  return JSON.stringify([...new Set(groups)].sort())
}

/** Sets columns of one account; `false` when it is gone. */
function setColumns(
  database: Database,
  id: UserId,
  columns: Partial<Schema['accounts']>,
  now: number,
): Promise<boolean> {
  return database.write(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('accounts')
      .set({ ...columns, updated_at: now })
      .where('id', '=', id)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  })
}

/** A new password; links that would set another are dead by it. `false` when the account is gone. */
export async function replacePassword(
  trx: Transaction<Schema>,
  id: UserId,
  { hash, due }: { readonly hash: string; readonly due: Account['passwordDue'] },
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('accounts')
    .set({
      password_hash: hash,
      password_changed_at: now,
      password_due: due,
      updated_at: now,
    })
    .where('id', '=', id)
    .executeTakeFirst()
  await removeResetLinks(trx, id)
  return numUpdatedRows === 1n
}

async function removeResetLinks(trx: Transaction<Schema>, id: UserId): Promise<void> {
  await trx.deleteFrom('links').where('kind', '=', 'reset').where('owner', '=', id).execute()
}

/**
 * Whether an account has this name for its address, in any spelling that a sign-in takes for it.
 * The engine folds ASCII alone, so the addresses are compared here.
 */
async function isAddress(db: Kysely<Schema>, name: string): Promise<boolean> {
  // No spelling of an address is without one, and most names are.
  if (!name.includes('@')) return false
  const rows = await db.selectFrom('accounts').select('email').where('email', '!=', '').execute()
  return rows.some(({ email }) => foldName(email) === name)
}

/** Whether the address, as a sign-in would read it, is the name of an account but `self`. */
async function isNameOfAnother(db: Kysely<Schema>, email: string, self: UserId): Promise<boolean> {
  const row = await db
    .selectFrom('accounts')
    .select('id')
    .where('name', '=', foldName(email))
    .where('id', '!=', self)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Adds the account, unless its name is another's name or address, or its address another's name:
 * then `false`.
 */
export async function insertAccount(
  trx: Transaction<Schema>,
  account: NewAccount,
  now: number,
): Promise<boolean> {
  // SECURITY: what somebody signs in with must never become the name of somebody else.
  if (await isAddress(trx, account.name)) return false
  if (await isNameOfAnother(trx, account.email, account.id)) return false
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('accounts')
    .values({
      id: account.id,
      name: account.name,
      display_name: cut(account.displayName, 256),
      email: cut(account.email, 254),
      group_names: groupNames(account.groups),
      disabled: 0,
      password_hash: account.passwordHash,
      unlocked_at: 0,
      created_at: now,
      updated_at: now,
      language: '',
      password_changed_at: 0,
      password_due: account.passwordDue ?? '',
      second_factor_asked_at: 0,
      passkey_offers: 0,
      passkey_offered_at: 0,
      first_sign_in_at: 0,
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
  'language',
  'password_changed_at',
  'password_due',
  'second_factor_asked_at',
  'passkey_offers',
  'passkey_offered_at',
] as const satisfies readonly (keyof Schema['accounts'])[]

/** The groups of a row. @throws AppError `store_unavailable` */
export function readGroups(text: string): readonly string[] {
  return rowList(text, (group) => (typeof group === 'string' ? group : undefined))
}

/** @throws AppError `store_unavailable` for what this program did not write */
export function toAccount(
  row: Pick<Selectable<Schema['accounts']>, (typeof COLUMNS)[number]>,
): Account {
  return {
    id: rowUserId(row.id),
    name: row.name,
    displayName: row.display_name,
    email: row.email,
    groups: readGroups(row.group_names),
    disabled: row.disabled !== 0,
    unlockedAt: row.unlocked_at,
    createdAt: row.created_at,
    language: row.language === 'fr' || row.language === 'en' ? row.language : '',
    passwordChangedAt: row.password_changed_at,
    passwordDue: passwordDue(row.password_due),
    secondFactorAskedAt: row.second_factor_asked_at,
    passkeyOffers: { count: row.passkey_offers, lastAt: row.passkey_offered_at },
  }
}

/** Whatever is there that is not known still asks for a change. */
function passwordDue(text: string): Account['passwordDue'] {
  if (text === '' || text === 'first' || text === 'leaked') return text
  return 'operator'
}
