/** Tells `true` once after each change. */
export type ChangeSignal = { readonly seen: () => boolean }

/** One signal for several. */
export type SharedSignal = {
  /** A watcher of its own: it is told of every change. */
  readonly watch: () => ChangeSignal
  /**
   * To be called first where a request was just read from its socket. Requests that one look of the
   * system at its sockets found share one look at the signal: they were all there before it. Never
   * throws.
   */
  readonly arrived: () => void
}

/** Milliseconds. The loop may look at its sockets again in a turn when very many are ready. */
const TOGETHER = 1

/**
 * Lets several watch one signal, whose answer costs something: it is asked once for each batch of
 * requests that arrived together, and otherwise once while one callback of the event loop runs.
 *
 * SECURITY: no look serves longer. A timer's look comes before the turn's sockets are read; were it
 * taken for theirs, a request that was sent after a change had been answered could miss the change,
 * for whatever ran in between may have taken its time.
 */
export function shareSignal(signal: ChangeSignal): SharedSignal {
  let changes = 0
  let asked = false
  let batchedAt = Number.NEGATIVE_INFINITY
  const look = () => {
    if (signal.seen()) changes++
  }
  const holdForCallback = () => {
    asked = true
    queueMicrotask(() => {
      asked = false
    })
  }
  return {
    watch: () => {
      let told = changes
      return {
        seen: () => {
          if (!asked) {
            look()
            holdForCallback()
          }
          const isNew = told !== changes
          told = changes
          return isNew
        },
      }
    },
    arrived: () => {
      if (asked) return
      const now = performance.now()
      if (now - batchedAt >= TOGETHER) {
        try {
          look()
        } catch {
          // Whoever asks in this callback asks again, and is told of it.
          return
        }
        if (batchedAt === Number.NEGATIVE_INFINITY) {
          // Runs when the sockets of this turn are read.
          setImmediate(() => {
            batchedAt = Number.NEGATIVE_INFINITY
          })
        }
        batchedAt = now
      }
      holdForCallback()
    },
  }
}
