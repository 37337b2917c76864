import { cookieName, readCookie, setCookie } from '../http/cookies.ts'
import type { Visit } from '../http/visit.ts'
import type { UserId } from '../identity/principal.ts'
import { DAY } from '../lib/duration.ts'
import {
  type DeviceMark,
  newDeviceMark,
  readDeviceMark,
  writeDeviceMark,
} from '../login/device-mark.ts'
import type { Keys } from '../tokens/keys.ts'

/** A shared computer may be known to this many people. */
const MAX_DEVICES = 4
const KEPT_FOR = 365 * DAY

/**
 * The id under which this browser is known to the account: it once completed a sign-in to it.
 * It opens nothing; it only keeps the owner's own browser out of a lock that a stranger caused.
 */
export function knownDevice(keys: Keys, visit: Visit, userId: UserId): string | undefined {
  return devicesOf(keys, visit).find((device) => device.userId === userId)?.deviceId
}

/** The cookie that makes the browser known to the account, the other accounts on it kept. */
export function rememberDevice(keys: Keys, visit: Visit, userId: UserId): string {
  const known = devicesOf(keys, visit)
  const deviceId = known.find((device) => device.userId === userId)?.deviceId
  const others = known.filter((device) => device.userId !== userId)
  const devices = [newDeviceMark(keys, userId, deviceId), ...others]
  const value = devices.slice(0, MAX_DEVICES).map(writeDeviceMark).join('~')
  return setCookie('device', value, visit.site.binding, KEPT_FOR)
}

function devicesOf(keys: Keys, visit: Visit): readonly DeviceMark[] {
  const cookie = readCookie(visit.headers, cookieName('device', visit.site.binding)) ?? ''
  if (cookie.length > 1024) return []
  return cookie
    .split('~')
    .slice(0, MAX_DEVICES)
    .flatMap((text) => readDeviceMark(keys, text) ?? [])
}
