/** Tells `true` once after each change. */
export type ChangeSignal = { readonly seen: () => boolean }

/**
 * Lets several watch one signal: each is told of every change. The signal itself, whose answer
 * costs something, is asked once in a turn of the event loop, however many ask: what was asked in
 * the same turn came in before any answer to a later change.
 */
export function shareSignal(signal: ChangeSignal): () => ChangeSignal {
  let changes = 0
  let asked = false
  const ask = () => {
    if (asked) return
    asked = true
    setImmediate(() => {
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
