import { randomBytes, randomInt } from 'node:crypto'

/** A random value of `bytes` bytes (256 bits unless told) from the system's CSPRNG, as base64url. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

/** Crockford's base 32: no I, L, O or U, so that a code can be read aloud and typed. */
export const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** `length` random characters of Crockford's base 32, 5 bits each. */
export function randomCrockford(length: number): string {
  let text = ''
  for (const byte of randomBytes(length)) text += CROCKFORD[byte & 31]
  return text
}

/** A uniformly random integer in `[0, below)`. */
export function randomBelow(below: number): number {
  return randomInt(below)
}
