import type { Transaction } from 'kysely'
import type { SetupStore } from '../../accounts/account.ts'
import { insertAccount } from './account-store.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** The one link there can be, and the key of its row. */
const FIRST_ACCOUNT = 'first_account'

/** The setup link in the table `setup_links`. */
export function createSetupStore(database: Database): SetupStore {
  return {
    offer: (tokenHash, expiresAt, now) =>
      database.write(async (trx) => {
        if (await anyAccount(trx)) return false
        const link = { token_hash: tokenHash, expires_at: expiresAt, created_at: now }
        await trx
          .insertInto('setup_links')
          .values({ id: FIRST_ACCOUNT, ...link })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(link))
          .execute()
        return true
      }),
    isOpen: (tokenHash, now) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('setup_links')
          .select('id')
          .where('token_hash', '=', tokenHash)
          .where('expires_at', '>', now)
          .where(({ not, exists, selectFrom }) =>
            not(exists(selectFrom('accounts').select('accounts.id'))),
          )
          .executeTakeFirst()
        return row !== undefined
      }),
    claim: (tokenHash, account, now) =>
      database.write(async (trx) => {
        if (await anyAccount(trx)) return false
        const { numDeletedRows } = await trx
          .deleteFrom('setup_links')
          .where('token_hash', '=', tokenHash)
          .where('expires_at', '>', now)
          .executeTakeFirst()
        return numDeletedRows === 1n && (await insertAccount(trx, account, now))
      }),
  }
}

async function anyAccount(trx: Transaction<Schema>): Promise<boolean> {
  const row = await trx.selectFrom('accounts').select('id').limit(1).executeTakeFirst()
  return row !== undefined
}
