import type { Client } from './client.ts'
import type { RequestId } from './exchange.ts'
import type { Host } from './host.ts'
import type { RawHeaders } from './raw-headers.ts'
import type { Site } from './site.ts'

/** A request as judged: in proxy mode the one received, in forward-auth the one asked about. */
export type Visit = {
  readonly requestId: RequestId
  readonly client: Client
  readonly host: Host
  readonly site: Site
  /** Upper case. */
  readonly method: string
  /** Path and query as the client sent them. */
  readonly target: string
  readonly headers: RawHeaders
}

/** The absolute URL the visitor asked for. */
export function visitUrl(visit: Pick<Visit, 'site' | 'target'>): string {
  return `${visit.site.origin}${visit.target}`
}
