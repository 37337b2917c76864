import type { UserId } from '../../identity/principal.ts'

/** The number an account gets codes at, as it may be shown: all but its end is hidden. */
export type ShownPhone = {
  /** e.g. `+33 ·· ·· ·· ·· 42`. */
  readonly masked: string
  readonly verifiedAt: number
}

/** A verified number. It is sealed by the caller; the store never sees one in clear. */
export type Phone = {
  readonly userId: UserId
  readonly sealedNumber: string
  /** HMAC of the number in E.164, base64url: counts by number without opening it. */
  readonly numberDigest: string
  readonly verifiedAt: number
}

/** Where numbers are kept: at most one for each account. */
export type PhoneStore = {
  readonly of: (userId: UserId) => Promise<Phone | undefined>
  /** Takes the place of an earlier one. */
  readonly set: (phone: Phone) => Promise<void>
  /** `false` when there was none. */
  readonly remove: (userId: UserId) => Promise<boolean>
}
