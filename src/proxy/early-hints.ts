import type { ServerResponse } from 'node:http'
import type { ReceivedFields } from './response-headers.ts'

/** What is relayed of one interim answer, in characters. */
const MAX_HINTS = 4_096

/**
 * Relays the `Link` fields of an app's `103 Early Hints` (RFC 8297 2), and nothing else of it: the
 * final answer alone says what holds. A client of HTTP/1.0 gets none (RFC 9110 15.2).
 */
export function relayHints(received: ReceivedFields, res: ServerResponse): void {
  if (res.req.httpVersion === '1.0' || res.headersSent) return
  const links: string[] = []
  for (let i = 0; i + 1 < received.length; i += 2) {
    if (String(received[i]).toLowerCase() === 'link') links.push(String(received[i + 1]))
  }
  if (links.length === 0 || links.join().length > MAX_HINTS) return
  try {
    res.writeEarlyHints({ link: links })
  } catch {
    // Not a link as RFC 8288 writes one: a hint that is not worth a fault.
  }
}
