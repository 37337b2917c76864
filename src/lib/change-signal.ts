/** Tells `true` once after each change. */
export type ChangeSignal = { readonly seen: () => boolean }

/**
 * Lets several watch one signal: each is told of every change. The signal itself, whose answer
 * costs something, is asked once while one callback of the event loop runs, however many ask.
 *
 * SECURITY: no longer than that. The next callback of the same turn may bring a request that was
 * sent after a change had been answered, for whatever ran in between may have taken its time.
 */
export function shareSignal(signal: ChangeSignal): () => ChangeSignal {
  let changes = 0
  let asked = false
  const ask = () => {
    if (asked) return
    asked = true
    queueMicrotask(() => {
      asked = false
    })
    if (signal.seen()) changes++
  }
  return () => {
    let told = changes
    return {
      seen: () => {
        ask()
        const isNew = told !== changes
        told = changes
        return isNew
      },
    }
  }
}
