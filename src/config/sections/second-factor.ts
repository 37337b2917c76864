import { z } from 'zod'
import { DAY, MINUTE, SECOND } from '../../lib/duration.ts'
import type { SecondFactorPolicy } from '../../login/duty.ts'
import type { RuleFactor } from '../../policy/step-up.ts'
import type { Fault } from '../problem.ts'
import { isMap, valueAt } from '../readable.ts'
import { choice, flag } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { leaf, report } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { personName } from '../values/rule-parts.ts'

export const SECOND_FACTOR_DEFAULTS: SecondFactorPolicy = {
  everybody: false,
  users: [],
  groups: [],
  grace: 7 * DAY,
}

const RULE_FACTORS = [
  'passkey',
  'totp',
  'any_second',
  'password',
] as const satisfies readonly RuleFactor[]

/** Keys of a rule: what it asks for beyond its policy. Whether they make sense: `checkStepUp`. */
export const stepUpKeys = {
  max_age: leaf(duration(MINUTE, 365 * DAY)).optional(),
  factor: leaf(choice(RULE_FACTORS)).optional(),
}

export const requiredForSchema = z.strictObject({
  everybody: leaf(flag).default(false),
  users: leaf(listOf(personName)).default([]),
  groups: leaf(listOf(personName)).default([]),
})

/** `login.second_factor`. */
export const secondFactorSchema = z.strictObject({
  required_for: z
    .preprocess((raw, context) => {
      if (typeof raw !== 'string') return raw
      const reading = choice(['everybody'])(raw)
      if (reading.kind === 'value') return { everybody: true }
      report(context, reading.faults)
      return z.NEVER
    }, requiredForSchema)
    .prefault({}),
  grace: leaf(duration(SECOND, 365 * DAY)).default(SECOND_FACTOR_DEFAULTS.grace),
})

/** Finds what is asked of nobody, or of everybody twice. */
export function checkSecondFactor(file: unknown): readonly Fault[] {
  const section = valueAt(valueAt(file, 'login'), 'second_factor')
  if (!isMap(section)) return []
  const path = ['login', 'second_factor']
  const requiredFor = valueAt(section, 'required_for')
  if (requiredFor === undefined) {
    const grace = valueAt(section, 'grace') !== undefined
    return grace ? [{ kind: 'grace_unused', path: [...path, 'grace'], part: 'key' }] : []
  }
  if (!isMap(requiredFor)) return []
  const everybody = valueAt(requiredFor, 'everybody')
  const some = ['users', 'groups'].filter((key) => valueAt(requiredFor, key) !== undefined)
  const place = [...path, 'required_for']
  if (everybody === true) {
    return some.map((key) => ({
      kind: 'required_twice',
      params: { key },
      path: [...place, key],
      part: 'key',
    }))
  }
  // A key that is misspelt is told of as such.
  const others = Object.keys(requiredFor).some((key) => key !== 'everybody')
  return others ? [] : [{ kind: 'required_of_nobody', path: place, part: 'key' }]
}

/** Finds what a rule of this policy cannot ask for. */
export function checkStepUp(rule: {
  readonly policy?: string | undefined
  readonly max_age?: number | undefined
  readonly factor?: RuleFactor | undefined
}): readonly Fault[] {
  const { policy, factor } = rule
  if (policy === 'public' || policy === 'deny') {
    const keys = (['max_age', 'factor'] as const).filter((key) => rule[key] !== undefined)
    return keys.map((key) => ({
      kind: 'step_up_unused',
      params: { key, policy },
      path: [key],
      part: 'key',
    }))
  }
  if (policy === 'one_factor' && factor !== undefined && factor !== 'password') {
    return [{ kind: 'factor_needs_two', params: { value: factor }, path: ['factor'] }]
  }
  return []
}

/** The section in the form the rest of the program uses. */
export function toSecondFactor(file: z.output<typeof secondFactorSchema>): SecondFactorPolicy {
  return { ...file.required_for, grace: file.grace }
}
