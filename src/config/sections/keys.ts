import { z } from 'zod'
import { DAY, type Milliseconds } from '../../lib/duration.ts'
import type { Fault } from '../problem.ts'
import { readable, valueAt } from '../readable.ts'
import { duration, durationText } from '../values/duration.ts'
import { leaf } from '../values/leaf.ts'

/** What becomes of keys by themselves. */
export type KeySettings = {
  /** Absent: they are rotated by hand. */
  readonly rotateEvery?: Milliseconds
  /** Age of a key from which on it is warned about. */
  readonly warnAfter: Milliseconds
}

export const KEY_DEFAULTS: KeySettings = { warnAfter: 90 * DAY }

const LONGEST = 3650 * DAY

/** The key `keys`. More often than weekly, keys would be many before the oldest may go. */
export const keysSchema = z.strictObject({
  rotate_every: leaf(duration(7 * DAY, LONGEST)).optional(),
  warn_after: leaf(duration(DAY, LONGEST)).default(KEY_DEFAULTS.warnAfter),
})

/** Who has keys rotated is not to be warned of each one first. */
export function checkKeys(file: unknown): readonly Fault[] {
  const raw = valueAt(file, 'keys')
  if (raw === undefined) return []
  const { rotate_every: every, warn_after: after } = readable(keysSchema.shape, raw)
  if (every === undefined || after === undefined || after > every) return []
  return [
    {
      kind: 'keys_warned_first',
      params: { after: durationText(after), every: durationText(every) },
      path: ['keys', 'rotate_every'],
    },
  ]
}

export function toKeys(file: z.output<typeof keysSchema>): KeySettings {
  const { rotate_every: rotateEvery, warn_after: warnAfter } = file
  return { ...(rotateEvery === undefined ? {} : { rotateEvery }), warnAfter }
}
