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

/** What a log line says of a visit. The query is left out: it may hold secrets. */
export function visitForLog(visit: Visit): Readonly<Record<string, string>> {
  return {
    request_id: visit.requestId,
    client_ip: visit.client.address,
    method: visit.method,
    host: visit.host.name,
    path: (visit.target.split('?', 1)[0] ?? '').slice(0, 512),
  }
}
