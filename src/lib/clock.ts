/** The only source of the time of day, so that tests can move it. */
export type Clock = {
  /** Milliseconds since the Unix epoch, UTC. */
  readonly now: () => number
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => Date.now() }
