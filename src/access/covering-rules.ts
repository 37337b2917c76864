import type { Requirement } from '../policy/match.ts'
import type { Rule } from '../policy/rule.ts'

/**
 * The rules that cover a request, never none: several only where its path has several readings
 * that different rules cover. What it costs depends on all of them, so that no spelling of a path
 * is cheaper than another.
 */
export function coveringRules(requirement: Requirement): readonly Rule[] {
  if (requirement.kind === 'deny') return [requirement.rule]
  const { also = NONE } = requirement
  const rules =
    requirement.kind === 'open'
      ? [requirement.rule]
      : requirement.clauses.map((clause) => clause.rule)
  return also === NONE ? rules : [...rules, ...also]
}

const NONE: readonly Rule[] = []
