const MAX_LENGTH = 48

/**
 * The candidate that is most like `word`, for "did you mean"; `undefined` when none is near:
 * it must begin like one of them alone, or differ in at most a third of its letters. Case, `-` and `_` do not count as differences.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > MAX_LENGTH) return undefined
  const folded = fold(word)
  const begun = folded.length < 3 ? [] : candidates.filter((one) => fold(one).startsWith(folded))
  if (begun.length === 1) return begun[0]
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const distance = editDistance(folded, fold(candidate))
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return least <= Math.max(1, Math.floor(folded.length / 3)) ? best : undefined
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '')
}

/** Levenshtein distance in which swapping two neighbours is one step. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length] ?? 0
}
