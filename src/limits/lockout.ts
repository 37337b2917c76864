import { hash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Milliseconds } from '../lib/duration.ts'
import { createFadingCache } from './fading-cache.ts'

/** `until`: the instant, in milliseconds since the Unix epoch, at which it opens again. */
export type Locked = { readonly kind: 'locked'; readonly until: number }

/**
 * One attempt that may be judged. It is counted as a failure already: when it was wrong there is
 * nothing to do. Otherwise say so, once: what is said later changes nothing.
 */
export type Attempt = {
  /**
   * Whether it holds the last place, so that its failure is what locks the pair: `true` for one
   * attempt of each lock. Read it when the attempt has failed.
   */
  readonly last: boolean
  /** It was right: it and every failure of this pair are forgotten. */
  readonly succeeded: () => void
  /** Nothing was judged, because the queue was full: this one is taken back. */
  readonly cancelled: () => void
}

/**
 * Refuses to judge passwords where too many were wrong, without letting a stranger lock the owner
 * out. Failures are counted apart for each
 * - account and network (`networkKey`), so a lock holds for those who guess from there only;
 * - account and known device, when there is one: no network's lock touches it, and it is locked
 *   by its own failures. SECURITY: a device is known when the server has verified that it is this
 *   account's; an id that the browser could make up would be a fresh counter for each guess.
 *
 * `account` is the canonical name as typed (`foldName`), whether or not such an account exists:
 * nothing here knows, so nothing here can tell (ASVS 6.3.8).
 */
export type Lockout = {
  /** Whether an attempt would be judged now. Counts nothing: decide by `begin`. */
  readonly check: (
    account: string,
    network: string,
    device?: string,
  ) => { readonly kind: 'open' } | Locked
  /**
   * Counts one attempt in one step, before its password is looked at: however many come at once,
   * no more than the allowed number get `go`.
   */
  readonly begin: (
    account: string,
    network: string,
    device?: string,
  ) => { readonly kind: 'go'; readonly attempt: Attempt } | Locked
  /** Forgets every failure of the account, wherever it came from. */
  readonly unlock: (account: string) => void
  /** How many pairs are remembered; at most `maxKeys`. */
  readonly size: number
}

/**
 * `failures` wrong attempts within `duration` lock a pair for `duration` from the last of them;
 * then it starts afresh. Fewer are forgotten one by one, each after `duration`.
 *
 * At most `maxKeys` pairs are kept and the least recently used goes first. SECURITY: to make the
 * lockout forget one pair, a guesser must begin `maxKeys` attempts on others, each paid from the
 * address's own budget, and gains `failures` guesses by it.
 */
export function createLockout(options: {
  readonly clock: Clock
  readonly failures: number
  readonly duration: Milliseconds
  readonly maxKeys?: number
}): Lockout {
  const { clock, failures, duration, maxKeys = 100_000 } = options
  if (!Number.isSafeInteger(failures) || failures < 1 || !(duration > 0)) {
    throw new TypeError('lockout needs at least one failure and a duration')
  }
  const pairs = createFadingCache<Pair>({
    maxKeys,
    isFaded: (pair) => refresh(pair, clock.now(), duration, failures).counted.length === 0,
  })
  // An unlock is remembered instead of hunting for the account's pairs: what was begun before it
  // is void. After `duration` those have faded by themselves, and the memory of it may go too.
  const unlocks = createFadingCache<{ readonly order: number; readonly at: number }>({
    maxKeys: Math.min(maxKeys, MAX_UNLOCKS),
    isFaded: ({ at }) => at + duration <= clock.now(),
  })
  let lastOrder = 0

  const lookUp = (account: string, network: string, device: string | undefined) => {
    const owner = digest(account)
    const key = owner + digest(device === undefined ? `n:${network}` : `d:${device}`)
    const found = pairs.get(key)
    const isVoid = found === undefined || found.order < (unlocks.peek(owner)?.order ?? 0)
    const pair = isVoid ? { order: lastOrder, counted: [] } : found
    const { counted } = refresh(pair, clock.now(), duration, failures)
    const until = counted.length < failures ? undefined : newest(counted) + duration
    return { key, pair, until }
  }

  return {
    check: (account, network, device) => {
      const { until } = lookUp(account, network, device)
      return until === undefined ? { kind: 'open' } : { kind: 'locked', until }
    },
    begin: (account, network, device) => {
      const { key, pair, until } = lookUp(account, network, device)
      if (until !== undefined) return { kind: 'locked', until }
      if (pair.counted.length === 0) pairs.set(key, pair)
      const own: Failure = { at: clock.now() }
      pair.counted.push(own)
      let isSettled = false
      const settle = (act: () => void) => {
        if (!isSettled) act()
        isSettled = true
      }
      return {
        kind: 'go',
        attempt: {
          get last() {
            return pair.counted[failures - 1] === own
          },
          succeeded: () =>
            settle(() => {
              // What is still under way holds this very list: emptied, it cannot count on in it.
              pair.counted.length = 0
              pairs.delete(key)
            }),
          cancelled: () =>
            settle(() => {
              const index = pair.counted.indexOf(own)
              if (index >= 0) pair.counted.splice(index, 1)
            }),
        },
      }
    },
    unlock: (account) => {
      lastOrder += 1
      unlocks.set(digest(account), { order: lastOrder, at: clock.now() })
    },
    get size() {
      return pairs.size
    },
  }
}

/** One counted attempt; an object, so that it can be found again to be taken back. */
type Failure = { at: number }

/** `order`: how many unlocks there had been when it began. `counted`: oldest first. */
type Pair = { readonly order: number; readonly counted: Failure[] }

/** Accounts unlocked within one `duration`; past that the earliest unlock is forgotten. */
const MAX_UNLOCKS = 10_000

/**
 * Forgets what is past. While a pair is locked nothing is: if the oldest failure went first, one
 * more guess would be open before the lock is over. NOTE: after the clock went back, failures
 * from its future count from now, so a lock never lasts longer than `duration` from then.
 */
function refresh(pair: Pair, now: number, duration: Milliseconds, failures: number): Pair {
  const { counted } = pair
  for (const failure of counted) failure.at = Math.min(failure.at, now)
  const since = now - duration
  if (counted.length >= failures) {
    if (newest(counted) <= since) counted.length = 0
  } else {
    while (counted[0] !== undefined && counted[0].at <= since) counted.shift()
  }
  return pair
}

function newest(counted: readonly Failure[]): number {
  return counted.at(-1)?.at ?? 0
}

/** Keys are of one length whatever was typed, and a dump of the memory shows no names. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}
