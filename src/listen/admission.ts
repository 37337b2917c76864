import { type NetworkSet, networkKey } from '../lib/network.ts'

/** How many connections are held at once. */
export type ConnectionLimits = {
  /** All together. */
  readonly connections: number
  /** From one IPv4 address, or one IPv6 /64; trusted proxies are not counted. */
  readonly connectionsPerAddress: number
}

/** Counts the open connections, all of them and by address. */
export type Admission = {
  /** Takes one of all the places; `false` when none is left. To be given back with `leave`. */
  readonly arrive: () => boolean
  readonly leave: () => void
  /**
   * Takes one of the peer's places; gives what returns it, or `undefined` when none is left.
   * @param peer as `peerOf` gives it
   */
  readonly enter: (peer: string) => (() => void) | undefined
}

/** Memory is bounded by the connections that are open. */
export function createAdmission(
  deps: { readonly trusted: NetworkSet },
  limits: ConnectionLimits,
): Admission {
  let open = 0
  const counts = new Map<string, number>()
  return {
    arrive: () => {
      if (open >= limits.connections) return false
      open++
      return true
    },
    leave: () => {
      open--
    },
    enter: (peer) => {
      if (deps.trusted.has(peer)) return nothing
      const key = networkKey(peer)
      const count = counts.get(key) ?? 0
      if (count >= limits.connectionsPerAddress) return undefined
      counts.set(key, count + 1)
      return () => {
        const left = (counts.get(key) ?? 1) - 1
        if (left > 0) counts.set(key, left)
        else counts.delete(key)
      }
    },
  }
}

function nothing(): void {}
