import type { Clock } from '../../src/lib/clock.ts'

/** A clock that moves only when told to. */
export type FakeClock = Clock & {
  /** Moves it forward by `ms` milliseconds and gives the new time. */
  readonly advance: (ms: number) => number
}

/** Starts at `start`, milliseconds since the epoch; 2026-01-05 09:00 UTC, a Monday, unless told. */
export function fakeClock(start: number = Date.UTC(2026, 0, 5, 9)): FakeClock {
  let now = start
  return {
    now: () => now,
    advance: (ms) => {
      now += ms
      return now
    },
  }
}
