import { z } from 'zod'
import { type Ban, banNetwork, MAX_BANS, MAX_REASON } from '../../bans/ban.ts'
import { ownNetwork } from '../../bans/own-network.ts'
import { DAY, SECOND } from '../../lib/duration.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { conflict } from './conflicts.ts'
import { bodyReader } from './faults.ts'
import { nextCursor, pageOf, pageQuery, readPage } from './paging.ts'
import { tell } from './told.ts'

const TAG = 'Bans'
const LONGEST = (3650 * DAY) / SECOND

const network = z.string().max(100)

const banSchema = z
  .object({
    network: z.string().describe('CIDR'),
    reason: z.string(),
    created_at: instant,
    ends_at: instant,
  })
  .meta({ id: 'Ban' })

/** Keeping addresses out for a while. */
export function banRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const { admin } = deps
  return [
    apiRoute({
      method: 'GET',
      path: '/admin/bans',
      operationId: 'listBans',
      tag: TAG,
      summary: 'List what is kept out, the latest end first',
      stage: 'admin',
      query: z.strictObject(pageQuery),
      answers: {
        200: {
          description: 'A page of bans',
          schema: z.object({ bans: z.array(banSchema), next_cursor: nextCursor }),
        },
      },
      handle: async ({ query }) => {
        const { after, limit } = readPage(query)
        const all = await admin.bans.list(deps.clock.now(), MAX_BANS)
        const start = all.findIndex((ban) => ban.network === after) + 1
        const { items, more } = pageOf(all.slice(start), limit, (ban) => ban.network)
        return { kind: 'json', status: 200, body: { bans: items.map(answer), ...more } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/admin/bans',
      operationId: 'addBan',
      tag: TAG,
      summary: 'Keep an address or a network out',
      description: 'An IPv6 address stands for its /64. A ban of the same network is replaced.',
      stage: 'fresh_admin',
      body: z.strictObject({
        network: network.describe('203.0.113.7, 203.0.113.0/24, 2001:db8::/48'),
        seconds: z.int().min(1).max(LONGEST).describe('How long'),
        reason: z
          .string()
          .max(MAX_REASON)
          .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u)
          .optional(),
        force: z
          .boolean()
          .optional()
          .describe('Also where it takes in a trusted proxy, the machine or the caller'),
      }),
      answers: { 201: { description: 'Kept out', schema: banSchema } },
      problems: ['conflict'],
      handle: async (call) => {
        const { body, language, context } = call
        const banned = banNetwork(body.network)
        if (banned === undefined) return noNetwork(language)
        const own = { trustedProxies: admin.trustedProxies, asker: context.address }
        if (body.force !== true && ownNetwork(banned, own) !== undefined) {
          return conflict('own_network', language)
        }
        const createdAt = deps.clock.now()
        const ban: Ban = {
          network: banned,
          reason: body.reason?.trim() ?? '',
          createdAt,
          endsAt: createdAt + body.seconds * SECOND,
        }
        if ((await admin.bans.add(ban, MAX_BANS)) === 'full') return conflict('bans_full', language)
        tell(deps, call, { event: 'ban.added', outcome: 'success', detail: banned })
        return { kind: 'json', status: 201, body: answer(ban) }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/admin/bans/lift',
      operationId: 'liftBan',
      tag: TAG,
      summary: 'Let it in again',
      stage: 'fresh_admin',
      body: z.strictObject({ network: network.describe('As it was added or as it is listed') }),
      answers: { 204: { description: 'Let in' } },
      problems: ['not_found'],
      handle: async (call) => {
        const banned = banNetwork(call.body.network)
        if (banned === undefined) return noNetwork(call.language)
        if (!(await admin.bans.lift(banned, deps.clock.now()))) return refuse('not_found')
        tell(deps, call, { event: 'ban.lifted', outcome: 'success', detail: banned })
        return { kind: 'empty' }
      },
    }),
  ]
}

function noNetwork(language: 'fr' | 'en') {
  const { wrong, refusal } = bodyReader(language)
  wrong('network', 'network', 'invalid')
  return refusal() ?? refuse('invalid_request')
}

function answer(ban: Ban): z.output<typeof banSchema> {
  return {
    network: ban.network,
    reason: ban.reason,
    created_at: instantOf(ban.createdAt),
    ends_at: instantOf(ban.endsAt),
  }
}
