import type { Socket } from 'node:net'
import { type NetworkSet, networkSet } from '../lib/network.ts'

/** Stands for whoever connected to a Unix socket: it has no address. A word of `trusted_proxies`. */
export const UNIX_PEER = 'unix'
/** Stands for a source that a PROXY header does not name by an address. It is never trusted. */
export const UNKNOWN_PEER = 'unknown'

const PEER: unique symbol = Symbol('peer')
type Marked = { [PEER]?: string }

/**
 * Who is at the other end of a connection: an address, `unix` or `unknown`; `undefined` once it
 * is closed. The only place where the entry and the request handlers agree on it.
 */
export function peerOf(socket: Socket & Marked): string | undefined {
  return socket[PEER] ?? socket.remoteAddress
}

/** Says who is at the other end where the connection itself does not know. */
export function setPeer(socket: Socket & Marked, peer: string): void {
  socket[PEER] = peer
}

/** The peers that are believed: addresses and networks, and `unix` for those of Unix sockets. */
export function trustedPeers(trusted: readonly string[]): NetworkSet {
  const networks = networkSet(trusted.filter((one) => one !== UNIX_PEER))
  const unix = trusted.includes(UNIX_PEER)
  return {
    size: trusted.length,
    has: (peer) => (peer === UNIX_PEER ? unix : networks.has(peer)),
  }
}
