import { z } from 'zod'
import { DAY, SECOND } from '../../lib/duration.ts'
import { auditContext } from '../../login/step.ts'
import { type ApiToken, parseApiTokenId } from '../../tokens/api-token.ts'
import { ownProofs } from '../../tokens/api-token-order.ts'
import type { ApiDeps } from '../api-deps.ts'
import { waysOf } from '../auth/ways.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { refusedOrder } from './refused-order.ts'

const TAG = 'Personal tokens'

const list = (longest: number) => z.array(z.string().max(longest)).max(50)

const ownToken = z
  .object({
    id: z.string().describe('tok_…; it opens nothing'),
    name: z.string(),
    hint: z.string().describe('Its last four characters'),
    apps: z.array(z.string()).describe('Empty: all of them'),
    methods: z.array(z.string()).describe('Empty: all of them'),
    paths: z.array(z.string()).describe('Globs as rules have them; empty: all of them'),
    created_at: instant,
    expires_at: instant.nullable().describe('null: it lasts until it is revoked'),
    last_used_at: instant.nullable().describe('null: not yet'),
    last_used_from: z.string(),
  })
  .meta({ id: 'OwnToken', description: 'A personal token, without the token' })

/** One's own personal tokens: listed, made and shown once, revoked. */
export function ownTokenRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/account/tokens',
      operationId: 'listOwnTokens',
      tag: TAG,
      summary: 'One’s personal tokens, oldest first',
      stage: 'complete',
      answers: {
        200: { description: 'The tokens', schema: z.object({ tokens: z.array(ownToken) }) },
      },
      handle: async ({ caller }) => {
        const tokens = (await deps.apiTokens.ofUser(caller.account.id)).map(shown)
        return { kind: 'json', status: 200, body: { tokens } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/account/tokens',
      operationId: 'createOwnToken',
      tag: TAG,
      summary: 'Make a personal token, shown this once',
      description:
        'It acts as its owner, with the factors this sign-in has proved. A one-time sign-in link ' +
        'proves none.',
      stage: 'fresh',
      body: z.strictObject({
        name: z.string().max(64).describe('What it is for'),
        apps: list(64).optional(),
        methods: list(32).optional(),
        paths: list(1024).optional(),
        seconds: z
          .int()
          .min(60)
          .max((3650 * DAY) / SECOND)
          .nullable()
          .describe('How long it lasts; null: until it is revoked, where that is allowed'),
      }),
      answers: {
        201: {
          description: 'Made',
          schema: ownToken.extend({ token: z.string() }).meta({ id: 'NewOwnToken' }),
        },
      },
      problems: ['not_found', 'conflict'],
      handle: async ({ visit, body, language, caller: { account, session }, context }) => {
        const factors = ownProofs(session.factors)
        if (factors.length === 0 && deps.apiTokens.rules.personal.enabled) {
          const ways = [...(await waysOf(deps, visit, account)), 'password']
          return refuse('fresh_proof_required', { detail: UNPROVED[language], extra: { ways } })
        }
        const asker = { session: session.id, address: context.address }
        const { apps = [], methods = [], paths = [], name, seconds } = body
        const made = await deps.apiTokens.create({
          kind: 'personal',
          owner: account.id,
          factors,
          asker,
          name,
          lifetime: seconds === null ? 'never' : seconds * SECOND,
          scope: { apps, methods, paths },
        })
        switch (made.kind) {
          case 'off':
            return refuse('not_found')
          case 'full':
            return refuse('conflict', { detail: FULL[language] })
          case 'refused': {
            const named = made.problems.some(({ field }) => field === 'apps')
            const usable = named ? await deps.apiTokens.appsOf(asker) : []
            return refusedOrder(made.problems, {
              language,
              name: 'token_name',
              longest: deps.apiTokens.rules.personal.longest,
              apps: usable.filter(({ hidden }) => !hidden).map((app) => app.name),
            })
          }
          case 'created': {
            const { token, text } = made
            deps.audit(
              { event: 'token.created', outcome: 'success', detail: token.name },
              auditContext(context, { account, session }),
            )
            return { kind: 'json', status: 201, body: { ...shown(token), token: text.reveal() } }
          }
        }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/account/tokens/{id}',
      operationId: 'revokeOwnToken',
      tag: TAG,
      summary: 'Revoke a personal token of one’s own',
      stage: 'fresh',
      answers: { 204: { description: 'It opens nothing any more' } },
      problems: ['not_found'],
      handle: async ({ params, caller: { account, session }, context }) => {
        const id = parseApiTokenId(params['id'] ?? '')
        const token = id === undefined ? undefined : await deps.apiTokens.byId(id)
        // Somebody else's is as good as none.
        if (token === undefined || token.userId !== account.id) return refuse('not_found')
        if (!(await deps.apiTokens.revoke(token.id))) return refuse('not_found')
        deps.audit(
          { event: 'token.revoked', outcome: 'success', detail: token.name },
          auditContext(context, { account, session }),
        )
        return { kind: 'empty' }
      },
    }),
  ]
}

const UNPROVED = {
  en: 'This session was opened by a one-time link: prove a factor of your own first.',
  fr: 'Cette session a été ouverte par un lien à usage unique\u00a0: prouvez d’abord un facteur à vous.',
} as const

const FULL = {
  en: 'You have as many tokens as you may have: revoke one first.',
  fr: 'Vous avez autant de jetons que permis\u00a0: révoquez-en un d’abord.',
} as const

function shown(token: ApiToken): z.output<typeof ownToken> {
  const at = (instant: number) => (instant === 0 ? null : instantOf(instant))
  const { apps, methods, paths } = token.scope
  return {
    id: token.id,
    name: token.name,
    hint: token.hint,
    apps: [...apps],
    methods: [...methods],
    paths: [...paths],
    created_at: instantOf(token.createdAt),
    expires_at: at(token.expiresAt),
    last_used_at: at(token.lastUsedAt),
    last_used_from: token.lastUsedFrom,
  }
}
