/**
 * `compute`, remembering its last answer: what comes with a request is asked for a few times in a
 * row. `undefined` is no answer, and is asked for again.
 */
export function rememberLast<Result>(compute: (text: string) => Result): (text: string) => Result {
  let last: { readonly text: string; readonly result: Result } | undefined
  return (text) => {
    if (last?.text === text) return last.result
    const result = compute(text)
    if (result !== undefined) last = { text, result }
    return result
  }
}
