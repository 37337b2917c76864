import type { IncomingMessage } from 'node:http'
import { type Answer, plainAnswer } from '../http/answer.ts'
import { type Host, parseHost } from '../http/host.ts'
import { singleHeader } from '../http/raw-headers.ts'

/** The answer to a request that came over plain HTTP; `undefined`: it is served all the same. */
export type HttpsOnly = (req: IncomingMessage) => Answer | undefined

/**
 * A GET or HEAD for a host of ours is redirected to HTTPS for good (RFC 9110 15.4.9). Anything else
 * has a body or an effect, and has crossed the network in clear already: it is refused, so that
 * whoever sent it notices, and nothing is done.
 *
 * @param deps.isOurs whether pages are served under this host
 * @param deps.isExempt whether a proxy or a probe asks
 * @param options.portalUrl origin of the portal; its port is that of every host
 */
export function createHttpsOnly(
  deps: {
    readonly isOurs: (host: Host) => boolean
    readonly isExempt: (req: IncomingMessage) => boolean
  },
  options: { readonly portalUrl: string },
): HttpsOnly {
  const { port } = new URL(options.portalUrl)
  const suffix = port === '' ? '' : `:${port}`
  return (req) => {
    const field = singleHeader(req.rawHeaders, 'host')
    const host = field.kind === 'one' ? parseHost(field.value) : undefined
    if (host === undefined || !deps.isOurs(host) || deps.isExempt(req)) return undefined
    const target = req.url ?? ''
    const mayFollow = req.method === 'GET' || req.method === 'HEAD'
    // A WebSocket follows no redirect, and an absolute target names a host of its own.
    if (!mayFollow || !target.startsWith('/') || req.headers.upgrade !== undefined) return REFUSED
    const name = host.name.includes(':') ? `[${host.name}]` : host.name
    return {
      status: 308,
      headers: [
        ['Location', `https://${name}${suffix}${target}`],
        // A browser that kept it could not be sent elsewhere when the port changes.
        ['Cache-Control', 'no-store'],
      ],
      body: '',
    }
  }
}

const REFUSED = plainAnswer(
  403,
  'Only https is served here. This request crossed the network in clear, and nothing was done.\n',
)
