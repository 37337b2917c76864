import type { Clock } from '../lib/clock.ts'
import { HOUR, type Milliseconds } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import type { SpentStore } from '../lib/spent.ts'

/**
 * A return target that we signed ourselves, so that nobody else can choose where a person lands
 * after signing in.
 */
export type ReturnTickets = {
  /** `url` must be absolute and on a configured host. A URL past 2 KiB gives its origin's `/`. */
  readonly issue: (url: string, reason?: ReturnReason) => string
  /** `undefined` when the ticket is not ours, was altered or is too old. It may be spent. */
  readonly read: (ticket: string) => ReturnTicket | undefined
  /**
   * Uses a ticket up in one step: `true` for exactly one caller, now and for as long as it could
   * be read.
   * @throws AppError `store_unavailable`
   */
  readonly spend: (ticket: ReturnTicket) => Promise<boolean>
}

/**
 * Why there is a ticket. `refused`: a person who followed a link was not let in, and would be
 * with a session. `interrupted`: a form was refused that waits in another tab, so one is led to that
 * site and not to the form's address. `asked`: anything else.
 */
export type ReturnReason = 'refused' | 'interrupted' | 'asked'

export type ReturnTicket = {
  /** Unique; 128 random bits. */
  readonly id: string
  readonly url: string
  readonly reason: ReturnReason
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
}

const REASONS = ['refused', 'interrupted', 'asked'] as const satisfies readonly ReturnReason[]

/** Bytes of a URL that a person is led back to. With its ticket it stays below 3 KiB. */
export const MAX_RETURN_URL = 2048

/** Long enough for a login page left open over a meeting. */
const LIFETIME: Milliseconds = 12 * HOUR

export function createReturnTickets(deps: {
  readonly sign: (text: string) => string
  readonly verify: (text: string, signature: string) => boolean
  readonly spent: Pick<SpentStore, 'spend'>
  readonly clock: Clock
}): ReturnTickets {
  return {
    issue: (url, reason = 'asked') => {
      const target = Buffer.byteLength(url) <= MAX_RETURN_URL ? url : `${new URL(url).origin}/`
      const text = `${deps.clock.now()} ${randomToken(16)} ${reason} ${target}`
      const body = Buffer.from(text).toString('base64url')
      return `${body}.${deps.sign(body)}`
    },
    read: (ticket) => {
      if (ticket.length > 4096 || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(ticket)) return undefined
      const [body = '', signature = ''] = ticket.split('.')
      if (!deps.verify(body, signature)) return undefined
      const text = Buffer.from(body, 'base64url').toString()
      const [, issued, id = '', reason, url = ''] = /^(\d+) (\S+) (\S+) (.+)$/s.exec(text) ?? []
      const issuedAt = Number(issued)
      if (!(deps.clock.now() <= issuedAt + LIFETIME)) return undefined
      return { id, url, reason: REASONS.find((known) => known === reason) ?? 'asked', issuedAt }
    },
    spend: ({ id, issuedAt }) => deps.spent.spend('return', id, issuedAt + LIFETIME + 1),
  }
}
