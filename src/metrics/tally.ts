/** Counts by up to three labels. Adding is a few look-ups and an addition; nothing is built. */
export type Tally = {
  readonly add: (a: string, b?: string, c?: string, by?: number) => void
  readonly each: (visit: (labels: readonly [string, string, string], count: number) => void) => void
}

/** More than any configuration has; so that a bug in a label cannot fill the memory. */
const MAX_SERIES = 20_000

type Cell = { count: number }
type Level<Below> = Map<string, Below>

export function createTally(maxSeries = MAX_SERIES): Tally {
  const root: Level<Level<Level<Cell>>> = new Map()
  let series = 0
  const cellOf = (a: string, b: string, c: string): Cell | undefined => {
    const known = root.get(a)?.get(b)?.get(c)
    if (known !== undefined) return known
    if (series >= maxSeries) return undefined
    series++
    const cell = { count: 0 }
    const second: Level<Level<Cell>> = root.get(a) ?? new Map()
    const third: Level<Cell> = second.get(b) ?? new Map()
    root.set(a, second.set(b, third.set(c, cell)))
    return cell
  }
  return {
    add: (a, b = '', c = '', by = 1) => {
      const cell = cellOf(a, b, c)
      if (cell !== undefined) cell.count += by
    },
    each: (visit) => {
      for (const [a, second] of root) {
        for (const [b, third] of second) {
          for (const [c, { count }] of third) visit([a, b, c], count)
        }
      }
    },
  }
}
