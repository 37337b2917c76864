import type { UserId } from '../identity/principal.ts'
import { randomToken } from '../lib/random.ts'
import type { Keys } from '../tokens/keys.ts'

/** That a device once completed a sign-in to an account. It opens nothing. */
export type DeviceMark = {
  readonly userId: string
  readonly deviceId: string
  readonly signature: string
}

type Signer = Pick<Keys, 'sign' | 'verify'>

/** A mark for the account, of the device it is known as already or of a new one. */
export function newDeviceMark(
  keys: Signer,
  userId: UserId,
  deviceId = randomToken(16),
): DeviceMark {
  return { userId, deviceId, signature: keys.sign('device', `${userId}.${deviceId}`) }
}

/** `usr_….id.signature` */
export function writeDeviceMark({ userId, deviceId, signature }: DeviceMark): string {
  return `${userId}.${deviceId}.${signature}`
}

/** Reads it back; `undefined` when we did not make it. */
export function readDeviceMark(keys: Signer, text: string): DeviceMark | undefined {
  if (text.length > 256) return undefined
  const [userId = '', deviceId = '', signature = ''] = text.split('.')
  const ours = deviceId !== '' && keys.verify('device', `${userId}.${deviceId}`, signature)
  return ours ? { userId, deviceId, signature } : undefined
}
