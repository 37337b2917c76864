import type { Clock } from '../lib/clock.ts'
import { DAY, HOUR, MINUTE, type Milliseconds } from '../lib/duration.ts'
import type { DataKeyId } from './data-key.ts'
import { keyAges } from './key-ages.ts'
import type { KeyRing } from './key-ring.ts'
import type { KeyRotation } from './key-rotation.ts'
import type { Purpose } from './purpose.ts'

/** What the server does about keys by itself. */
export type KeyUpkeep = {
  /**
   * Makes new keys in the place of those that are old enough, and retires those that nothing can
   * depend on any more. Does nothing where rotation is off.
   * @throws AppError `store_unavailable`, `keys_unavailable`
   */
  readonly work: () => Promise<readonly KeyChange[]>
  /** Purposes whose key is older than it should be; those not told of in the last day. */
  readonly overdue: () => readonly Purpose[]
}

export type KeyChange =
  | { readonly kind: 'rotated' | 'retired'; readonly id: DataKeyId; readonly purpose: Purpose }
  /** A master key is taking over from another: nothing is rotated until that is finished. */
  | { readonly kind: 'waiting' }

/**
 * How long after its successor came into use something made with a key can still be good: the life
 * of what it makes, and some more. `field` and `digest` keys go when no row needs them.
 */
export const OVERLAP = {
  field: HOUR,
  digest: HOUR,
  // Return tickets: 12 hours.
  ticket: 13 * HOUR,
  // A page with a form: 4 hours.
  form: 5 * HOUR,
  // The cookie of a known browser: a year.
  device: 366 * DAY,
  // Ceremonies of passkeys: 5 minutes.
  challenge: 15 * MINUTE,
  // Access tokens: 15 minutes.
  access: 30 * MINUTE,
  // Assertions: a minute, and what apps keep of the list of keys.
  assertion: DAY,
} as const satisfies Readonly<Record<Purpose, Milliseconds>>

export function createKeyUpkeep(
  deps: {
    readonly ring: KeyRing
    readonly rotation: KeyRotation
    readonly clock: Clock
  },
  options: {
    /** Absent: off. */
    readonly rotateEvery?: Milliseconds
    readonly warnAfter: Milliseconds
  },
): KeyUpkeep {
  const { ring, rotation, clock } = deps
  const { rotateEvery } = options
  const told = new Map<Purpose, number>()

  const newestOf = (purpose: Purpose): number =>
    Math.max(...ring.all(purpose).map(({ createdAt }) => createdAt))
  const retireOld = async (): Promise<readonly KeyChange[]> => {
    const now = clock.now()
    const changes: KeyChange[] = []
    const keys = ring.keys()
    for (const [at, { id, purpose }] of keys.entries()) {
      const successor = keys[at + 1]
      if (successor?.purpose !== purpose || now < successor.activeFrom + OVERLAP[purpose]) continue
      const { kind } = await rotation.retire(id)
      if (kind === 'retired') changes.push({ kind, id, purpose })
    }
    return changes
  }
  return {
    work: async () => {
      if (rotateEvery === undefined) return []
      const now = clock.now()
      const due = keyAges(ring, clock).filter(
        ({ purpose }) => newestOf(purpose) + rotateEvery <= now,
      )
      const retired = await retireOld()
      if (due.length === 0) return retired
      const outcome = await rotation.rotate(due.map(({ purpose }) => purpose))
      if (outcome.kind === 'master_pending') return [...retired, { kind: 'waiting' }]
      if (outcome.kind === 'full') return retired
      return [
        ...retired,
        ...outcome.keys.map(({ id, purpose }) => ({ kind: 'rotated' as const, id, purpose })),
      ]
    },
    overdue: () => {
      const now = clock.now()
      const old = keyAges(ring, clock).filter(
        ({ purpose, age }) =>
          age > options.warnAfter && now - (told.get(purpose) ?? Number.NEGATIVE_INFINITY) >= DAY,
      )
      for (const { purpose } of old) told.set(purpose, now)
      return old.map(({ purpose }) => purpose)
    },
  }
}
