import type { Socket } from 'node:net'
import type { Milliseconds } from '../lib/duration.ts'
import { type ProxySource, parseProxyHeader } from './proxy-protocol.ts'

/** How the start of a connection ended. */
export type Preface =
  | { readonly kind: 'source'; readonly source: ProxySource }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'late' }
  /** It was closed before the header was whole. */
  | { readonly kind: 'gone' }

/**
 * Takes the PROXY header off a connection. What follows it is put back, so that the next reader,
 * TLS or HTTP, starts there. Calls `done` exactly once.
 */
export function readPreface(
  socket: Socket,
  patience: Milliseconds,
  done: (preface: Preface) => void,
): void {
  let received: Buffer = Buffer.alloc(0)
  const settle = (preface: Preface) => {
    clearTimeout(timer)
    socket.off('readable', read)
    socket.off('end', gone)
    socket.off('close', gone)
    done(preface)
  }
  const gone = () => settle({ kind: 'gone' })
  const read = () => {
    // `null`: nothing is there, which is also what a closed connection gives before its `end`.
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const header = parseProxyHeader(received)
    if (header.kind === 'incomplete') return
    if (header.kind === 'invalid') return settle({ kind: 'invalid' })
    const rest = received.subarray(header.length)
    if (rest.length > 0) socket.unshift(rest)
    settle({ kind: 'source', source: header.source })
  }
  const timer = setTimeout(() => settle({ kind: 'late' }), patience)
  socket.on('readable', read)
  socket.on('end', gone)
  socket.on('close', gone)
}
