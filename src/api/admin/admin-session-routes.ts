import { z } from 'zod'
import { revokeApp } from '../../access/revoke-app.ts'
import { LEVELS, levelOf, parseSessionId, parseUserId } from '../../identity/principal.ts'
import type { Session } from '../../sessions/session.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { nextCursor, pageOf, pageQuery, readPage } from './paging.ts'
import { tell } from './told.ts'
import { userById } from './users.ts'

const TAG = 'Sessions'

const sessionSchema = z
  .object({
    id: z.string(),
    user: z.object({ id: z.string(), name: z.string() }),
    client: z.enum(['browser', 'api']),
    stage: z.enum(['pending', 'complete']),
    level: z.enum(LEVELS),
    address: z.string(),
    user_agent: z.string(),
    created_at: instant,
    last_seen_at: instant,
    ends_at: instant,
  })
  .meta({ id: 'UserSession' })

const alsoTokens = z
  .boolean()
  .optional()
  .describe('Also personal tokens (and, of everybody, service tokens)')

const ended = z
  .object({ ended: z.int(), tokens_revoked: z.int() })
  .meta({ id: 'Ended', description: 'How many sessions and tokens' })

/** Who is signed in, and every way of ending that. */
export function adminSessionRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const { admin } = deps
  return [
    apiRoute({
      method: 'GET',
      path: '/admin/sessions',
      operationId: 'listAllSessions',
      tag: TAG,
      summary: 'List sessions, oldest first',
      stage: 'admin',
      query: z.strictObject({
        user: z.string().max(64).optional().describe('Id of an account: its own alone'),
        ...pageQuery,
      }),
      answers: {
        200: {
          description: 'A page of sessions',
          schema: z.object({ sessions: z.array(sessionSchema), next_cursor: nextCursor }),
        },
      },
      problems: ['not_found'],
      handle: async ({ query }) => {
        const userId = query.user === undefined ? undefined : parseUserId(query.user)
        if (query.user !== undefined && userId === undefined) return refuse('not_found')
        const { after, limit } = readPage(query)
        const place = readPlace(after)
        const found = await admin.sessions.page({
          ...(userId === undefined ? {} : { userId }),
          ...(place === undefined ? {} : { after: place }),
          now: deps.clock.now(),
          limit: limit + 1,
        })
        const { items, more } = pageOf(found, limit, ({ createdAt, id }) => `${createdAt} ${id}`)
        const names = new Map<string, string>()
        for (const { userId: id } of items) {
          if (!names.has(id)) names.set(id, (await deps.accounts.byId(id))?.name ?? '')
        }
        const sessions = items.map((session) => answer(session, names.get(session.userId) ?? ''))
        return { kind: 'json', status: 200, body: { sessions, ...more } }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/admin/sessions/{session}',
      operationId: 'endAnySession',
      tag: TAG,
      summary: 'End one session',
      description: 'On its next request it is over; its open connections end.',
      stage: 'fresh_admin',
      answers: { 204: { description: 'It is over' } },
      problems: ['not_found'],
      handle: async (call) => {
        const id = parseSessionId(call.params['session'] ?? '')
        const session = id === undefined ? undefined : await admin.sessions.byId(id)
        if (session === undefined) return refuse('not_found')
        const account = await deps.accounts.byId(session.userId)
        if (!(await deps.sessions.end(session.id))) return refuse('not_found')
        const event = { event: 'session.ended', outcome: 'success', reason: 'revoked' } as const
        tell(deps, call, event, { account, session })
        return { kind: 'empty' }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/admin/users/{user}/end-sessions',
      operationId: 'endUserSessions',
      tag: TAG,
      summary: 'End every session of an account',
      stage: 'fresh_admin',
      body: z.strictObject({ tokens: alsoTokens }),
      answers: { 200: { description: 'Ended', schema: ended } },
      problems: ['not_found'],
      handle: async (call) => {
        const account = await userById(deps, call.params['user'])
        if (account === undefined) return refuse('not_found')
        const count = await deps.sessions.endOfUser(account.id)
        const tokens = call.body.tokens === true ? await admin.tokens.revokeOfUser(account.id) : 0
        const reason = 'revoked'
        const event = { event: 'session.ended', outcome: 'success', reason } as const
        tell(deps, call, { ...event, detail: counted(count, tokens) }, { account })
        return { kind: 'json', status: 200, body: { ended: count, tokens_revoked: tokens } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/admin/sessions/end-all',
      operationId: 'endAllSessions',
      tag: TAG,
      summary: 'End everybody’s sessions, the caller’s among them',
      stage: 'fresh_admin',
      body: z.strictObject({
        confirm: z.literal('everybody').describe('So that nobody does it by mistake'),
        tokens: alsoTokens,
      }),
      answers: { 200: { description: 'Ended', schema: ended } },
      handle: async (call) => {
        const count = await deps.sessions.endAll()
        const tokens = call.body.tokens === true ? await admin.tokens.revokeAll() : 0
        const event = { event: 'session.ended', outcome: 'success', reason: 'revoked' } as const
        tell(deps, call, { ...event, detail: `all, ${counted(count, tokens)}` })
        return { kind: 'json', status: 200, body: { ended: count, tokens_revoked: tokens } }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/admin/apps',
      operationId: 'listApps',
      tag: TAG,
      summary: 'List apps, and since when proofs count for them',
      stage: 'admin',
      answers: {
        200: {
          description: 'The apps',
          schema: z.object({
            apps: z.array(
              z.object({ name: z.string(), revoked_at: instant.nullable() }).meta({ id: 'App' }),
            ),
          }),
        },
      },
      handle: async () => {
        const apps: { name: string; revoked_at: string | null }[] = []
        for (const name of admin.apps) {
          const since = await admin.revocations.since(name)
          apps.push({ name, revoked_at: since === 0 ? null : instantOf(since) })
        }
        return { kind: 'json', status: 200, body: { apps } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/admin/apps/revoke',
      operationId: 'revokeApp',
      tag: TAG,
      summary: 'Take access to an app back from everybody',
      description:
        'Whoever is signed in proves who they are again before the app opens; other apps stay ' +
        'open. Tokens that were made before do not open it any more, and those made for it alone ' +
        'are removed. Its open connections end.',
      stage: 'fresh_admin',
      body: z.strictObject({ app: z.string().max(64).describe('Its name in the configuration') }),
      answers: {
        200: { description: 'Taken back', schema: z.object({ tokens_revoked: z.int() }) },
      },
      problems: ['not_found'],
      handle: async (call) => {
        const { app } = call.body
        if (!admin.apps.includes(app)) return refuse('not_found')
        const { revocations, tokens } = admin
        const removed = await revokeApp({ revocations, tokens }, app)
        tell(deps, call, { event: 'app.revoked', outcome: 'success', detail: app })
        return { kind: 'json', status: 200, body: { tokens_revoked: removed } }
      },
    }),
  ]
}

const counted = (sessions: number, tokens: number) =>
  tokens === 0 ? `${sessions}` : `${sessions}, tokens ${tokens}`

/** What the cursor of this list holds: `createdAt id`. */
function readPlace(text: string) {
  const [at = '', id = ''] = text.split(' ')
  const session = parseSessionId(id)
  return session === undefined || !/^[0-9]{1,15}$/.test(at)
    ? undefined
    : { createdAt: Number(at), id: session }
}

function answer(session: Session, name: string): z.output<typeof sessionSchema> {
  return {
    id: session.id,
    user: { id: session.userId, name },
    client: session.client,
    stage: session.stage,
    level: levelOf(session.factors),
    address: session.address,
    user_agent: session.userAgent,
    created_at: instantOf(session.createdAt),
    last_seen_at: instantOf(session.lastSeenAt),
    ends_at: instantOf(session.endsAt),
  }
}
