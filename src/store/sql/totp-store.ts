import type { Insertable } from 'kysely'
import type { TotpDevice, TotpStore } from '../../factors/totp-store.ts'
import type { Database } from './database.ts'
import { cut, rowUserId } from './row.ts'
import type { Schema } from './schema.ts'

/** TOTP devices and enrolments in the tables `totp_devices` and `totp_enrolments`. */
export function createTotpStore(database: Database): TotpStore {
  return {
    devices: (userId) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom('totp_devices')
          .selectAll()
          .where('user_id', '=', userId)
          .orderBy('created_at')
          .orderBy('id')
          .execute()
        return rows.map((row) => ({
          id: row.id,
          userId: rowUserId(row.user_id),
          label: row.label,
          sealedSecret: row.sealed_secret,
          createdAt: row.created_at,
          lastStep: row.last_step,
        }))
      }),
    spendStep: (deviceId, step, now) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('totp_devices')
          .set({ last_step: step, last_used_at: now })
          .where('id', '=', deviceId)
          .where('last_step', '<', step)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    enrolment: (userId, now) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('totp_enrolments')
          .selectAll()
          .where('user_id', '=', userId)
          .where('expires_at', '>', now)
          .executeTakeFirst()
        return row && { userId, sealedSecret: row.sealed_secret, expiresAt: row.expires_at }
      }),
    startEnrolment: ({ userId, sealedSecret, expiresAt }) =>
      database.write(async (trx) => {
        const shown = { sealed_secret: sealedSecret, expires_at: expiresAt }
        await trx
          .insertInto('totp_enrolments')
          .values({ user_id: userId, ...shown })
          .onConflict((conflict) => conflict.column('user_id').doUpdateSet(shown))
          .execute()
      }),
    finishEnrolment: (enrolment, device) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('totp_enrolments')
          .where('user_id', '=', enrolment.userId)
          .where('sealed_secret', '=', enrolment.sealedSecret)
          .executeTakeFirst()
        if (numDeletedRows !== 1n) return false
        await trx.insertInto('totp_devices').values(toRow(device)).execute()
        return true
      }),
    add: (device) =>
      database.write(async (trx) => {
        await trx.insertInto('totp_devices').values(toRow(device)).execute()
      }),
    remove: (userId, deviceId) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('totp_devices')
          .where('user_id', '=', userId)
          .where('id', '=', deviceId)
          .executeTakeFirst()
        return numDeletedRows === 1n
      }),
  }
}

function toRow(device: TotpDevice): Insertable<Schema['totp_devices']> {
  return {
    id: device.id,
    user_id: device.userId,
    label: cut(device.label, 64),
    sealed_secret: device.sealedSecret,
    created_at: device.createdAt,
    last_step: device.lastStep,
    last_used_at: 0,
  }
}
