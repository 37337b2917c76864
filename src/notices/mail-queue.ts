import { hash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { DAY, HOUR, MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import type { Mail } from './mail.ts'
import type { MailSender, SendOutcome } from './mail-sender.ts'
import type { NoticeKind } from './notice.ts'

/** A mail that waits. */
export type QueuedMail = {
  readonly id: string
  /** Whose account it is about; empty: nobody's yet. */
  readonly userId: string
  readonly kind: NoticeKind
  readonly sealed: string
  readonly createdAt: number
  readonly nextTryAt: number
  readonly tries: number
}

/** Where mails wait. Every method is durable on disk when its promise resolves. */
export type MailQueueStore = {
  /**
   * Adds one and makes room for it, in one step: first the oldest that is no link goes, of its own
   * account where that has too many. `full`: nothing was changed, because only links could go, or
   * because its account has `mostOfKind` of this kind already.
   */
  readonly add: (
    mail: QueuedMail,
    limits: QueueLimits,
  ) => Promise<
    | { readonly kind: 'added'; readonly dropped: readonly Pick<QueuedMail, 'id' | 'kind'>[] }
    | { readonly kind: 'full' }
  >
  /**
   * Takes one that is due, links first, in one step: nobody else is given it before `until`, and
   * its `tries` has grown by one.
   */
  readonly claim: (now: number, until: number) => Promise<QueuedMail | undefined>
  /** Gives a claimed one back. */
  readonly postpone: (id: string, nextTryAt: number) => Promise<void>
  readonly remove: (id: string) => Promise<boolean>
  /** When the next one is due; `undefined` when none waits. */
  readonly nextDue: () => Promise<number | undefined>
  /** Those that were tried before, and are claimed by nobody, are due at `at` at the latest. */
  readonly bringForward: (at: number) => Promise<void>
}

export type QueueLimits = {
  readonly all: number
  readonly perUser: number
  readonly mostOfKind?: number
}

/** Writes what cannot be read in the table; `row` is the id it is kept under. */
export type Sealer = {
  readonly seal: (text: string, row: string) => string
  /** @throws when it was not sealed here */
  readonly open: (sealed: string, row: string) => string
}

export type MailQueue = {
  /** Writes it down and goes; `false` when there is no room. It is on disk when this resolves. */
  readonly put: (entry: MailEntry) => Promise<boolean>
  /** Takes back a mail that was put under this key. */
  readonly cancel: (key: string) => Promise<void>
  /** Hands over what is due. Joins the round that is under way. Never rejects. */
  readonly deliver: () => Promise<void>
  /** From now on mails are handed over as they come and as they are due. */
  readonly start: () => Promise<void>
  /** Ends; what is under way is given `grace` milliseconds. What is left waits on disk. */
  readonly stop: (grace: Milliseconds) => Promise<void>
}

export type MailEntry = {
  readonly kind: NoticeKind
  readonly userId: string
  readonly mail: Mail
  /** When what it says happened. */
  readonly at: number
  /** It is worth nothing afterwards; absent: after a day. */
  readonly keepUntil?: number
  /** Not sent before, and taken back under `key` until then. */
  readonly later?: { readonly key: string; readonly sendAt: number; readonly most: number }
}

/** All that wait, and those of one account. */
export const QUEUE_LIMITS: QueueLimits = { all: 1000, perUser: 20 }
const KEPT_FOR: Milliseconds = DAY
/** How long one waits after each try that failed; then always the last of these. */
const WAITS: readonly Milliseconds[] = [
  30 * SECOND,
  2 * MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
]
/** How long all wait when the server could not be reached. */
const PAUSES: readonly Milliseconds[] = [2 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE]
/** A mail that somebody took and did not finish is somebody else's after its time limit and this. */
const LEASE_MARGIN: Milliseconds = SECOND
/** What was broken off has this long to write down that it was. */
const ABORT_FOR: Milliseconds = 200
const LONGEST_SLEEP: Milliseconds = 10 * MINUTE

type Payload = Mail & { readonly at: number; readonly keepUntil: number }

type QueueLog = {
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}

/**
 * Mail on its way, in a table: it outlives the process, and two processes share it. Log lines hold
 * a mail's kind and id, never its address or a word of it.
 *
 * @param options.timeout how long one hand-over may take
 * @param options.limits how many may wait; `QUEUE_LIMITS` unless told
 */
export function createMailQueue(
  deps: {
    readonly store: MailQueueStore
    readonly sealer: Sealer
    readonly sender: MailSender
    readonly clock: Clock
    readonly log: QueueLog
    /** Asked once before a mail's first try; `false`: it is dropped without a word. */
    readonly mayGo?: (mail: Pick<QueuedMail, 'kind' | 'userId'>) => Promise<boolean>
  },
  options: { readonly timeout: Milliseconds; readonly limits?: QueueLimits },
): MailQueue {
  const { store, sealer, sender, clock, log } = deps
  const stopping = new AbortController()
  const lease = options.timeout + LEASE_MARGIN
  const limits = options.limits ?? QUEUE_LIMITS
  let started = false
  let round: Promise<void> | undefined
  let again = false
  let failures = 0
  let pausedUntil = 0
  let timer: NodeJS.Timeout | undefined

  const drop = async (mail: Pick<QueuedMail, 'id' | 'kind'>, reason: string, more = {}) => {
    await store.remove(mail.id)
    noteDropped(mail, reason, more)
  }
  const noteDropped = ({ id, kind }: Pick<QueuedMail, 'id' | 'kind'>, reason: string, more = {}) =>
    log.warn(
      { event: 'mail.dropped', outcome: 'failure', kind, id, reason, ...more },
      'mail.dropped',
    )

  const unseal = (mail: QueuedMail): Payload | undefined => {
    try {
      return JSON.parse(sealer.open(mail.sealed, mail.id)) as Payload // written by `put` below
    } catch {
      return undefined
    }
  }

  const handOver = async (row: QueuedMail): Promise<void> => {
    const payload = unseal(row)
    if (payload === undefined) return drop(row, 'unreadable')
    if (payload.keepUntil <= clock.now()) return drop(row, 'expired')
    if (row.tries === 1 && (await deps.mayGo?.(row)) === false) {
      await store.remove(row.id)
      return
    }
    const outcome = await sender.send({ ...payload, id: row.id }, stopping.signal)
    await settle(row, payload, outcome)
  }

  const settle = async (row: QueuedMail, payload: Payload, outcome: SendOutcome) => {
    const { id, kind } = row
    if (outcome.kind === 'sent') {
      failures = 0
      await store.remove(id)
      log.info({ event: 'mail.sent', outcome: 'success', kind, id }, 'mail.sent')
      return
    }
    if (outcome.kind === 'refused') return drop(row, 'refused', { code: outcome.code })
    const now = clock.now()
    const wait = WAITS[Math.min(row.tries, WAITS.length) - 1] ?? HOUR
    if (now + wait >= payload.keepUntil) await drop(row, 'expired')
    else await store.postpone(id, now + wait)
    const code = outcome.kind === 'put_off' ? { code: outcome.code } : {}
    log.warn(
      { event: 'mail.failed', outcome: 'failure', kind, id, reason: outcome.reason, ...code },
      'mail.failed',
    )
    if (outcome.kind === 'put_off') return
    // The others need not find out one by one.
    pausedUntil = now + (PAUSES[Math.min(failures, PAUSES.length - 1)] ?? MINUTE)
    failures += 1
  }

  const turn = async () => {
    do {
      again = false
      while (!stopping.signal.aborted && clock.now() >= pausedUntil) {
        const now = clock.now()
        const due = await store.nextDue()
        // A look costs nobody anything; taking one locks the table.
        if (due === undefined || due > now) break
        const row = await store.claim(now, now + lease)
        if (row === undefined) break
        await handOver(row)
      }
    } while (again && !stopping.signal.aborted && clock.now() >= pausedUntil)
  }

  const sleep = async () => {
    clearTimeout(timer)
    const due = await store.nextDue()
    if (due === undefined || stopping.signal.aborted) return
    const wait = Math.max(due, pausedUntil) - clock.now()
    timer = setTimeout(() => void deliver(), Math.min(Math.max(wait, 0) + 1, LONGEST_SLEEP))
    timer.unref()
  }

  const deliver = async (): Promise<void> => {
    if (stopping.signal.aborted) return
    if (round !== undefined) {
      again = true
      return round
    }
    round = turn()
      .then(() => (started ? sleep() : undefined))
      .catch((error) => {
        if (stopping.signal.aborted) return
        log.warn({ event: 'mail.deliver', outcome: 'error', err: error }, 'mail.deliver')
      })
      .finally(() => {
        round = undefined
      })
    return round
  }

  return {
    put: async (entry) => {
      const now = clock.now()
      const { later } = entry
      const id = later === undefined ? `mail_${randomToken(16)}` : idOf(later.key)
      const payload: Payload = {
        ...entry.mail,
        at: entry.at,
        keepUntil: entry.keepUntil ?? (later?.sendAt ?? now) + KEPT_FOR,
      }
      const mail: QueuedMail = {
        id,
        userId: entry.userId,
        kind: entry.kind,
        sealed: sealer.seal(JSON.stringify(payload), id),
        createdAt: now,
        nextTryAt: later?.sendAt ?? now,
        tries: 0,
      }
      const most = later === undefined ? {} : { mostOfKind: later.most }
      const outcome = await store.add(mail, { ...limits, ...most })
      if (outcome.kind === 'full') {
        if (later === undefined) noteDropped(mail, 'queue_full')
        return false
      }
      for (const gone of outcome.dropped) noteDropped(gone, 'queue_full')
      if (started) void (later === undefined ? deliver() : sleep().catch(() => undefined))
      return true
    },
    cancel: async (key) => {
      await store.remove(idOf(key))
    },
    deliver,
    start: async () => {
      // What failed is tried at once: an operator may have mended it, and started us again.
      started = true
      await store.bringForward(clock.now()).catch((error) => {
        log.warn({ event: 'mail.deliver', outcome: 'error', err: error }, 'mail.deliver')
      })
      void deliver()
    },
    stop: async (grace) => {
      started = false
      clearTimeout(timer)
      await withinLimit(round, grace)
      stopping.abort()
      await withinLimit(round, ABORT_FOR)
    },
  }
}

/** When the work is done or the time is up. */
async function withinLimit(work: Promise<void> | undefined, limit: Milliseconds): Promise<void> {
  if (work === undefined) return
  const enough = Promise.withResolvers<void>()
  const timer = setTimeout(enough.resolve, limit)
  await Promise.race([work, enough.promise])
  clearTimeout(timer)
}

/** The id of a mail that can be taken back; nobody sees the key in it. */
function idOf(key: string): string {
  return `mail_${hash('sha256', key, 'base64url').slice(0, 22)}`
}
