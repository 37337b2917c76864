import type { Clock } from '../lib/clock.ts'
import { DAY, type Milliseconds } from '../lib/duration.ts'
import type { ActivityLog } from './activity.ts'
import type { Audit, AuditContext, AuditEvent } from './audit.ts'
import type { AuditRow, AuditStore } from './audit-store.ts'

/** Keeps audit events, so that one can be found again by the reference on a page. */
export type AuditTrail = {
  /** Takes an event; it is in the store after the next `flush`. Returns at once, never throws. */
  readonly note: Audit
  /**
   * Brings what was noted to the store; it is kept for the next time when the store does not take
   * it. @throws AppError `store_unavailable`
   */
  readonly flush: () => Promise<void>
  /** Removes what is too old or too much. */
  readonly sweep: () => Promise<number>
  readonly activity: ActivityLog
}

export type AuditTrailOptions = {
  readonly keepFor?: Milliseconds
  /**
   * Events that wait for the next flush, successes tenfold; what comes on top of them is counted,
   * not kept.
   */
  readonly waiting?: number
  /** Rows kept of each outcome that anybody can cause. */
  readonly refusals?: number
  /** Rows kept that it takes an account to cause. */
  readonly successes?: number
}

/** Rows written in one step: the engine works on the event loop's own thread. */
const AT_ONCE = 200
const LONGEST_PATH = 256
/** Times as many events may wait of those that it takes an account to cause. */
const ROOM_OF_SUCCESSES = 10

/**
 * SECURITY: a stranger can cause refusals and failures without end. They wait in a bounded list,
 * are written a few hundred at a time, and have room of their own in the store, so that they push
 * out each other and nothing else.
 */
export function createAuditTrail(
  deps: { readonly store: AuditStore; readonly clock: Clock },
  options: AuditTrailOptions = {},
): AuditTrail {
  const { store, clock } = deps
  const { keepFor = 400 * DAY, waiting = 2000, refusals = 50_000, successes = 500_000 } = options
  let queue: AuditRow[] = []
  let dropped = 0
  let flushing: Promise<void> | undefined

  const bring = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.slice(0, AT_ONCE)
      await store.add(batch)
      queue = queue.slice(batch.length)
    }
    if (dropped === 0) return
    const count = dropped
    await store.add([
      { ...EMPTY, at: clock.now(), event: 'audit.dropped', details: { count: `${count}` } },
    ])
    dropped -= count
  }
  const flush = () => {
    flushing ??= bring().finally(() => {
      flushing = undefined
    })
    return flushing
  }

  return {
    note: (event, context) => {
      const room = event.outcome === 'success' ? waiting * ROOM_OF_SUCCESSES : waiting
      if (queue.length >= room) dropped += 1
      else queue.push(auditRow(event, context, clock.now()))
    },
    flush,
    sweep: () =>
      store.trim({
        before: clock.now() - keepFor,
        each: { success: successes, failure: refusals, deny: refusals, limited: refusals },
      }),
    activity: async (userId, since, limit) => {
      await flush()
      const rows = await store.find({ userId, since, limit })
      return rows.map((row) => ({
        at: row.at,
        event: row.event,
        outcome: row.outcome,
        detail: row.details['detail'] ?? '',
        address: row.clientIp,
        userAgent: row.userAgent,
      }))
    },
  }
}

/** An event as it is kept: what every event has in columns, the rest by name. */
export function auditRow(event: AuditEvent, context: AuditContext, at: number): AuditRow {
  const { event: name, outcome, ...rest } = event
  const { reason = '', ...more } = rest as Readonly<Record<string, string | undefined>>
  const details = Object.entries(more).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value.slice(0, LONGEST_PATH)] as const] : [],
  )
  return {
    at,
    event: name,
    outcome,
    reason,
    requestId: context.requestId ?? '',
    clientIp: context.clientIp ?? '',
    userId: context.userId ?? '',
    userName: context.user ?? '',
    session: context.session ?? '',
    userAgent: context.userAgent ?? '',
    details: {
      ...Object.fromEntries(details),
      ...(context.by === undefined ? {} : { by: context.by }),
    },
  }
}

const EMPTY: AuditRow = {
  at: 0,
  event: '',
  outcome: 'success',
  reason: '',
  requestId: '',
  clientIp: '',
  userId: '',
  userName: '',
  session: '',
  userAgent: '',
  details: {},
}
