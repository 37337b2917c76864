/** Enough for the names in use; a flood of others only costs its senders the judgement. */
const REMEMBERED = 512
const LONGEST_REMEMBERED = 64

/**
 * Remembers what was judged of header names as received, which are few and come with every
 * message. Memory is bounded whatever names arrive.
 */
export function rememberNames<Verdict extends NonNullable<unknown>>(
  judge: (name: string) => Verdict,
): (name: string) => Verdict {
  const verdicts = new Map<string, Verdict>()
  return (name) => {
    const known = verdicts.get(name)
    if (known !== undefined) return known
    const verdict = judge(name)
    if (name.length <= LONGEST_REMEMBERED) {
      if (verdicts.size >= REMEMBERED) verdicts.clear()
      verdicts.set(name, verdict)
    }
    return verdict
  }
}
