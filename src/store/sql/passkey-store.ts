import type { Insertable, Selectable } from 'kysely'
import type { Passkey, PasskeyStore } from '../../factors/passkeys/passkey-store.ts'
import type { Database } from './database.ts'
import { cut, rowList, rowUserId } from './row.ts'
import type { Schema } from './schema.ts'

/** Passkeys in the table `passkeys`. */
export function createPasskeyStore(database: Database): PasskeyStore {
  return {
    ofUser: (userId) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom('passkeys')
          .selectAll()
          .where('user_id', '=', userId)
          .orderBy('created_at')
          .orderBy('id')
          .execute()
        return rows.map(fromRow)
      }),
    byCredential: (credentialId) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('passkeys')
          .selectAll()
          .where('credential_id', '=', credentialId)
          .executeTakeFirst()
        return row && fromRow(row)
      }),
    add: (passkey, most) =>
      database.write(async (trx) => {
        const account = await trx
          .selectFrom('accounts')
          .select('id')
          .where('id', '=', passkey.userId)
          .executeTakeFirst()
        if (account === undefined) return 'known'
        const { count } = await trx
          .selectFrom('passkeys')
          .select(({ fn }) => fn.countAll().as('count'))
          .where('user_id', '=', passkey.userId)
          .executeTakeFirstOrThrow()
        if (Number(count) >= most) return 'full'
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('passkeys')
          .values(toRow(passkey))
          .onConflict((conflict) => conflict.column('credential_id').doNothing())
          .executeTakeFirst()
        return numInsertedOrUpdatedRows === 1n ? 'added' : 'known'
      }),
    used: (id, counter, backedUp, now) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('passkeys')
          .set({ counter, backed_up: backedUp ? 1 : 0, last_used_at: now })
          .where('id', '=', id)
          .where('counter', counter === 0 ? '=' : '<', counter)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    rename: (userId, id, label) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('passkeys')
          .set({ label: cut(label, 64) })
          .where('user_id', '=', userId)
          .where('id', '=', id)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    remove: (userId, id) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('passkeys')
          .where('user_id', '=', userId)
          .where('id', '=', id)
          .executeTakeFirst()
        return numDeletedRows === 1n
      }),
  }
}

function fromRow(row: Selectable<Schema['passkeys']>): Passkey {
  return {
    id: row.id,
    userId: rowUserId(row.user_id),
    credentialId: row.credential_id,
    publicKey: row.public_key,
    counter: row.counter,
    transports: rowList(row.transports, (item) => (typeof item === 'string' ? item : undefined)),
    aaguid: row.aaguid,
    label: row.label,
    userVerified: row.user_verified === 1,
    backedUp: row.backed_up === 1,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }
}

function toRow(passkey: Passkey): Insertable<Schema['passkeys']> {
  return {
    id: passkey.id,
    user_id: passkey.userId,
    credential_id: passkey.credentialId,
    public_key: passkey.publicKey,
    counter: passkey.counter,
    transports: JSON.stringify(passkey.transports),
    aaguid: passkey.aaguid,
    label: cut(passkey.label, 64),
    user_verified: passkey.userVerified ? 1 : 0,
    backed_up: passkey.backedUp ? 1 : 0,
    created_at: passkey.createdAt,
    last_used_at: passkey.lastUsedAt,
  }
}
