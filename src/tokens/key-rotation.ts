import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import { MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import type { DataKeyId, DataKeyStore, StoredDataKey } from './data-key.ts'
import { newDataKey } from './data-key-making.ts'
import type { KeyRing } from './key-ring.ts'
import type { Purpose } from './purpose.ts'

/** What came of putting new keys in the place of the current ones. */
export type RotateOutcome =
  | { readonly kind: 'rotated'; readonly keys: readonly RotatedKey[] }
  /** One master key is taking over from another: until that is finished no key is made. */
  | { readonly kind: 'master_pending' }
  /** There are `MAX_LIVE` keys of this purpose already. */
  | { readonly kind: 'full'; readonly purpose: Purpose }

export type RotatedKey = {
  readonly id: DataKeyId
  readonly purpose: Purpose
  /** Milliseconds since the epoch. */
  readonly activeFrom: number
}

/** What came of retiring one. `purpose` is as stored. */
export type RetireOutcome =
  | { readonly kind: 'retired'; readonly purpose: string }
  /** It is in use, or will be; `next`: from then on it may be retired. */
  | { readonly kind: 'current' }
  /** Values that were made with it a moment ago may not have been written down yet. */
  | { readonly kind: 'too_soon'; readonly at: number }
  | { readonly kind: 'in_use'; readonly purpose: string; readonly rows: number }
  | { readonly kind: 'gone' }

export type KeyRotation = {
  /**
   * Makes a new key for each purpose, all in one step. They are in use `LEAD` or `PUBLIC_LEAD` from
   * now: by then everybody has read them.
   * @throws AppError `store_unavailable`, `keys_unavailable`
   */
  readonly rotate: (purposes: readonly Purpose[]) => Promise<RotateOutcome>
  /**
   * Deletes a key for good: nothing made with it is good for anything any more.
   * @throws AppError `store_unavailable`, `keys_unavailable`
   */
  readonly retire: (id: DataKeyId) => Promise<RetireOutcome>
}

/** How long before a new key is in use it is there to be read: by every process. */
export const LEAD: Milliseconds = 3 * SECOND

/** The same for keys whose public half apps, and caches before them, keep for five minutes. */
export const PUBLIC_LEAD: Milliseconds = 6 * MINUTE

/** How long after its successor came into use a key may still be on its way into a row. */
export const IN_FLIGHT: Milliseconds = 10 * SECOND

/** Keys of one purpose that are not retired. */
export const MAX_LIVE = 100

/** How often a change is tried again that another process was quicker at. */
const MOST_ATTEMPTS = 20

/** Retired keys of a purpose that stay on the list. */
const KEEP_RETIRED = 100

/** Purposes whose keys made what is stored. */
export const STORED_PURPOSES: readonly string[] = ['field', 'digest'] satisfies readonly Purpose[]

export function createKeyRotation(deps: {
  readonly store: DataKeyStore
  readonly ring: KeyRing
  readonly clock: Clock
  /** Rows that a key of `STORED_PURPOSES` is needed for. */
  readonly rowsLeft: (key: StoredDataKey) => Promise<number>
}): KeyRotation {
  const { store, ring, clock } = deps

  return {
    rotate: async (purposes) => {
      for (let attempt = 1; ; attempt++) {
        await ring.refresh()
        const stored = (await store.list()).filter(({ retiredAt }) => retiredAt === 0)
        const masters = new Set(stored.flatMap(({ seals }) => seals.map((one) => one.masterId)))
        if (masters.size > 1) return { kind: 'master_pending' }
        const now = clock.now()
        const master = ring.master()
        const made = []
        for (const purpose of new Set(purposes)) {
          const live = stored.filter((key) => key.purpose === purpose)
          if (live.length >= MAX_LIVE) return { kind: 'full', purpose }
          const newest = live.at(-1)
          const lead = purpose === 'assertion' ? PUBLIC_LEAD : LEAD
          const activeFrom = Math.max(now + lead, (newest?.activeFrom ?? 0) + 1)
          const after = newest === undefined ? {} : { after: newest.id }
          made.push(newDataKey(purpose, { now, master, activeFrom, ...after }))
        }
        const outcome = await store.add(made, { id: master.id })
        // Somebody else was quicker; what they made is taken into account.
        if (outcome !== 'added') {
          if (attempt === MOST_ATTEMPTS) throw unsettled()
          await ring.reload()
          continue
        }
        await ring.refresh()
        const keys = made.map(({ id, purpose, activeFrom }) => ({ id, purpose, activeFrom }))
        return { kind: 'rotated', keys }
      }
    },
    retire: async (id) => {
      const stored = await store.list()
      const key = stored.find((one) => one.id === id && one.retiredAt === 0)
      if (key === undefined) return { kind: 'gone' }
      const now = clock.now()
      const successor = stored.find(
        (one) =>
          one.purpose === key.purpose && one.retiredAt === 0 && one.activeFrom > key.activeFrom,
      )
      if (successor === undefined || successor.activeFrom > now) return { kind: 'current' }
      if (STORED_PURPOSES.includes(key.purpose)) {
        const at = successor.activeFrom + IN_FLIGHT
        if (now < at) return { kind: 'too_soon', at }
        const rows = await deps.rowsLeft(key)
        if (rows > 0) return { kind: 'in_use', purpose: key.purpose, rows }
      }
      const kind = await store.retire(id, now, KEEP_RETIRED)
      if (kind === 'retired') await ring.refresh()
      return kind === 'retired' ? { kind, purpose: key.purpose } : { kind }
    },
  }
}

/** The keys are sealed under another master key than this process has, or change all the time. */
export function unsettled(): AppError {
  return new AppError(
    'keys_unavailable',
    'The keys cannot be changed: they are sealed under another master key than this process has. ' +
      'Restart it with the master key that is in force.',
  )
}
