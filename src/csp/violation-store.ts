import type { SeenViolation } from './violation.ts'

/** What was seen of one app. `dropped`: reports of further kinds, for which there was no room. */
export type SeenOfApp = {
  /** Most frequent first. */
  readonly violations: readonly SeenViolation[]
  readonly dropped: number
}

/** Violations to add to what is kept of one app. */
export type Harvest = {
  readonly app: string
  readonly violations: readonly SeenViolation[]
  /** Reports for which there was no room before the store either. */
  readonly dropped: number
}

/** Where violations last, one entry for each app, directive and blocked source. */
export type ViolationStore = {
  /**
   * Adds all of it in one step. The first page of an entry stays; its counts add up. A new entry is
   * made while the app has fewer than `room`; after that its reports count as dropped.
   */
  readonly add: (harvest: readonly Harvest[], room: number) => Promise<void>
  readonly ofApp: (app: string) => Promise<SeenOfApp>
  /** Forgets everything about the app; gives how many kinds of violation that were. */
  readonly clear: (app: string) => Promise<number>
}
