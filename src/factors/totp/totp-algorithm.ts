import { HOTP, Secret as OtpSecret } from 'otpauth'
import { equalInConstantTime } from '../../lib/constant-time.ts'
import { type Milliseconds, SECOND } from '../../lib/duration.ts'
import { Secret } from '../../lib/secret.ts'

/** SHA-1, six digits, 30 seconds: what every authenticator app takes (RFC 6238, section 4). */
export const TOTP_PARAMETERS = { algorithm: 'SHA1', digits: 6 } as const
export const TOTP_STEP: Milliseconds = 30 * SECOND

/** Steps before and after the present one whose codes count (RFC 6238, section 5.2). */
const WINDOW = [0, -1, 1] as const

/** Steps from the present one within which a clock that is wrong is told from a wrong code. */
const DRIFT = 10

/** 160 random bits, as RFC 4226, section 4, recommends. */
export function newTotpSecret(): Secret<string> {
  return new Secret(new OtpSecret({ size: 20 }).base32)
}

/**
 * Reads a key that another program made: spaces, dashes, padding and lower case are fine.
 * 80 bits at least, because some apps still make such short ones; 1024 at most.
 */
export function parseTotpSecret(
  text: string,
):
  | { readonly kind: 'ok'; readonly secret: Secret<string> }
  | { readonly kind: 'refused'; readonly problem: 'empty' | 'invalid' | 'too_short' } {
  if (text.length > 1024) return { kind: 'refused', problem: 'invalid' }
  const base32 = text
    .replace(/[\s-]/g, '')
    .replace(/={1,6}$/, '')
    .toUpperCase()
  if (base32 === '') return { kind: 'refused', problem: 'empty' }
  // 1, 3 or 6 characters over a multiple of 8 end in no whole byte.
  const whole = ![1, 3, 6].includes(base32.length % 8)
  if (!/^[A-Z2-7]+$/.test(base32) || !whole || base32.length > 205) {
    return { kind: 'refused', problem: 'invalid' }
  }
  if (base32.length < 16) return { kind: 'refused', problem: 'too_short' }
  return { kind: 'ok', secret: new Secret(base32) }
}

/**
 * The time step the code belongs to, among the present one and its two neighbours; `undefined`
 * when it belongs to none. Always computes and compares them all.
 *
 * @param now milliseconds since the epoch
 */
export function matchingStep(
  secret: Secret<string>,
  code: string,
  now: number,
): number | undefined {
  return firstMatch(secret, code, now, WINDOW)
}

/**
 * The time step the code belongs to, among those whose codes do not count but are near: the clock
 * of the device that shows it is wrong. `undefined` when it belongs to none of them.
 *
 * @param now milliseconds since the epoch
 */
export function driftedStep(secret: Secret<string>, code: string, now: number): number | undefined {
  return firstMatch(secret, code, now, DRIFTED)
}

/** Nearest first. */
const DRIFTED: readonly number[] = Array.from({ length: DRIFT - 1 }, (_, i) => i + 2).flatMap(
  (steps) => [steps, -steps],
)

function firstMatch(
  secret: Secret<string>,
  code: string,
  now: number,
  offsets: readonly number[],
): number | undefined {
  const key = OtpSecret.fromBase32(secret.reveal())
  const present = Math.floor(now / TOTP_STEP)
  const steps = offsets.map((offset) => present + offset).filter((step) => step >= 0)
  return steps.filter((step) =>
    equalInConstantTime(HOTP.generate({ ...TOTP_PARAMETERS, secret: key, counter: step }), code),
  )[0]
}
