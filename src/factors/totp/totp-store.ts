import type { UserId } from '../../identity/principal.ts'

/** A TOTP device. Secrets are sealed by the caller; the store never sees one in clear. */
export type TotpDevice = {
  /** `otp_` and 128 random bits. */
  readonly id: string
  readonly userId: UserId
  readonly label: string
  readonly sealedSecret: string
  readonly createdAt: number
  /** Newest time step (30 s since the epoch) that was accepted; a step is spent once. */
  readonly lastStep: number
  /** When that was; 0: no code was asked of it yet. */
  readonly lastUsedAt: number
}

/** A secret that was shown but not yet proved. At most one per account; a new one replaces it. */
export type TotpEnrolment = {
  readonly userId: UserId
  readonly sealedSecret: string
  readonly expiresAt: number
}

export type TotpStore = {
  readonly devices: (userId: UserId) => Promise<readonly TotpDevice[]>
  /**
   * Spends a time step: moves `lastStep` up to `step` in one step.
   * `false` when that step or a newer one was spent already, was told, or the device is gone.
   */
  readonly spendStep: (deviceId: string, step: number, now: number) => Promise<boolean>
  /**
   * Notes that a client was told which step its code belongs to, before that step's time: the step
   * cannot be spent any more. `forgetAt`: when it would be refused anyway.
   */
  readonly tellStep: (deviceId: string, step: number, forgetAt: number) => Promise<void>
  readonly enrolment: (userId: UserId, now: number) => Promise<TotpEnrolment | undefined>
  readonly startEnrolment: (enrolment: TotpEnrolment) => Promise<void>
  /**
   * Turns the enrolment whose sealed secret is `device.sealedSecret`'s source into a device, in
   * one step: deletes the enrolment row and inserts the device, whose `lastStep` is the step just
   * proved. `gone`: the enrolment is gone, replaced or already turned. `full`: the account has
   * `most` devices; nothing was changed.
   */
  readonly finishEnrolment: (
    enrolment: TotpEnrolment,
    device: TotpDevice,
    most: number,
  ) => Promise<'done' | 'gone' | 'full'>
  /** Adds a device directly (command line). */
  readonly add: (device: TotpDevice) => Promise<void>
  /** `false` when this account has no such device. */
  readonly rename: (userId: UserId, deviceId: string, label: string) => Promise<boolean>
  /** Removes a device of this account; `false` when there was none. */
  readonly remove: (userId: UserId, deviceId: string) => Promise<boolean>
}

/** Recovery codes of one account: one salt per set, so that a try costs one password hash. */
export type RecoveryCodeSet = {
  /** `rcs_` and 128 random bits. */
  readonly id: string
  readonly userId: UserId
  /** Random salt, base64url. */
  readonly salt: string
  readonly createdAt: number
  /** Digests of the codes not used yet, base64url. */
  readonly unused: readonly string[]
  /** How many the set had when made. */
  readonly total: number
}

export type RecoveryCodeStore = {
  readonly current: (userId: UserId) => Promise<RecoveryCodeSet | undefined>
  /** Replaces the account's set in one step; the old codes are dead from then on. */
  readonly replace: (set: RecoveryCodeSet) => Promise<void>
  /** Spends one code in one step; `false` when it was spent already or the set was replaced. */
  readonly spend: (setId: string, digest: string, now: number) => Promise<boolean>
}
