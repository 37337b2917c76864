import type { Fault } from '../problem.ts'
import { choice } from '../values/basics.ts'
import { leaf } from '../values/leaf.ts'

/** What an app takes as the password of HTTP Basic; absent: it is not taken at all. */
export type BasicSettings = 'tokens' | 'password'

/** The key `basic` of an app. */
export const basicKeys = { basic: leaf(choice(['off', 'tokens', 'password'])).default('off') }

export function toBasic({ basic }: { readonly basic: BasicSettings | 'off' }) {
  return basic === 'off' ? undefined : basic
}

/**
 * A password alone is taken only where a rule asks for no more; an app without such a rule would
 * look as if it took passwords, and refuse each. Paths are relative to the app.
 */
export function checkBasic(
  basic: BasicSettings | 'off' | undefined,
  policies: readonly unknown[],
): readonly Fault[] {
  if (basic !== 'password' || policies.length === 0 || policies.includes('one_factor')) return []
  return [{ kind: 'basic_password_unused', path: ['basic'], suggestion: 'tokens' }]
}
