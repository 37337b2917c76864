import { z } from 'zod'
import { DAY, HOUR, MINUTE, type Milliseconds } from '../../lib/duration.ts'
import type { Fault } from '../problem.ts'
import { readable, valueAt } from '../readable.ts'
import { duration, durationText } from '../values/duration.ts'
import { leaf } from '../values/leaf.ts'

/** How long programs that signed in stay so. */
export type TokenSettings = {
  /** Of an access token. */
  readonly access: Milliseconds
  /** Of a refresh token: without a refresh for so long, the sign-in is over. */
  readonly refresh: Milliseconds
  /** After the sign-in, whatever was refreshed. */
  readonly absolute: Milliseconds
}

export const TOKEN_DEFAULTS: TokenSettings = {
  access: 15 * MINUTE,
  refresh: 7 * DAY,
  absolute: 30 * DAY,
}

/** The key `tokens`. */
export const tokensSchema = z.strictObject({
  access: leaf(duration(MINUTE, HOUR)).default(TOKEN_DEFAULTS.access),
  refresh: leaf(duration(5 * MINUTE, 90 * DAY)).default(TOKEN_DEFAULTS.refresh),
  absolute: leaf(duration(5 * MINUTE, 365 * DAY)).default(TOKEN_DEFAULTS.absolute),
})

/** Finds what would be over before it is needed. */
export function checkTokens(file: unknown): readonly Fault[] {
  const { access, refresh, absolute } = readable(tokensSchema.shape, valueAt(file, 'tokens'))
  const faults: Fault[] = []
  const outlives = (key: string, value: Milliseconds, other: string, limit: Milliseconds) => {
    const params = {
      value: durationText(value),
      key: `tokens.${other}`,
      limit: durationText(limit),
    }
    faults.push({ kind: 'token_outlives', params, path: ['tokens', key] })
  }
  if (access !== undefined && refresh !== undefined && access >= refresh) {
    outlives('access', access, 'refresh', refresh)
  }
  if (refresh !== undefined && absolute !== undefined && refresh > absolute) {
    outlives('refresh', refresh, 'absolute', absolute)
  }
  return faults
}
