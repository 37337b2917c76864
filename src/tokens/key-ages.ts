import type { Clock } from '../lib/clock.ts'
import type { Milliseconds } from '../lib/duration.ts'
import type { KeyRing } from './key-ring.ts'
import { PURPOSES, type Purpose } from './purpose.ts'

/** How old the key of a purpose is, and how many there are. */
export type KeyAge = {
  readonly purpose: Purpose
  /** Of the one in use. */
  readonly age: Milliseconds
  /** That are not retired. */
  readonly count: number
}

/** As this process knows them: nothing is read. */
export function keyAges(ring: KeyRing, clock: Clock): readonly KeyAge[] {
  return PURPOSES.map((purpose) => ({
    purpose,
    age: Math.max(0, clock.now() - ring.current(purpose).createdAt),
    count: ring.all(purpose).length,
  }))
}
