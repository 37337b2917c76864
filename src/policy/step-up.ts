import { type FactorKind, type ProvedFactor, SECOND_FACTORS } from '../identity/principal.ts'
import { MINUTE, type Milliseconds } from '../lib/duration.ts'

/** What a rule may ask to be proved by name. `any_second`: whatever comes after a password. */
export const RULE_FACTORS = ['passkey', 'totp', 'any_second', 'password'] as const
export type RuleFactor = (typeof RULE_FACTORS)[number]

/** What must have been proved in this session beyond its level, and how lately. */
export type StepUp = {
  /** Age of the newest proof, at most; `Infinity`: any age. */
  readonly maxAge: Milliseconds
  /** Each of them must be proved; none: the strongest thing the session has proved is meant. */
  readonly factors: readonly RuleFactor[]
}

/** Changes to factors need a proof that is at most this old (OWASP ASVS 5.0, 7.5.1). */
export const PROOF_FOR: Milliseconds = 10 * MINUTE

/** What a setting asks for: whatever the account has to prove, lately. */
export const FOR_SETTINGS: StepUp = { maxAge: PROOF_FOR, factors: [] }

/** What is to be proved now; without `factor`, whatever the account has to prove. */
export type Lack = { readonly factor?: RuleFactor }

/** What both ask for: every factor, and the smaller age. */
export function stricterStepUp(a: StepUp | undefined, b: StepUp | undefined): StepUp | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return {
    maxAge: Math.min(a.maxAge, b.maxAge),
    factors: [...new Set([...a.factors, ...b.factors])],
  }
}

/**
 * What is missing first, or `undefined` when everything asked for was proved lately enough. The
 * age of a factor is that of its newest proof.
 */
export function lackOf(
  { maxAge, factors }: StepUp,
  proved: readonly ProvedFactor[],
  now: number,
): Lack | undefined {
  const isRecent = (counts: (kind: FactorKind) => boolean) =>
    // A proof that seems to be of the future was made before the clock was set back.
    proved.some(({ kind, at }) => counts(kind) && Math.abs(now - at) <= maxAge)
  if (factors.length > 0) {
    const factor = factors.find((one) => !isRecent((kind) => COUNTS[one].has(kind)))
    return factor === undefined ? undefined : { factor }
  }
  // Where there was a second factor, a password alone says less than the session had.
  const strong = proved.some(({ kind }) => SECOND_FACTORS.has(kind))
  return isRecent((kind) => !strong || SECOND_FACTORS.has(kind)) ? undefined : {}
}

/**
 * Which proofs count for what a rule names. A key that was only touched is no passkey, and a
 * recovery code is not the app it stands for: who names a factor means that one.
 */
const COUNTS: Readonly<Record<RuleFactor, ReadonlySet<FactorKind>>> = {
  passkey: new Set(['passkey']),
  totp: new Set(['totp']),
  any_second: SECOND_FACTORS,
  password: new Set(['password']),
}
