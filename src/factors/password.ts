import { randomBytes, timingSafeEqual } from 'node:crypto'
import { MAX_PASSWORD_BYTES } from '../accounts/password-policy.ts'
import { AppError } from '../lib/app-error.ts'
import type { Secret } from '../lib/secret.ts'
import type { Kdf, KdfCost } from './kdf.ts'
import { formatPhc, type PhcHash, parsePhc } from './phc.ts'

export type PasswordHasher = {
  /**
   * A PHC string for a new password.
   * @throws AppError `usage` when it is empty or longer than `MAX_PASSWORD_BYTES`
   */
  readonly hash: (
    password: Secret<string>,
    signal?: AbortSignal,
  ) => Promise<{ readonly kind: 'hashed'; readonly phc: string } | { readonly kind: 'busy' }>
  /**
   * Compares a password with the hash that is kept. Without one (no such account), with one that
   * cannot be read, and with a password that is empty or too long, the same work is done and the
   * outcome is `wrong`. `needsRehash`: it was made at another cost than today's. `busy`: nothing
   * was judged.
   */
  readonly verify: (
    password: Secret<string>,
    phc: string | undefined,
    signal?: AbortSignal,
  ) => Promise<
    | { readonly kind: 'right'; readonly needsRehash: boolean }
    | { readonly kind: 'wrong' }
    | { readonly kind: 'busy' }
  >
}

/**
 * 46 MiB, one pass, one lane: the first choice of the OWASP Password Storage Cheat Sheet for
 * Argon2id. 80 ms on a small server of 2026.
 */
export const PASSWORD_COST: KdfCost = {
  memory: 47_104,
  passes: 1,
  parallelism: 1,
  tagLength: 32,
}

/** Hashes and compares passwords with Argon2id, through the queue of `kdf`. */
export function createPasswordHasher(
  { kdf }: { readonly kdf: Kdf },
  { cost = PASSWORD_COST }: { readonly cost?: KdfCost } = {},
): PasswordHasher {
  const dummy: PhcHash = { cost, salt: randomBytes(16), tag: randomBytes(cost.tagLength) }

  return {
    hash: async (password, signal) => {
      const message = toBytes(password)
      if (message === undefined) {
        throw new AppError('usage', 'The password is empty or too long to be kept.')
      }
      const salt = randomBytes(16)
      const outcome = await kdf.run(message, salt, cost, signal)
      if (outcome.kind === 'busy') return outcome
      return { kind: 'hashed', phc: formatPhc({ cost, salt, tag: outcome.tag }) }
    },
    verify: async (password, phc, signal) => {
      const message = toBytes(password)
      const kept = phc === undefined ? undefined : parsePhc(phc)
      const { cost: keptCost, salt, tag } = kept ?? dummy
      const outcome = await kdf.run(message ?? Buffer.from('-'), salt, keptCost, signal)
      if (outcome.kind === 'busy') return outcome
      const equal = timingSafeEqual(outcome.tag, tag)
      if (!equal || message === undefined || kept === undefined) return { kind: 'wrong' }
      return { kind: 'right', needsRehash: !sameCost(keptCost, cost) }
    },
  }
}

/** The bytes that are hashed: UTF-8 of NFC. `undefined` for none and for too many. */
function toBytes(password: Secret<string>): Buffer | undefined {
  const text = password.reveal()
  // Before any work that grows with the text. NFC joins at most a few characters into one.
  if (text === '' || text.length > 4 * MAX_PASSWORD_BYTES) return undefined
  const bytes = Buffer.from(text.normalize('NFC'))
  return bytes.length > MAX_PASSWORD_BYTES ? undefined : bytes
}

function sameCost(a: KdfCost, b: KdfCost): boolean {
  return (
    a.memory === b.memory &&
    a.passes === b.passes &&
    a.parallelism === b.parallelism &&
    a.tagLength === b.tagLength
  )
}
