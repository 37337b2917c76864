import type { Brand } from '../lib/brand.ts'

/** `usr_` and 128 random bits. Never reused, never shown to an app unless configured. */
export type UserId = Brand<string, 'UserId'>

/** `ses_` and 128 random bits: names a session in lists and logs; it opens nothing. */
export type SessionId = Brand<string, 'SessionId'>

/**
 * Ways of proving who one is.
 *
 * A recovery code stands for the device that is out of reach. `passkey`: the authenticator verified
 * its user (face, fingerprint, PIN), which makes two factors in one; `security_key`: it was only
 * touched. `link`: a one-time link that an operator made for somebody locked out, in place of
 * everything else.
 */
export const FACTOR_KINDS = [
  'password',
  'totp',
  'recovery_code',
  'passkey',
  'security_key',
  'sms',
  'link',
] as const
export type FactorKind = (typeof FACTOR_KINDS)[number]

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
  /** What the session has proved, and when. */
  readonly proved: readonly ProvedFactor[]
  /**
   * From this instant on (milliseconds since the epoch) a password alone opens nothing: the account
   * must have a second factor by then. `undefined`: it need not.
   */
  readonly secondFactorDue: number | undefined
}

/** Whether the account should have a second factor by now, and this session has proved none. */
export function isOverdue(
  { level, secondFactorDue }: Pick<Principal, 'level' | 'secondFactorDue'>,
  now: number,
): boolean {
  return secondFactorDue !== undefined && level === 'one_factor' && now >= secondFactorDue
}

/** What a person has, and proves after the password. */
export const SECOND_FACTORS: ReadonlySet<FactorKind> = new Set([
  'totp',
  'recovery_code',
  'passkey',
  'security_key',
  'sms',
])

/** What is worth two factors by itself. */
const WHOLE_SIGN_INS: ReadonlySet<FactorKind> = new Set(['passkey', 'link'])

/**
 * The level is derived from what was proved and never stored: two factors of different
 * kinds of evidence make `two_factor`, a password alone `one_factor`.
 */
export function levelOf(factors: readonly ProvedFactor[]): Level {
  if (factors.some((factor) => WHOLE_SIGN_INS.has(factor.kind))) return 'two_factor'
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
