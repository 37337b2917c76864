import { z } from 'zod'
import { DAY, type Milliseconds } from '../../lib/duration.ts'
import { flag, whole } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { leaf } from '../values/leaf.ts'

/** Tokens that people make for programs of theirs. */
export type PersonalTokenSettings = {
  /** Off: none is made, and none that was made opens anything. */
  readonly enabled: boolean
  /** The longest life one may be given. */
  readonly longest: Milliseconds
  /** Whether one may live until it is revoked. */
  readonly endless: boolean
  readonly perAccount: number
}

export const PERSONAL_TOKEN_DEFAULTS: PersonalTokenSettings = {
  enabled: true,
  longest: 365 * DAY,
  endless: false,
  perAccount: 50,
}

/** The key `personal_tokens`. */
export const personalTokensSchema = z.strictObject({
  enabled: leaf(flag).default(PERSONAL_TOKEN_DEFAULTS.enabled),
  longest: leaf(duration(DAY, 3650 * DAY)).default(PERSONAL_TOKEN_DEFAULTS.longest),
  endless: leaf(flag).default(PERSONAL_TOKEN_DEFAULTS.endless),
  per_account: leaf(whole(1, 1000)).default(PERSONAL_TOKEN_DEFAULTS.perAccount),
})

export function toPersonalTokens({
  per_account: perAccount,
  ...rest
}: z.output<typeof personalTokensSchema>): PersonalTokenSettings {
  return { ...rest, perAccount }
}
