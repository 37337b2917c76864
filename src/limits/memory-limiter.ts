import { hash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { createFadingCache, type FadingCache } from './fading-cache.ts'
import type { Budget, Limiter, Take } from './limiter.ts'

/**
 * The limiter of one process: GCRA in its leaky-bucket form (ITU-T I.371, annex A), exact to the
 * millisecond. A key starts with its whole budget, may spend it at once, and gets one use back
 * every `window / count`. A refused call costs nothing.
 *
 * `maxKeys` bounds the keys kept for each budget. A full budget drops its least recently used
 * key, which thereby has its whole allowance again.
 *
 * SECURITY: whoever rotates keys to be forgotten gains nothing by it.
 * - Keyed by address (`networkKey`, so a whole IPv6 /64 is one key): to push one key out, all
 *   `maxKeys` others must be used, and with so many addresses one has `maxKeys` budgets anyway.
 * - Keyed by user id: only accounts that exist have one, so strangers cannot make keys up; fewer
 *   accounts than `maxKeys` are never dropped while they still owe something.
 * - Every budget has a cache of its own: a flood on one does not make another forget.
 *
 * One name has one definition: a second `count` or `window` for it is a mistake in the program.
 *
 * @throws TypeError for a budget that is not positive and whole, or defined twice.
 */
export function createMemoryLimiter(options: {
  readonly clock: Clock
  readonly maxKeys?: number
}): Limiter & { readonly size: (budget: Budget) => number } {
  const { clock, maxKeys = 100_000 } = options
  const shelves = new Map<string, Shelf>()

  const shelfOf = (budget: Budget): Shelf => {
    const known = shelves.get(budget.name)
    if (known === undefined) {
      const made = newShelf(budget, clock, maxKeys)
      shelves.set(budget.name, made)
      return made
    }
    if (known.count !== budget.count || known.window !== budget.window) {
      throw new TypeError(`budget ${budget.name} is defined twice`)
    }
    return known
  }

  return {
    take: (budget, key) => {
      const now = clock.now()
      return take(shelfOf(budget), boundedKey(key), now)
    },
    refund: (budget, key) => {
      const { buckets, window } = shelfOf(budget)
      const bucket = buckets.get(boundedKey(key))
      if (bucket !== undefined) bucket.level = Math.max(0, bucket.level - window)
    },
    size: (budget) => shelves.get(budget.name)?.buckets.size ?? 0,
  }
}

/**
 * What a key owes. To stay in whole numbers, one use is `window` drops and `count` drops leak out
 * each millisecond; the bucket holds `count * window` drops.
 */
type Bucket = { level: number; at: number }

type Shelf = {
  readonly count: number
  readonly window: number
  readonly buckets: FadingCache<Bucket>
}

function newShelf({ name, count, window }: Budget, clock: Clock, maxKeys: number): Shelf {
  const whole = [count, window, count * window].every((n) => Number.isSafeInteger(n) && n > 0)
  if (!whole) throw new TypeError(`budget ${name} is not a positive whole number in whole ms`)
  const isFaded = ({ level, at }: Bucket) => level <= (clock.now() - at) * count
  return { count, window, buckets: createFadingCache({ maxKeys, isFaded }) }
}

function take({ count, window, buckets }: Shelf, key: string, now: number): Take {
  const size = count * window
  let bucket = buckets.get(key)
  if (bucket === undefined) {
    bucket = { level: 0, at: now }
    buckets.set(key, bucket)
  } else {
    drain(bucket, count, now)
  }
  const filled = bucket.level + window
  if (filled > size) {
    return {
      kind: 'limited',
      retryAfter: Math.ceil((filled - size) / count),
      resetAfter: Math.ceil(bucket.level / count),
    }
  }
  bucket.level = filled
  return {
    kind: 'taken',
    remaining: Math.floor((size - filled) / window),
    resetAfter: Math.ceil(filled / count),
  }
}

/**
 * Lets out what leaked since the last look. NOTE: a clock that went back leaks nothing, and counts
 * on from where it is now: since a bucket never holds more than one window's worth, no key waits
 * longer than one window, whatever the clock did.
 */
function drain(bucket: Bucket, count: number, now: number): void {
  if (now > bucket.at) bucket.level = Math.max(0, bucket.level - (now - bucket.at) * count)
  bucket.at = now
}

/** Longer keys are kept as their digest: 64 hex digits, a length no key has that is kept as it is. */
function boundedKey(key: string): string {
  return key.length < 64 ? key : hash('sha256', key)
}
