import { SECOND } from '../lib/duration.ts'
import { PATHS } from '../pages/paths.ts'
import { PROOF_FOR, RULE_FACTORS, type StepUp } from '../policy/step-up.ts'

/**
 * The page where it is proved. What it asks for stands in the address in clear: it only chooses
 * words and ways there, and whoever changes it is asked again by the rule itself.
 */
export function confirmPath({ maxAge, factors }: StepUp): string {
  const query = new URLSearchParams()
  if (Number.isFinite(maxAge)) query.set('age', String(Math.floor(maxAge / SECOND)))
  if (factors.length > 0) query.set('factor', factors.join('.'))
  return query.size === 0 ? PATHS.confirm : `${PATHS.confirm}?${query}`
}

/** Reads it back; anything else is what a setting asks for. */
export function readAskedProof(read: (name: 'age' | 'factor') => string): StepUp {
  const names = read('factor').split('.')
  const factors = RULE_FACTORS.filter((one) => names.includes(one))
  const age = /^(?:0|[1-9][0-9]{0,7})$/.test(read('age')) ? Number(read('age')) * SECOND : undefined
  return { maxAge: age ?? (factors.length > 0 ? Infinity : PROOF_FOR), factors }
}
