import { canonicalNetwork } from '../lib/cidr.ts'

/** A network that is kept out for a while. */
export type Ban = {
  /** CIDR notation as `banNetwork` gives it. */
  readonly network: string
  /** The operator's words; empty when there are none. */
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly endsAt: number
}

/** Where bans are kept. Every method is durable on disk when its promise resolves. */
export type BanStore = {
  /**
   * Adds the ban or puts it in the place of the one for the same network, and forgets those that
   * are over, in one step. `full`: there are `max` others in force, and nothing changed.
   */
  readonly add: (ban: Ban, max: number) => Promise<'added' | 'replaced' | 'full'>
  /** Those in force at `now`, the latest end first, at most `max`. */
  readonly list: (now: number, max: number) => Promise<readonly Ban[]>
  /** `false`: there was none in force. */
  readonly lift: (network: string, now: number) => Promise<boolean>
  /** Forgets those that are over; gives how many. */
  readonly removeEnded: (now: number) => Promise<number>
}

/** More would be a firewall's work. */
export const MAX_BANS = 10_000

/** Longest reason that is kept, in characters. */
export const MAX_REASON = 200

/**
 * The network that a ban of this address or network keeps out, in CIDR notation; `undefined` when
 * it is neither. An IPv6 address stands for its /64, as it does for the limits: a host changes
 * within it at will (RFC 6177). A network is taken as it is written.
 */
export function banNetwork(text: string): string | undefined {
  const alone = canonicalNetwork(text)
  if (alone === undefined) return undefined
  if (text.includes('/') || alone.family === 4) return alone.text
  return canonicalNetwork(`${text.split('%', 1)[0]}/64`)?.text
}
