import type { UserId } from '../identity/principal.ts'

/** What an account could prove after its password. */
export type EnrolledFactors = {
  readonly totp: number
  readonly passkeys: number
  /** A verified number, while codes can be sent at all. */
  readonly sms: boolean
  /** Recovery codes not used yet. They replace a factor; they are none by themselves. */
  readonly recoveryCodes: number
}

export type Enrolled = {
  readonly of: (userId: UserId) => Promise<EnrolledFactors>
  /** Whether there is any second factor: then a password alone opens nothing. */
  readonly hasSecond: (userId: UserId) => Promise<boolean>
}

/** Asks each kind of factor; every error is passed on, so that none is ever taken for "none". */
export function createEnrolled(deps: {
  readonly totp: (userId: UserId) => Promise<number>
  readonly passkeys: (userId: UserId) => Promise<number>
  /** Whether a code can be sent to it now. */
  readonly sms: (userId: UserId) => Promise<boolean>
  /** Whether it has a number, though codes may not be sent any more. */
  readonly phone: (userId: UserId) => Promise<boolean>
  readonly recoveryCodes: (userId: UserId) => Promise<number>
}): Enrolled {
  return {
    of: async (userId) => ({
      totp: await deps.totp(userId),
      passkeys: await deps.passkeys(userId),
      sms: await deps.sms(userId),
      recoveryCodes: await deps.recoveryCodes(userId),
    }),
    hasSecond: async (userId) =>
      (await deps.totp(userId)) > 0 ||
      (await deps.passkeys(userId)) > 0 ||
      // SECURITY: two factors do not become one because a provider was taken out of the file.
      (await deps.phone(userId)),
  }
}
