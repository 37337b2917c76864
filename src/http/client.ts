import { canonicalAddress, type NetworkSet } from '../lib/network.ts'
import { UNIX_PEER } from './peer.ts'
import { headerValues, type RawHeaders } from './raw-headers.ts'

/** Who sent the request, as far as it can be believed. */
export type Client = {
  /** Canonical address. */
  readonly address: string
  /** Whether the peer that connected to us is a configured proxy. */
  readonly throughProxy: boolean
}

/**
 * Decides once, at the entry, what forwarded headers are worth.
 * @param peer as `peerOf` gives it
 */
export type ClientLocator = (peer: string | undefined, headers: RawHeaders) => Client

/** Stands for a peer without an address. It is in no network and shares one budget. */
const NOWHERE = '0.0.0.0'

/**
 * `X-Forwarded-For` is believed only when the peer is in `trusted`, and is then read from the
 * right: the first hop that is not itself a trusted proxy is the client. A hop that is no address
 * ends the search at the last good one, so nonsense never reaches further than the proxy that
 * passed it on.
 *
 * SECURITY: `Forwarded` (RFC 7239) is not read, not even where it stands alone: of two headers that
 * say the same thing, a proxy rewrites one and passes the other on as the client wrote it.
 */
export function createClientLocator(trusted: NetworkSet): ClientLocator {
  return (peer, headers) => {
    const known = peer === UNIX_PEER ? peer : canonicalAddress(peer ?? '')
    const socket = known === undefined || known === UNIX_PEER ? NOWHERE : known
    if (trusted.size === 0 || known === undefined || !trusted.has(known)) {
      return { address: socket, throughProxy: false }
    }
    return { address: forwardedFor(headers, socket, trusted), throughProxy: true }
  }
}

function forwardedFor(headers: RawHeaders, socket: string, trusted: NetworkSet): string {
  const values = headerValues(headers, 'x-forwarded-for')
  let address = socket
  for (let v = values.length - 1; v >= 0; v--) {
    let end = values[v]?.length ?? 0
    while (end >= 0) {
      const text = values[v] ?? ''
      const start = text.lastIndexOf(',', end - 1)
      const hop = canonicalAddress(text.slice(start + 1, end).replace(/^[ \t]+|[ \t]+$/g, ''))
      if (hop === undefined) return address
      address = hop
      if (!trusted.has(hop)) return address
      if (start < 0) break
      end = start
    }
  }
  return address
}
