import { z } from 'zod'
import { bad, good } from '../problem.ts'
import { flag } from '../values/basics.ts'
import { host, isAddress } from '../values/host.ts'
import { leaf } from '../values/leaf.ts'
import type { Reader } from '../values/reader.ts'

/** Whether and where passkeys work. */
export type PasskeySettings = {
  readonly enabled: boolean
  /** People without one are offered one after signing in. */
  readonly offer: boolean
  /** What they are bound to; absent: the cookie's domain, or else the portal's host. */
  readonly domain?: string
}

export const PASSKEY_DEFAULTS: PasskeySettings = { enabled: true, offer: true }

/** A name that browsers bind passkeys to (WebAuthn Level 3, section 4, "RP ID"). */
const passkeyDomain: Reader<string> = (raw) => {
  const reading = host(raw)
  if (reading.kind !== 'value') return reading
  return isAddress(reading.value)
    ? bad('passkey_domain', { value: reading.value })
    : good(reading.value)
}

/** `login.passkeys` */
export const passkeysSchema = z.strictObject({
  enabled: leaf(flag).default(PASSKEY_DEFAULTS.enabled),
  offer: leaf(flag).default(PASSKEY_DEFAULTS.offer),
  domain: leaf(passkeyDomain).optional(),
})

export function toPasskeys(section: z.output<typeof passkeysSchema>): PasskeySettings {
  const { enabled, offer, domain } = section
  return { enabled, offer, ...(domain === undefined ? {} : { domain }) }
}
