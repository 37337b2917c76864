import { argon2 } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError } from '../lib/app-error.ts'

/** Cost of one run of Argon2id (RFC 9106, section 3.1): `memory` in KiB. */
export type KdfCost = {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  /** Bytes that come out. */
  readonly tagLength: number
}

/** `busy`: too many were waiting, or the caller gave up while waiting; nothing was computed. */
export type KdfOutcome = { readonly kind: 'done'; readonly tag: Buffer } | { readonly kind: 'busy' }

/** The one place where password hashes are computed. */
export type Kdf = {
  /**
   * Argon2id, outside the event loop. A signal takes a waiting job out of the queue; one that
   * runs already is finished and answered.
   * @throws AppError `busy` when there is no memory for it
   */
  readonly run: (
    message: Buffer,
    salt: Buffer,
    cost: KdfCost,
    signal?: AbortSignal,
  ) => Promise<KdfOutcome>
  /** How many runs were started since the beginning. */
  readonly runs: () => number
  /** How many are waiting now. */
  readonly waiting: () => number
}

export type KdfOptions = {
  /** Runs at the same time; each takes a thread of the pool that file access needs too. */
  readonly concurrency?: number
  /** Jobs that may wait, each for a fraction of a second. */
  readonly queueLimit?: number
}

const argon2Async = promisify(argon2)

/**
 * A bounded queue before Argon2id: however many sign in at once, memory and threads are limited,
 * and who comes too late is told so instead of waiting for ever.
 */
export function createKdf({ concurrency = 1, queueLimit = 32 }: KdfOptions = {}): Kdf {
  const queue = new Set<() => void>()
  let running = 0
  let runs = 0

  /** Waits for a place; `false` when there is none, or when the caller gave up. */
  const enter = (signal?: AbortSignal): Promise<boolean> | boolean => {
    if (signal?.aborted === true) return false
    if (running < concurrency) {
      running += 1
      return true
    }
    if (queue.size >= queueLimit) return false
    return new Promise((resolve) => {
      const giveUp = () => {
        queue.delete(start)
        resolve(false)
      }
      // The place of the job that ended is handed on: `running` stays as it is.
      const start = () => {
        signal?.removeEventListener('abort', giveUp)
        resolve(true)
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      queue.add(start)
    })
  }

  const leave = () => {
    const [next] = queue
    if (next === undefined) {
      running -= 1
    } else {
      queue.delete(next)
      next()
    }
  }

  return {
    run: async (message, salt, cost, signal) => {
      if (!(await enter(signal))) return { kind: 'busy' }
      runs += 1
      try {
        const tag = await argon2Async('argon2id', { message, nonce: salt, ...cost })
        return { kind: 'done', tag }
      } catch (cause) {
        throw new AppError('busy', 'A password hash could not be computed.', { cause })
      } finally {
        leave()
      }
    },
    runs: () => runs,
    waiting: () => queue.size,
  }
}
