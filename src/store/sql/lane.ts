import { setImmediate as nextTurn } from 'node:timers/promises'

/** Runs jobs one after the other, in the order they came. A job that fails does not stop the rest. */
export type Lane = { readonly run: <T>(job: () => Promise<T>) => Promise<T> }

/** Milliseconds of uninterrupted work after which the event loop is given a turn. */
const SLICE = 10

/**
 * A queue of one. The statements of an in-process database take no turn of the event loop, so a
 * long queue would run as one block: after each slice of work the loop goes round once.
 */
export function createLane(): Lane {
  let tail: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let since = 0

  return {
    run: (job) => {
      if (waiting === 0) since = performance.now()
      waiting += 1
      const result = tail.then(async () => {
        try {
          if (performance.now() - since > SLICE) {
            await nextTurn()
            since = performance.now()
          }
          return await job()
        } finally {
          waiting -= 1
        }
      })
      tail = result.catch(() => undefined)
      return result
    },
  }
}
