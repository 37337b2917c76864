import type { Clock } from '../lib/clock.ts'
import { type Milliseconds, SECOND } from '../lib/duration.ts'

/** How long a place is left alone after it could not be reached; doubled each time in a row. */
const FIRST_REST: Milliseconds = SECOND
const LONGEST_REST: Milliseconds = 30 * SECOND
/** Counting further would change nothing. */
const MOST_FAILURES = 6

/**
 * What is known of a place that requests go to. One that could not be reached is left alone for a
 * while that grows; then one request finds out, and a connection that comes about clears it.
 */
export class Standing {
  readonly #clock: Clock
  readonly #onChange: (up: boolean) => void
  #failures = 0
  #failedAt = 0
  /** A request is finding out whether it can be reached again. */
  #onTrial = false
  /** The last health check failed. */
  #sick = false
  #told = true

  /** @param onChange called when it becomes known that the place is down, or up again */
  constructor(clock: Clock, onChange: (up: boolean) => void = () => {}) {
    this.#clock = clock
    this.#onChange = onChange
  }

  get isUp(): boolean {
    return !this.#sick && this.rest === 0
  }

  /** How much longer it is left alone; 0 when it may be tried. */
  get rest(): Milliseconds {
    if (this.#failures === 0) return 0
    const whole = Math.min(FIRST_REST * 2 ** (this.#failures - 1), LONGEST_REST)
    const gone = this.#clock.now() - this.#failedAt
    // A clock that was set back must not keep it out for longer.
    return gone < 0 ? 0 : Math.max(0, whole - gone)
  }

  /** Says that a request goes there. When it rested before, the others go on leaving it alone. */
  tried(): void {
    if (this.#failures === 0 || this.rest > 0) return
    this.#failedAt = this.#clock.now()
    this.#onTrial = true
  }

  /** No connection came about. Those that were under way together count as one. */
  unreachable(): void {
    if (this.#failures > 0 && !this.#onTrial) return
    this.#onTrial = false
    this.#failures = Math.min(this.#failures + 1, MOST_FAILURES)
    this.#failedAt = this.#clock.now()
    this.#tell()
  }

  /** A connection came about, or a request went out over one that was kept. */
  reached(): void {
    if (this.#failures === 0) return
    this.#failures = 0
    this.#onTrial = false
    this.#tell()
  }

  /** What a health check found. */
  checked(healthy: boolean): void {
    this.#sick = !healthy
    if (healthy) {
      this.#failures = 0
      this.#onTrial = false
    }
    this.#tell()
  }

  #tell(): void {
    const up = !this.#sick && this.#failures === 0
    if (up === this.#told) return
    this.#told = up
    this.#onChange(up)
  }
}
