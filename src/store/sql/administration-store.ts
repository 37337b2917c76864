import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { AdministrationStore } from '../../accounts/administration.ts'
import type { UserId } from '../../identity/principal.ts'
import { groupNames, readGroups, toAccount } from './account-store.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** What administrators do, in the table `accounts` and in those that belong to it. */
export function createAdministrationStore(database: Database): AdministrationStore {
  return {
    page: ({ after, search, group, limit }) =>
      database.read(async (db) => {
        let rows = db.selectFrom('accounts').selectAll().where('name', '>', after)
        if (search !== '') {
          rows = rows.where((eb) =>
            eb.or(
              (['name', 'display_name', 'email'] as const).map((column) =>
                contains(sql`lower(${sql.ref(column)})`, search.toLowerCase()),
              ),
            ),
          )
        }
        if (group !== '') rows = rows.where(isMember(group))
        return (await rows.orderBy('name').limit(limit).execute()).map(toAccount)
      }),
    groups: () =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom('accounts')
          .select(['group_names', ({ fn }) => fn.countAll().as('members')])
          .where('group_names', '!=', '[]')
          .groupBy('group_names')
          .execute()
        const members = new Map<string, number>()
        for (const row of rows) {
          for (const name of readGroups(row.group_names)) {
            members.set(name, (members.get(name) ?? 0) + Number(row.members))
          }
        }
        const names = [...members].map(([name, count]) => ({ name, members: count }))
        return names.sort((a, b) => (a.name < b.name ? -1 : 1))
      }),
    setDisabled: (id, disabled, administrators, now) =>
      database.write(async (trx) => {
        const account = await read(trx, id)
        if (account === undefined) return 'gone'
        if (disabled && (await isLast(trx, account, administrators))) return 'last'
        await trx
          .updateTable('accounts')
          .set({ disabled: disabled ? 1 : 0, updated_at: now })
          .where('id', '=', id)
          .execute()
        if (disabled) await trx.deleteFrom('sessions').where('user_id', '=', id).execute()
        return 'done'
      }),
    changeGroups: (id, change, administrators, now) =>
      database.write(async (trx) => {
        const account = await read(trx, id)
        if (account === undefined) return 'gone'
        const before = change.set ?? readGroups(account.group_names)
        const next = [...before, ...(change.add ?? [])].filter(
          (group) => change.remove?.includes(group) !== true,
        )
        const stays = next.some((group) => administrators.includes(group))
        if (!stays && (await isLast(trx, account, administrators))) return 'last'
        await trx
          .updateTable('accounts')
          .set({ group_names: groupNames(next), updated_at: now })
          .where('id', '=', id)
          .execute()
        return 'done'
      }),
    remove: (id, administrators) =>
      database.write(async (trx) => {
        const account = await read(trx, id)
        if (account === undefined) return 'gone'
        if (await isLast(trx, account, administrators)) return 'last'
        // What refers to the account goes with it; these two name it without referring to it.
        await trx.deleteFrom('links').where('owner', '=', id).execute()
        await trx.deleteFrom('mail_queue').where('user_id', '=', id).execute()
        await trx.deleteFrom('accounts').where('id', '=', id).execute()
        return 'done'
      }),
  }
}

type Row = { readonly id: string; readonly disabled: number; readonly group_names: string }

async function read(trx: Transaction<Schema>, id: UserId): Promise<Row | undefined> {
  return trx
    .selectFrom('accounts')
    .select(['id', 'disabled', 'group_names'])
    .where('id', '=', id)
    .executeTakeFirst()
}

/** Whether the account administers, and nobody else does who can sign in. */
async function isLast(
  trx: Transaction<Schema>,
  account: Row,
  administrators: readonly string[],
): Promise<boolean> {
  const administers = readGroups(account.group_names).some((one) => administrators.includes(one))
  if (!administers || account.disabled !== 0) return false
  const other = await trx
    .selectFrom('accounts')
    .select('id')
    .where('id', '!=', account.id)
    .where('disabled', '=', 0)
    .where((eb) => eb.or(administrators.map((group) => isMember(group))))
    .limit(1)
    .executeTakeFirst()
  return other === undefined
}

/** Group names are kept as a JSON list, and hold nothing that JSON would write in another way. */
function isMember(group: string) {
  return contains(sql`group_names`, JSON.stringify(group))
}

/** Whether the column holds the text as it is; SQL that PostgreSQL reads in the same way. */
function contains(column: RawBuilder<unknown>, text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
  return sql<boolean>`${column} like ${pattern} escape '\\'`
}
