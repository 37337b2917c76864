import type { Insertable } from 'kysely'
import type { TotpDevice, TotpStore } from '../../factors/totp/totp-store.ts'
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
          lastUsedAt: row.last_used_at,
        }))
      }),
    spendStep: (deviceId, step, now) =>
      database.write(async (trx) => {
        const told = await trx
          .selectFrom('spent')
          .select('digest')
          .where('kind', '=', TOLD)
          .where('digest', '=', toldStep(deviceId, step))
          .executeTakeFirst()
        if (told !== undefined) return false
        const { numUpdatedRows } = await trx
          .updateTable('totp_devices')
          .set({ last_step: step, last_used_at: now })
          .where('id', '=', deviceId)
          .where('last_step', '<', step)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    tellStep: (deviceId, step, forgetAt) =>
      database.write(async (trx) => {
        await trx
          .insertInto('spent')
          .values({ kind: TOLD, digest: toldStep(deviceId, step), forget_at: forgetAt })
          .onConflict((conflict) => conflict.columns(['kind', 'digest']).doNothing())
          .execute()
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
    finishEnrolment: (enrolment, device, most) =>
      database.write(async (trx) => {
        const { count } = await trx
          .selectFrom('totp_devices')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('user_id', '=', enrolment.userId)
          .executeTakeFirstOrThrow()
        if (Number(count) >= most) return 'full'
        const { numDeletedRows } = await trx
          .deleteFrom('totp_enrolments')
          .where('user_id', '=', enrolment.userId)
          .where('sealed_secret', '=', enrolment.sealedSecret)
          .executeTakeFirst()
        if (numDeletedRows !== 1n) return 'gone'
        await trx.insertInto('totp_devices').values(toRow(device)).execute()
        return 'done'
      }),
    add: (device) =>
      database.write(async (trx) => {
        await trx.insertInto('totp_devices').values(toRow(device)).execute()
      }),
    rename: (userId, deviceId, label) =>
      database.write(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('totp_devices')
          .set({ label: cut(label, 64) })
          .where('user_id', '=', userId)
          .where('id', '=', deviceId)
          .executeTakeFirst()
        return numUpdatedRows === 1n
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
    last_used_at: device.lastUsedAt,
  }
}

/** What was told is kept among what was spent, and forgotten with it. */
const TOLD = 'totp_told'

function toldStep(deviceId: string, step: number): string {
  return `${deviceId}.${step}`
}
