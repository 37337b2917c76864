import { z } from 'zod'
import type { AuditQuery, AuditRow } from '../../audit/audit-store.ts'
import { foldName } from '../../lib/fold.ts'
import { parseReference } from '../../lib/reference.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { nextCursor, pageOf, pageQuery, readPage } from './paging.ts'

const TAG = 'Audit'

const entrySchema = z
  .object({
    at: instant,
    event: z.string(),
    outcome: z.string(),
    reason: z.string(),
    reference: z.string().describe('Of the request, as pages and problems show it'),
    address: z.string(),
    user: z.string(),
    user_id: z.string(),
    session: z.string(),
    user_agent: z.string(),
    details: z
      .record(z.string(), z.string())
      .describe('What else this kind of event says; `by`: the administrator who did it'),
  })
  .meta({ id: 'AuditEntry', description: 'Empty text: unknown' })

const time = z.iso.datetime({ offset: true }).max(40)

/** What happened. */
export function auditRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const { audit } = deps.admin
  return [
    apiRoute({
      method: 'GET',
      path: '/admin/audit',
      operationId: 'listAudit',
      tag: TAG,
      summary: 'List what happened, newest first',
      stage: 'admin',
      query: z.strictObject({
        user: z.string().max(128).optional().describe('Name of an account'),
        event: z.string().max(64).optional().describe('e.g. auth.password'),
        since: time.optional().describe('From this instant on (RFC 3339)'),
        until: time.optional().describe('Up to this instant, itself not among them'),
        ...pageQuery,
      }),
      answers: {
        200: {
          description: 'A page of events',
          schema: z.object({ events: z.array(entrySchema), next_cursor: nextCursor }),
        },
      },
      handle: async ({ query }) => {
        const { after, limit } = readPage(query)
        await audit.flush()
        const wanted: AuditQuery = {
          limit: limit + 1,
          ...(query.user === undefined ? {} : { userName: foldName(query.user) }),
          ...(query.event === undefined ? {} : { event: query.event }),
          ...(query.since === undefined ? {} : { since: Date.parse(query.since) }),
          ...(query.until === undefined ? {} : { until: Date.parse(query.until) }),
          ...(/^[0-9]{1,15}$/.test(after) ? { before: Number(after) } : {}),
        }
        const { items, more } = pageOf(await audit.find(wanted), limit, ({ id = 0 }) => `${id}`)
        return { kind: 'json', status: 200, body: { events: items.map(answer), ...more } }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/admin/audit/{reference}',
      operationId: 'explainReference',
      tag: TAG,
      summary: 'List what happened in the request of this reference, oldest first',
      description: 'For somebody who calls with the reference that a page showed.',
      stage: 'admin',
      answers: {
        200: {
          description: 'Its events',
          schema: z.object({ events: z.array(entrySchema) }),
        },
      },
      problems: ['not_found'],
      handle: async ({ params }) => {
        const requestId = parseReference(params['reference'] ?? '')
        if (requestId === undefined) return refuse('not_found')
        await audit.flush()
        const rows = await audit.find({ requestId, limit: 100 })
        if (rows.length === 0) return refuse('not_found')
        return { kind: 'json', status: 200, body: { events: rows.map(answer).reverse() } }
      },
    }),
  ]
}

function answer(row: AuditRow): z.output<typeof entrySchema> {
  return {
    at: instantOf(row.at),
    event: row.event,
    outcome: row.outcome,
    reason: row.reason,
    reference: row.requestId,
    address: row.clientIp,
    user: row.userName,
    user_id: row.userId,
    session: row.session,
    user_agent: row.userAgent,
    details: row.details,
  }
}
