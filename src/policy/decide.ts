import { isOverdue, type Level, type Principal } from '../identity/principal.ts'
import { atLeast, DEFAULT_DENY, type Requirement } from './match.ts'
import type { Rule } from './rule.ts'
import { lackOf, type StepUp } from './step-up.ts'

/** The answer, with the rule that gave it. Rendering it is the caller's part. */
export type Decision =
  /** `principal` is absent on open targets: the app is told of nobody. */
  | { readonly kind: 'allow'; readonly rule: Rule; readonly principal?: Principal }
  /** Nobody is signed in; `level` is what it will take. */
  | { readonly kind: 'sign_in'; readonly rule: Rule; readonly level: Level }
  /** Signed in, but a second factor must be proved first. */
  | { readonly kind: 'second_factor'; readonly rule: Rule; readonly principal: Principal }
  /** The level is right, but a rule asks for a newer proof or for another factor. */
  | {
      readonly kind: 'confirm'
      readonly rule: Rule
      readonly principal: Principal
      readonly stepUp: StepUp
    }
  /**
   * `denied`: a rule or the lack of one refuses; `not_granted`: a rule names others; `out_of_scope`:
   * the token was not made for this.
   */
  | {
      readonly kind: 'forbidden'
      readonly rule: Rule
      readonly reason: 'denied' | 'not_granted' | 'out_of_scope'
      readonly principal?: Principal
    }

/**
 * Judges a requirement for a person, or for nobody. Pure.
 * @param now milliseconds since the epoch: proofs grow old
 */
export function decide(
  requirement: Requirement,
  principal: Principal | undefined,
  now: number,
): Decision {
  const known = principal === undefined ? {} : { principal }
  if (requirement.kind === 'deny') {
    return { kind: 'forbidden', rule: requirement.rule, reason: 'denied', ...known }
  }
  if (principal !== undefined) {
    const refusal = requirement.refused.find((rule) => names(rule, principal))
    if (refusal !== undefined) {
      return { kind: 'forbidden', rule: refusal, reason: 'denied', principal }
    }
  }
  if (requirement.kind === 'open') return { kind: 'allow', rule: requirement.rule }

  const strictest = requirement.clauses.find((clause) => clause.level === requirement.level)
  const rule = strictest?.rule ?? DEFAULT_DENY
  if (principal === undefined) return { kind: 'sign_in', rule, level: requirement.level }
  // NOTE: being the wrong person is said before a second factor is asked for: proving one
  // would not help them.
  const closed = requirement.clauses.find((clause) => !grants(clause.rule, principal))
  if (closed !== undefined) {
    return { kind: 'forbidden', rule: closed.rule, reason: 'not_granted', principal }
  }
  if (!atLeast(principal.level, requirement.level) || isOverdue(principal, now)) {
    return { kind: 'second_factor', rule, principal }
  }
  const { stepUp } = requirement
  if (stepUp !== undefined && lackOf(stepUp, principal.proved, now) !== undefined) {
    const asking = requirement.clauses.find((clause) => clause.rule.stepUp !== undefined)
    return { kind: 'confirm', rule: asking?.rule ?? rule, principal, stepUp }
  }
  return { kind: 'allow', rule, principal }
}

/** A rule that names nobody grants everybody who is signed in. */
function grants(rule: Rule, principal: Principal): boolean {
  return (rule.users.size === 0 && rule.groups.size === 0) || names(rule, principal)
}

function names(rule: Rule, principal: Principal): boolean {
  return rule.users.has(principal.name) || principal.groups.some((group) => rule.groups.has(group))
}
