import type { Socket } from 'node:net'
import { peerOf, setPeer, UNIX_PEER, UNKNOWN_PEER } from '../http/peer.ts'
import { MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import type { NetworkSet } from '../lib/network.ts'
import type { Admission } from './admission.ts'
import { readPreface } from './proxy-preface.ts'
import type { ProxySource } from './proxy-protocol.ts'
import type { Refusal } from './refusals.ts'
import type { TlsEntry } from './tls-entry.ts'

/** The way of every connection from its acceptance to the first byte of HTTP. */
export type Entrance = {
  /** Calls `serve` when HTTP starts, and closes the connection when it never does. */
  readonly admit: (socket: Socket, serve: (socket: Socket) => void) => void
  /** Closes what has not come to HTTP yet. */
  readonly abandon: () => void
}

/** To send a PROXY header, which a proxy does in its first packet. */
const PREFACE_TIME: Milliseconds = 5 * SECOND

/**
 * A place → the PROXY header → a place of the client's → TLS. Who the peer is stands fast from
 * then on: `peerOf` gives it.
 */
export function createEntrance(
  deps: {
    readonly admission: Admission
    readonly trusted: NetworkSet
    readonly refused: (reason: Refusal, address: string) => void
    readonly tls?: TlsEntry
  },
  options: { readonly proxyProtocol: boolean; readonly isUnix: boolean },
): Entrance {
  const { admission, refused, tls } = deps
  const entering = new Set<Socket>()

  const refuse = (socket: Socket, reason: Refusal, peer: string) => {
    socket.destroy()
    refused(reason, peer)
  }

  const take = (socket: Socket, serve: (socket: Socket) => void) => {
    const peer = peerOf(socket)
    if (peer === undefined) return socket.destroy()
    const leave = admission.enter(peer)
    if (leave === undefined) return refuse(socket, 'connections_per_address', peer)
    socket.once('close', leave)
    if (tls === undefined) return serve(socket)
    wait(socket)
    tls.secure(socket, (secure) => {
      entering.delete(socket)
      setPeer(secure, peer)
      serve(secure)
    })
  }

  const wait = (socket: Socket) => {
    entering.add(socket)
    socket.once('close', () => entering.delete(socket))
  }

  /** The header is demanded of those who may send one, and nobody else gets in. */
  const unwrap = (socket: Socket, serve: (socket: Socket) => void) => {
    const proxy = peerOf(socket)
    if (proxy === undefined) return socket.destroy()
    if (!deps.trusted.has(proxy)) return refuse(socket, 'proxy_protocol_untrusted', proxy)
    wait(socket)
    readPreface(socket, PREFACE_TIME, (preface) => {
      entering.delete(socket)
      if (preface.kind === 'gone') return socket.destroy()
      if (preface.kind !== 'source') return refuse(socket, 'proxy_protocol_invalid', proxy)
      setPeer(socket, sourcePeer(preface.source, proxy))
      take(socket, serve)
    })
  }

  return {
    admit: (socket, serve) => {
      // An error ends the connection, which is all there is to know before HTTP listens to it.
      socket.on('error', ignore)
      if (options.isUnix) setPeer(socket, UNIX_PEER)
      if (!admission.arrive()) return refuse(socket, 'connections', peerOf(socket) ?? '')
      socket.once('close', admission.leave)
      if (!options.isUnix) {
        socket.setNoDelay(true)
        socket.setKeepAlive(true, MINUTE)
      }
      if (options.proxyProtocol) unwrap(socket, serve)
      else take(socket, serve)
    },
    abandon: () => {
      for (const socket of entering) socket.destroy()
    },
  }
}

/** What the proxy connects for itself is the proxy's own (health checks of its own). */
function sourcePeer(source: ProxySource, proxy: string): string {
  switch (source.kind) {
    case 'address':
      return source.address
    case 'local':
      return proxy
    default:
      return UNKNOWN_PEER
  }
}

function ignore(): void {}
