import { TOTP } from 'otpauth'
import type { UserId } from '../../identity/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import { MINUTE, type Milliseconds, SECOND } from '../../lib/duration.ts'
import { randomToken } from '../../lib/random.ts'
import { Secret } from '../../lib/secret.ts'
import { freeLabel } from '../device-label.ts'
import {
  driftedStep,
  matchingStep,
  newTotpSecret,
  parseTotpSecret,
  TOTP_PARAMETERS,
  TOTP_STEP,
} from './totp-algorithm.ts'
import type { TotpDevice, TotpStore } from './totp-store.ts'

/** A TOTP key in base 32 (RFC 4648, section 6), upper case, without padding. */
export type TotpSecret = Secret<string>

/** Seals a secret so that it opens only at the place it was sealed for. */
export type Sealer = {
  readonly seal: (value: string, at: SealedAt) => string
  readonly open: (sealed: string, at: SealedAt) => string
}
type SealedAt = { readonly table: string; readonly row: string; readonly column: string }

export type TotpVerdict =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong' }
  /** The code is one of another time: the device's clock is ahead by so much, or behind if negative. */
  | { readonly kind: 'drift'; readonly by: Milliseconds }
  /** The code was right but its time step, or a newer one, was used already. */
  | { readonly kind: 'spent' }
  | { readonly kind: 'no_device' }

/** A device as its owner is shown it. */
export type ShownDevice = Pick<TotpDevice, 'id' | 'label' | 'createdAt' | 'lastUsedAt'>

/** The second factor by an authenticator app. */
export type Totp = {
  /** Oldest first. */
  readonly devices: (userId: UserId) => Promise<readonly ShownDevice[]>
  readonly hasDevice: (userId: UserId) => Promise<boolean>
  /** A new secret to be shown; it replaces one that was shown before and gates no login. */
  readonly startEnrolment: (userId: UserId) => Promise<TotpSecret>
  /** The secret that was shown, while it can still be proved. */
  readonly enrolmentOf: (userId: UserId) => Promise<TotpSecret | undefined>
  /**
   * Turns the secret that was shown into a device, if the code proves that the app has it. The
   * code's time step is spent by it. `expired`: there is no such secret any more. `full`: the
   * account has as many devices as it may have.
   *
   * @param code as `parseTotpCode` gives it
   * @param label numbered when another device of the account has it
   */
  readonly finishEnrolment: (
    userId: UserId,
    code: string,
    label: string,
  ) => Promise<
    | { readonly kind: 'right'; readonly label: string }
    | { readonly kind: 'wrong' | 'expired' | 'full' }
    | { readonly kind: 'drift'; readonly by: Milliseconds }
  >
  /**
   * Judges a code and spends its time step, on whichever of the account's devices shows it.
   *
   * @param code as `parseTotpCode` gives it
   */
  readonly verify: (userId: UserId, code: string) => Promise<TotpVerdict>
  /** Adds a device whose key exists already, for the command line. */
  readonly addSecret: (
    userId: UserId,
    base32: string,
    label: string,
  ) => Promise<
    | { readonly kind: 'added'; readonly deviceId: string }
    | { readonly kind: 'refused'; readonly problem: 'empty' | 'invalid' | 'too_short' }
  >
  /** The name it has now, numbered when another has it; `undefined` when there is no such device. */
  readonly rename: (userId: UserId, deviceId: string, label: string) => Promise<string | undefined>
  /** Removes a device of this account; `false` when there was none. */
  readonly remove: (userId: UserId, deviceId: string) => Promise<boolean>
}

/** Devices of one account. */
export const MAX_TOTP_DEVICES = 10

/** How long a secret that was shown can be proved. */
export const ENROLMENT_FOR: Milliseconds = 15 * MINUTE

/** @throws AppError `keys_unavailable`, in every method that needs a secret that does not open */
export function createTotp(deps: {
  readonly store: TotpStore
  readonly keys: Sealer
  readonly clock: Clock
}): Totp {
  const { store, keys, clock } = deps
  const open = (sealed: string, at: SealedAt) => new Secret(keys.open(sealed, at))

  const newDevice = (userId: UserId, secret: TotpSecret, label: string, lastStep: number) => {
    const id = `otp_${randomToken(16)}`
    const sealedSecret = keys.seal(secret.reveal(), deviceAt(id))
    return { id, userId, label, sealedSecret, createdAt: clock.now(), lastStep, lastUsedAt: 0 }
  }

  return {
    devices: async (userId) =>
      (await store.devices(userId)).map(({ id, label, createdAt, lastUsedAt }) => {
        return { id, label, createdAt, lastUsedAt }
      }),
    hasDevice: async (userId) => (await store.devices(userId)).length > 0,
    startEnrolment: async (userId) => {
      const secret = newTotpSecret()
      const sealedSecret = keys.seal(secret.reveal(), enrolmentAt(userId))
      await store.startEnrolment({ userId, sealedSecret, expiresAt: clock.now() + ENROLMENT_FOR })
      return secret
    },
    enrolmentOf: async (userId) => {
      const enrolment = await store.enrolment(userId, clock.now())
      return enrolment && open(enrolment.sealedSecret, enrolmentAt(userId))
    },
    finishEnrolment: async (userId, code, label) => {
      const now = clock.now()
      const enrolment = await store.enrolment(userId, now)
      if (enrolment === undefined) return { kind: 'expired' }
      const secret = open(enrolment.sealedSecret, enrolmentAt(userId))
      const step = matchingStep(secret, code, now)
      if (step === undefined) {
        const drifted = driftedStep(secret, code, now)
        return drifted === undefined
          ? { kind: 'wrong' }
          : { kind: 'drift', by: driftOf(drifted, now) }
      }
      const taken = (await store.devices(userId)).map((device) => device.label)
      const device = newDevice(userId, secret, freeLabel(label, taken), step)
      const done = await store.finishEnrolment(enrolment, device, MAX_TOTP_DEVICES)
      if (done === 'done') return { kind: 'right', label: device.label }
      return { kind: done === 'full' ? 'full' : 'expired' }
    },
    verify: async (userId, code) => {
      const now = clock.now()
      const devices = await store.devices(userId)
      if (devices.length === 0) return { kind: 'no_device' }
      const matches = devices.flatMap((device) => {
        const step = matchingStep(open(device.sealedSecret, deviceAt(device.id)), code, now)
        return step === undefined ? [] : [{ device, step }]
      })
      for (const { device, step } of matches) {
        // SECURITY: the store alone says whether the step was free (RFC 6238, section 5.2).
        if (await store.spendStep(device.id, step, now)) return { kind: 'right' }
      }
      if (matches.length > 0) return { kind: 'spent' }
      for (const device of devices) {
        const secret = open(device.sealedSecret, deviceAt(device.id))
        const step = driftedStep(secret, code, now)
        if (step === undefined || step <= device.lastStep) continue
        // SECURITY: whoever is told that a guess is the code of a time to come could wait for it.
        const over = (step + 2) * TOTP_STEP
        if (over > now) await store.tellStep(device.id, step, over)
        return { kind: 'drift', by: driftOf(step, now) }
      }
      return { kind: 'wrong' }
    },
    addSecret: async (userId, base32, label) => {
      const parsed = parseTotpSecret(base32)
      if (parsed.kind === 'refused') return parsed
      const device = newDevice(userId, parsed.secret, label, 0)
      await store.add(device)
      return { kind: 'added', deviceId: device.id }
    },
    rename: async (userId, deviceId, label) => {
      const others = (await store.devices(userId)).filter((device) => device.id !== deviceId)
      const free = freeLabel(
        label,
        others.map((device) => device.label),
      )
      return (await store.rename(userId, deviceId, free)) ? free : undefined
    },
    remove: (userId, deviceId) => store.remove(userId, deviceId),
  }
}

/**
 * Reads a code as people type it: in any width, with spaces, dashes or non-breaking spaces.
 * `code` is six ASCII digits, the only spelling there is from here on.
 */
export function parseTotpCode(
  text: string,
): { readonly kind: 'ok'; readonly code: string } | { readonly kind: 'empty' | 'format' } {
  if (text.length > 64) return { kind: 'format' }
  const code = text.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '')
  if (code === '') return { kind: 'empty' }
  return /^[0-9]{6}$/.test(code) ? { kind: 'ok', code } : { kind: 'format' }
}

/** What an authenticator app reads from the QR code (`otpauth://totp/…`). Contains the secret. */
export function otpauthUri(options: {
  readonly issuer: string
  readonly account: string
  readonly secret: TotpSecret
}): string {
  return new TOTP({
    ...TOTP_PARAMETERS,
    period: TOTP_STEP / SECOND,
    issuer: options.issuer.toWellFormed(),
    label: options.account.toWellFormed(),
    secret: options.secret.reveal(),
  }).toString()
}

/** How far the clock is ahead that shows the code of `step` at `now`. */
function driftOf(step: number, now: number): Milliseconds {
  return (step - Math.floor(now / TOTP_STEP)) * TOTP_STEP
}

function deviceAt(id: string): SealedAt {
  return { table: 'totp_devices', row: id, column: 'sealed_secret' }
}

function enrolmentAt(userId: UserId): SealedAt {
  return { table: 'totp_enrolments', row: userId, column: 'sealed_secret' }
}
