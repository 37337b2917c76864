import { firstHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import type { UserId } from '../identity/principal.ts'
import { newDeviceMark, readDeviceMark, writeDeviceMark } from '../login/device-mark.ts'
import type { ApiDeps } from './api-deps.ts'

/** Where a program, which has no cookies, shows that its device is known to the account. */
export const DEVICE_HEADER = 'Sallyport-Device'

type Deps = Pick<ApiDeps, 'keys'>

/** The id under which the program's device is known to the account. */
export function knownDevice({ keys }: Deps, visit: Visit, userId: UserId): string | undefined {
  const text = firstHeader(visit.headers, DEVICE_HEADER.toLowerCase())
  const mark = text === undefined ? undefined : readDeviceMark(keys, text)
  return mark?.userId === userId ? mark.deviceId : undefined
}

/** What makes the device known from now on; the one it is known as already is kept. */
export function deviceMark(deps: Deps, visit: Visit, userId: UserId): string {
  return writeDeviceMark(newDeviceMark(deps.keys, userId, knownDevice(deps, visit, userId)))
}
