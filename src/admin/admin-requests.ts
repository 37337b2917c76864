import { isIP } from 'node:net'
import { type Answer, plainAnswer } from '../http/answer.ts'
import { parseHost } from '../http/host.ts'
import { headerValues, type RawHeaders, singleHeader } from '../http/raw-headers.ts'

/** A request to the operator's listener, as far as it is judged. */
export type AdminRequest = {
  readonly method: string
  /** Path and query as received. */
  readonly target: string
  readonly headers: RawHeaders
}

/** Answers the operator's programs. Never throws. */
export type AdminRequests = (request: AdminRequest) => Promise<Answer>

/**
 * `GET /metrics` and the health probes. Whoever reaches the listener is answered, so it is meant
 * for loopback or a private network; what a browser there can be made to ask is refused:
 *
 * - a `Host` that is neither an address, `localhost` nor one of `hosts`. A page whose name was
 *   re-pointed here (DNS rebinding) still sends its own name.
 * - a request that a page made (`Sec-Fetch-Mode`), but for a person who opens it in a tab.
 *
 * @param options.hosts further names it may be asked under, canonical
 */
export function createAdminRequests(
  deps: {
    readonly scrape: () => Promise<{ readonly contentType: string; readonly body: string }>
    readonly health: (path: string) => Promise<Answer> | undefined
  },
  options: { readonly hosts: readonly string[] },
): AdminRequests {
  const known: ReadonlySet<string> = new Set(['localhost', ...options.hosts])
  return async ({ method, target, headers }) => {
    const field = singleHeader(headers, 'host')
    const host = field.kind === 'one' ? parseHost(field.value) : undefined
    if (host === undefined || (isIP(host.name) === 0 && !known.has(host.name))) return WRONG_HOST
    if (!mayAsk(headers)) return FROM_A_PAGE
    const [path = ''] = target.split('?', 1)
    const probe = deps.health(path)
    if (path !== '/metrics' && probe === undefined) return NOT_FOUND
    if (method !== 'GET' && method !== 'HEAD') return NOT_ALLOWED
    try {
      if (probe !== undefined) return await probe
      const { contentType, body } = await deps.scrape()
      return {
        status: 200,
        headers: [
          ['Content-Type', contentType],
          ['Cache-Control', 'no-store'],
          ['X-Content-Type-Options', 'nosniff'],
          // No other page may embed it either.
          ['Cross-Origin-Resource-Policy', 'same-origin'],
        ],
        body,
      }
    } catch {
      return FAILED
    }
  }
}

/** Programs send no fetch metadata; browsers always do on a trustworthy origin, loopback included. */
function mayAsk(headers: RawHeaders): boolean {
  const modes = headerValues(headers, 'sec-fetch-mode')
  if (modes.length === 0) return headerValues(headers, 'origin').length === 0
  const sites = headerValues(headers, 'sec-fetch-site')
  const destinations = headerValues(headers, 'sec-fetch-dest')
  return (
    modes.every((mode) => mode === 'navigate') &&
    sites.length > 0 &&
    sites.every((site) => site === 'same-origin' || site === 'none') &&
    destinations.every((destination) => destination === 'document')
  )
}

const WRONG_HOST = plainAnswer(421, 'Ask by address, or list this name under listen.admin_hosts.\n')
const FROM_A_PAGE = plainAnswer(403, 'Not for pages.\n')
const NOT_FOUND = plainAnswer(404, 'There are /metrics, /livez and /readyz.\n')
const FAILED = plainAnswer(500, 'The metrics could not be collected.\n')
const NOT_ALLOWED: Answer = {
  ...plainAnswer(405, 'GET only.\n'),
  headers: [...plainAnswer(405, '').headers, ['Allow', 'GET, HEAD']],
}
