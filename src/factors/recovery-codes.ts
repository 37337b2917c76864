import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { randomCrockford, randomToken } from '../lib/random.ts'
import type { Kdf, KdfCost } from './kdf.ts'
import type { RecoveryCodeStore } from './totp/totp-store.ts'

/** One-time codes for when the authenticator app is out of reach. */
export type RecoveryCodes = {
  /**
   * A new set, `XXXXX-XXXXX-XXXXX` each, shown this once; the account's earlier codes are dead.
   * `busy`: nothing was changed.
   */
  readonly create: (
    userId: UserId,
    signal?: AbortSignal,
  ) => Promise<
    { readonly kind: 'created'; readonly codes: readonly string[] } | { readonly kind: 'busy' }
  >
  /**
   * Judges a code as typed and spends it. The same work is done for an account that has none.
   * `empty` and `format`: no code was tried. `busy`: nothing was judged.
   */
  readonly use: (
    userId: UserId,
    text: string,
    signal?: AbortSignal,
  ) => Promise<
    | { readonly kind: 'right'; readonly left: number }
    | { readonly kind: 'wrong' | 'busy' | 'empty' | 'format' }
  >
  /** How many are unused, of how many the set had, made when; all 0 when there is no set. */
  readonly left: (userId: UserId) => Promise<CodesLeft>
}

export type CodesLeft = {
  readonly left: number
  readonly total: number
  readonly createdAt: number
}

/** Characters of a code, 5 bits each: 75 bits. */
const CODE_LENGTH = 15

/**
 * Codes under 112 bits are kept as salted password hashes (NIST SP 800-63B-4, section 3.1.2.2;
 * ASVS 5.0, 6.5.2). What makes passwords need a high cost is that people choose them; of 2^75
 * random codes a thief of the database tries half in 10^12 years at a few milliseconds each, so
 * a small cost will do, and a try is cheap enough to be no burden on the server.
 *
 * NOTE: the stored digests depend on it. Another cost is another form of digest.
 */
const CODE_COST: KdfCost = { memory: 4096, passes: 1, parallelism: 1, tagLength: 32 }

/** Codes in a set, unless configured. */
const DEFAULT_COUNT = 10

export function createRecoveryCodes(
  deps: { readonly store: RecoveryCodeStore; readonly kdf: Kdf; readonly clock: Clock },
  { count = DEFAULT_COUNT }: { readonly count?: number } = {},
): RecoveryCodes {
  const { store, kdf, clock } = deps
  const dummySalt = newSalt()
  const dummyDigests = Array.from({ length: count }, () => randomToken(CODE_COST.tagLength))

  const digest = async (code: string, salt: string, signal: AbortSignal | undefined) => {
    const outcome = await kdf.run(
      Buffer.from(code),
      Buffer.from(salt, 'base64url'),
      CODE_COST,
      signal,
    )
    return outcome.kind === 'done' ? outcome.tag : undefined
  }

  const left: RecoveryCodes['left'] = async (userId) => {
    const set = await store.current(userId)
    return {
      left: set?.unused.length ?? 0,
      total: set?.total ?? 0,
      createdAt: set?.createdAt ?? 0,
    }
  }

  return {
    create: async (userId, signal) => {
      const codes = Array.from({ length: count }, () => randomCrockford(CODE_LENGTH))
      const salt = newSalt()
      const unused: string[] = []
      for (const code of codes) {
        const tag = await digest(code, salt, signal)
        if (tag === undefined) return { kind: 'busy' }
        unused.push(tag.toString('base64url'))
      }
      const id = `rcs_${randomToken(16)}`
      await store.replace({ id, userId, salt, createdAt: clock.now(), unused, total: count })
      return { kind: 'created', codes: codes.map(inGroups) }
    },
    use: async (userId, text, signal) => {
      const parsed = parseRecoveryCode(text)
      if (parsed.kind !== 'ok') return parsed
      const set = await store.current(userId)
      const tag = await digest(parsed.code, set?.salt ?? dummySalt, signal)
      if (tag === undefined) return { kind: 'busy' }
      const match = find(tag, set?.unused ?? dummyDigests)
      if (set === undefined || match === undefined) return { kind: 'wrong' }
      // SECURITY: the store alone says whether the code was still unused.
      if (!(await store.spend(set.id, match, clock.now()))) return { kind: 'wrong' }
      return { kind: 'right', left: (await left(userId)).left }
    },
    left,
  }
}

/**
 * Reads a code as people copy it: in either case and any width, with or without dashes and
 * spaces, `O` for `0`, `I` and `L` for `1` (Crockford's base 32).
 */
export function parseRecoveryCode(
  text: string,
): { readonly kind: 'ok'; readonly code: string } | { readonly kind: 'empty' | 'format' } {
  if (text.length > 128) return { kind: 'format' }
  const code = text
    .normalize('NFKC')
    .replace(/[\s\p{Pd}]/gu, '')
    .toUpperCase()
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1')
  if (code === '') return { kind: 'empty' }
  return /^[0-9A-HJKMNP-TV-Z]{15}$/.test(code) ? { kind: 'ok', code } : { kind: 'format' }
}

/** The digest that equals the tag. Looks at all of them, wherever it is. */
function find(tag: Buffer, digests: readonly string[]): string | undefined {
  return digests.filter((digest) => {
    const bytes = Buffer.from(digest, 'base64url')
    return bytes.length === tag.length && timingSafeEqual(bytes, tag)
  })[0]
}

function inGroups(code: string): string {
  return code.replace(/(.{5})(.{5})(.{5})/, '$1-$2-$3')
}

function newSalt(): string {
  return randomBytes(16).toString('base64url')
}
