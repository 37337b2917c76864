import { type Principal, type ProvedFactor, SECOND_FACTORS } from '../identity/principal.ts'
import type { Decision } from '../policy/decide.ts'
import type { Identification } from './identification.ts'

/**
 * Takes back an allow for an app whose access was revoked after what is shown was proved: a person
 * is asked for a new proof, as a rule with `max_age` asks; a token that was made before is no good
 * there any more. Open targets stay open.
 *
 * @param since of the app, as `AppRevocations` gives it
 */
export function afterRevocation(
  decision: Decision,
  who: Shown,
  since: number,
  now: number,
): Decision {
  if (since === 0 || decision.kind !== 'allow' || decision.principal === undefined) return decision
  const { rule, principal } = decision
  if (countsSince(who, principal, since)) return decision
  // A clock that was set back must not make every proof look new.
  const stepUp = { maxAge: Math.max(0, now - since), factors: [] }
  return { kind: 'confirm', rule, principal, stepUp }
}

/** As much of who asks as it takes; who it is stands in the decision. */
type Shown = { readonly kind: Identification['kind']; readonly issuedAt?: number }

function countsSince(who: Shown, { proved }: Principal, since: number): boolean {
  // A program without an instant proves itself with every request.
  if (who.kind === 'program') return who.issuedAt === undefined || who.issuedAt > since
  return who.kind === 'active' && provedSince(proved, since)
}

/** Where there was a second factor, a password alone says less than the session had. */
function provedSince(proved: readonly ProvedFactor[], since: number): boolean {
  const strong = proved.some(({ kind }) => SECOND_FACTORS.has(kind))
  return proved.some(({ kind, at }) => at > since && (!strong || SECOND_FACTORS.has(kind)))
}
