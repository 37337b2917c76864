import { z } from 'zod'
import { LEVELS, levelOf, parseSessionId, type SessionId } from '../../identity/principal.ts'
import { describeUserAgent } from '../../lib/user-agent.ts'
import { endOtherSessions, endOwnSession } from '../../login/account-changes.ts'
import type { Session } from '../../sessions/session.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'

const TAG = 'Own sessions'

const ownSession = z
  .object({
    id: z.string().describe('ses_…; it opens nothing'),
    current: z.boolean().describe('The one that asks'),
    client: z.enum(['browser', 'api']),
    browser: z.string().nullable(),
    system: z.string().nullable(),
    address: z.string(),
    level: z.enum(LEVELS),
    started_at: instant,
    last_seen_at: instant,
    ends_at: instant.describe('At the latest'),
  })
  .meta({ id: 'OwnSession' })

/** One's sessions, in browsers and programs, and ending them. */
export function sessionListRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/account/sessions',
      operationId: 'listOwnSessions',
      tag: TAG,
      summary: 'Where one is signed in, the present session first, then by last use',
      stage: 'complete',
      answers: {
        200: {
          description: 'The sessions',
          schema: z.object({ sessions: z.array(ownSession) }),
        },
      },
      handle: async ({ caller: { session, account } }) => {
        const all = await deps.sessions.ofUser(account.id)
        const sessions = all
          .filter((one) => one.stage === 'complete')
          .sort(
            (a, b) =>
              Number(b.id === session.id) - Number(a.id === session.id) ||
              b.lastSeenAt - a.lastSeenAt,
          )
          .map((one) => shown(one, session.id))
        return { kind: 'json', status: 200, body: { sessions } }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/account/sessions/{id}',
      operationId: 'endOwnSession',
      tag: TAG,
      summary: 'End one of one’s sessions',
      stage: 'fresh',
      answers: { 204: { description: 'It is over' } },
      problems: ['not_found'],
      handle: async ({ caller, params, context }) => {
        const id = parseSessionId(params['id'] ?? '')
        const ended = await endOwnSession(deps, { ...caller, context }, id)
        return ended === 'ended' ? { kind: 'empty' } : refuse('not_found')
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/account/sessions/end-others',
      operationId: 'endOtherSessions',
      tag: TAG,
      summary: 'End all of one’s sessions but this one',
      stage: 'fresh',
      answers: {
        200: { description: 'How many there were', schema: z.object({ ended: z.int() }) },
      },
      handle: async ({ caller, context }) => {
        const ended = await endOtherSessions(deps, { ...caller, context })
        return { kind: 'json', status: 200, body: { ended } }
      },
    }),
  ]
}

function shown(session: Session, present: SessionId): z.output<typeof ownSession> {
  const { browser, system } = describeUserAgent(session.userAgent)
  return {
    id: session.id,
    current: session.id === present,
    client: session.client,
    browser: browser === '' ? null : browser,
    system: system === '' ? null : system,
    address: session.address,
    level: levelOf(session.factors),
    started_at: instantOf(session.createdAt),
    last_seen_at: instantOf(session.lastSeenAt),
    ends_at: instantOf(session.endsAt),
  }
}
