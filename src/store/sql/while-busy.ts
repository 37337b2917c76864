import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../lib/app-error.ts'
import { type Milliseconds, SECOND } from '../../lib/duration.ts'
import { isBusy, storeError } from './store-error.ts'

/** How long an operation waits for a lock that another process holds, its queue included. */
export const LOCK_WAIT: Milliseconds = 2 * SECOND

/** Longest pause between two tries. */
const LONGEST_PAUSE: Milliseconds = 40

/**
 * Tries again while another process holds the lock. The pauses are timers, so the event loop goes
 * on meanwhile; only the engine's own busy timeout, a few milliseconds a try, blocks it.
 *
 * @param deadline instant of `performance.now()` past which nothing is tried any more
 * @param mayRetry whether the try that failed had no effect
 * @throws AppError `store_unavailable`
 */
export async function whileBusy<T>(
  attempt: () => Promise<T>,
  deadline: number,
  mayRetry: () => boolean = () => true,
): Promise<T> {
  if (performance.now() > deadline) {
    throw new AppError('store_unavailable', 'The database has too much to do.')
  }
  for (let pause = 2; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await attempt()
    } catch (cause) {
      const late = performance.now() + pause > deadline
      if (late || !isBusy(cause) || !mayRetry()) throw storeError(cause)
    }
    await delay(pause)
  }
}
