/** Enough for what is in use; a flood of others only costs its senders the computation. */
const REMEMBERED = 512
const LONGEST_REMEMBERED = 64

/**
 * Remembers what a pure function gave for short texts that come again and again, such as header
 * names, hosts and addresses. Memory is bounded whatever texts arrive.
 */
export function remember<Result extends NonNullable<unknown>>(
  compute: (text: string) => Result,
): (text: string) => Result {
  const results = new Map<string, Result>()
  return (text) => {
    const known = results.get(text)
    if (known !== undefined) return known
    const result = compute(text)
    if (text.length <= LONGEST_REMEMBERED) {
      if (results.size >= REMEMBERED) results.clear()
      results.set(text, result)
    }
    return result
  }
}
