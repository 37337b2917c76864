import type { Clock } from '../lib/clock.ts'
import { HOUR, type Milliseconds } from '../lib/duration.ts'

/**
 * A return target that we signed ourselves, so that nobody else can choose where a person lands
 * after signing in.
 */
export type ReturnTickets = {
  /** `url` must be absolute and on a configured host. A URL past 1.5 KiB gives its origin's `/`. */
  readonly issue: (url: string) => string
  /** The URL, or `undefined` when the ticket is not ours, was altered or is too old. */
  readonly read: (ticket: string) => string | undefined
}

/** Long enough for a login page left open over a meeting. */
const LIFETIME: Milliseconds = 12 * HOUR
const MAX_URL = 1536

export function createReturnTickets(deps: {
  readonly sign: (text: string) => string
  readonly verify: (text: string, signature: string) => boolean
  readonly clock: Clock
}): ReturnTickets {
  return {
    issue: (url) => {
      const target = url.length <= MAX_URL ? url : `${new URL(url).origin}/`
      const expires = Math.floor((deps.clock.now() + LIFETIME) / 1000)
      const body = Buffer.from(`${expires} ${target}`).toString('base64url')
      return `${body}.${deps.sign(body)}`
    },
    read: (ticket) => {
      if (ticket.length > 4096 || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(ticket)) return undefined
      const [body = '', signature = ''] = ticket.split('.')
      if (!deps.verify(body, signature)) return undefined
      const text = Buffer.from(body, 'base64url').toString()
      const space = text.indexOf(' ')
      if (deps.clock.now() > Number(text.slice(0, space)) * 1000) return undefined
      return text.slice(space + 1)
    },
  }
}
