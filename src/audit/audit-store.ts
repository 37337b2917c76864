import type { UserId } from '../identity/principal.ts'
import type { AuditEvent } from './audit.ts'

export type AuditOutcome = AuditEvent['outcome']

/** One audit event as it is kept. Empty text stands for "unknown". */
export type AuditRow = {
  /** Its place in the store, growing; absent before it is there. */
  readonly id?: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly event: string
  readonly outcome: string
  readonly reason: string
  /** Reference of the request, as pages show it, e.g. `7F3K-2Q9D`. */
  readonly requestId: string
  readonly clientIp: string
  readonly userId: string
  readonly userName: string
  /** Session id; it opens nothing. */
  readonly session: string
  readonly userAgent: string
  /** What else this kind of event says, by name. */
  readonly details: Readonly<Record<string, string>>
}

export type AuditQuery = {
  readonly userId?: UserId
  /** Canonical name, for events about names that are no account. */
  readonly userName?: string
  readonly event?: string
  readonly requestId?: string
  /** From this instant on. */
  readonly since?: number
  /** Up to this instant, itself not among them. */
  readonly until?: number
  /** Those that came before the row with this id. */
  readonly before?: number
  /** How many at most, newest first. */
  readonly limit: number
}

/** How much is kept. */
export type AuditRoom = {
  /** What is older than this instant goes. */
  readonly before: number
  /** How many rows of each outcome stay; the oldest go first. */
  readonly each: Readonly<Record<AuditOutcome, number>>
}

/** Where audit events are kept. */
export type AuditStore = {
  readonly add: (rows: readonly AuditRow[]) => Promise<void>
  /** Newest first. */
  readonly find: (query: AuditQuery) => Promise<readonly AuditRow[]>
  /** Removes what there is no room for; gives how many. */
  readonly trim: (room: AuditRoom) => Promise<number>
}
