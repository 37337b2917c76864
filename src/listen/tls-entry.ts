import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import {
  type CertificateNews,
  type CertificateOptions,
  createCertificates,
  REFRESH_EVERY,
} from './certificates.ts'

/** Takes TLS off connections. */
export type TlsEntry = {
  /** Calls `ready` when the client has been told who we are; closes the connection otherwise. */
  readonly secure: (socket: Socket, ready: (socket: TLSSocket) => void) => void
  readonly close: () => void
}

/** From the first byte to the end of the handshake. */
const HANDSHAKE_TIME: Milliseconds = 10 * SECOND

/**
 * HTTP/1.1 over TLS 1.2 or newer, certificates by the name the client asks for (RFC 6066 3),
 * renewed when their files change.
 *
 * @throws AppError `listen_failed` for files that cannot be used
 */
export async function createTlsEntry(
  deps: { readonly report: (news: CertificateNews) => void },
  options: CertificateOptions,
): Promise<TlsEntry> {
  const certificates = await createCertificates(deps, options)
  let busy = false
  const watch = setInterval(() => {
    if (busy) return
    busy = true
    certificates
      .refresh()
      .catch((error) => {
        deps.report({ kind: 'kept', file: '', reason: String(error) })
      })
      .finally(() => {
        busy = false
      })
  }, REFRESH_EVERY)
  watch.unref()
  return {
    secure: (socket, ready) => {
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: certificates.contextFor(undefined),
        ALPNProtocols: ['http/1.1'],
        SNICallback: (name, choose) => {
          // SECURITY: what is thrown here would end the process (CVE-2026-21637).
          try {
            choose(null, certificates.contextFor(name))
          } catch (error) {
            choose(error instanceof Error ? error : new Error('no certificate'))
          }
        },
      })
      const late = setTimeout(() => secure.destroy(), HANDSHAKE_TIME)
      const abandon = () => {
        clearTimeout(late)
        secure.destroy()
      }
      secure.once('close', () => clearTimeout(late))
      secure.on('error', abandon)
      // NOTE: the socket may be half open, so that a client that leaves here would not close it.
      secure.on('end', abandon)
      secure.once('secure', () => {
        clearTimeout(late)
        secure.off('error', abandon)
        secure.off('end', abandon)
        ready(secure)
      })
    },
    close: () => clearInterval(watch),
  }
}
