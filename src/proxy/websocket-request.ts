import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { headerValues, singleHeader } from '../http/raw-headers.ts'

/**
 * Whether a request asks for a WebSocket (RFC 6455 4.2.1). Everything else with an `Upgrade`,
 * h2c above all, is a plain request whose `Upgrade` is not passed on (RFC 9110 7.8).
 * Meant for the listener's `shouldUpgradeCallback`.
 */
export function asksForWebSocket(
  req: Pick<IncomingMessage, 'method' | 'httpVersion' | 'rawHeaders'>,
): boolean {
  const { rawHeaders } = req
  const upgrade = singleHeader(rawHeaders, 'upgrade')
  if (upgrade.kind !== 'one' || upgrade.value.toLowerCase() !== 'websocket') return false
  if (req.method !== 'GET' || req.httpVersion !== '1.1') return false
  const nominated = headerValues(rawHeaders, 'connection').join(',').toLowerCase().split(',')
  return (
    nominated.some((token) => token.trim() === 'upgrade') &&
    singleHeader(rawHeaders, 'sec-websocket-key').kind === 'one' &&
    singleHeader(rawHeaders, 'transfer-encoding').kind === 'absent' &&
    headerValues(rawHeaders, 'content-length').every((length) => /^0+$/.test(length))
  )
}

/**
 * Whether a page of this origin may open a WebSocket: browsers send cookies with the handshake
 * from any page (RFC 6455 10.2). Without `Origin` it was not a browser, and cookies are as much
 * proof as with any request.
 *
 * @param origin value of `Origin`, sent at most once
 * @param own the app's own origin, `https://wiki.example.fr`
 * @param others further origins, written the same way
 */
export function websocketOriginAllowed(
  origin: string | undefined,
  own: string,
  others: readonly string[],
): boolean {
  return origin === undefined || origin === own || others.includes(origin)
}

/** What `Sec-WebSocket-Accept` must be for a key (RFC 6455 4.2.2). */
export function acceptFor(key: string): string {
  return hash('sha1', `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64')
}
