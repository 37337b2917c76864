import type { Brand } from '../lib/brand.ts'

/** `usr_` and 128 random bits. Never reused, never shown to an app unless configured. */
export type UserId = Brand<string, 'UserId'>

/** `ses_` and 128 random bits: names a session in lists and logs; it opens nothing. */
export type SessionId = Brand<string, 'SessionId'>

/** Ways of proving who one is. A recovery code stands for the TOTP device that is out of reach. */
export type FactorKind = 'password' | 'totp' | 'recovery_code'

/** A factor that was proved, and when (milliseconds since the epoch). */
export type ProvedFactor = { readonly kind: FactorKind; readonly at: number }

/** How well a person has proved who they are, weakest first. */
export const LEVELS = ['one_factor', 'two_factor'] as const
export type Level = (typeof LEVELS)[number]

/** Who is asking: what rules look at and apps are told. */
export type Principal = {
  readonly userId: UserId
  /** Canonical account name, as `foldName` gives it. */
  readonly name: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly level: Level
}

const SECOND_FACTORS: ReadonlySet<FactorKind> = new Set(['totp', 'recovery_code'])

/**
 * The level is derived from what was proved and never stored: two factors of different
 * kinds of evidence make `two_factor`, a password alone `one_factor`.
 */
export function levelOf(factors: readonly ProvedFactor[]): Level {
  const knows = factors.some((factor) => factor.kind === 'password')
  const has = factors.some((factor) => SECOND_FACTORS.has(factor.kind))
  return knows && has ? 'two_factor' : 'one_factor'
}

/** Mints or reads a user id; `undefined` when the text is none. */
export function parseUserId(text: string): UserId | undefined {
  return /^usr_[A-Za-z0-9_-]{22}$/.test(text) ? (text as UserId) : undefined
}

/** Reads a session id; `undefined` when the text is none. */
export function parseSessionId(text: string): SessionId | undefined {
  return /^ses_[A-Za-z0-9_-]{22}$/.test(text) ? (text as SessionId) : undefined
}
