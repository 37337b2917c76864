import type { UserId } from '../identity/principal.ts'

/** One thing that happened to an account, as its owner is shown it. */
export type Activity = {
  readonly at: number
  /** An event's name, e.g. `auth.password`. */
  readonly event: string
  readonly outcome: string
  readonly detail: string
  readonly address: string
  readonly userAgent: string
}

/** What happened to an account, newest first. */
export type ActivityLog = (
  userId: UserId,
  since: number,
  limit: number,
) => Promise<readonly Activity[]>
