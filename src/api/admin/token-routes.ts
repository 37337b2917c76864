import { z } from 'zod'
import { DAY, SECOND } from '../../lib/duration.ts'
import { type ApiToken, parseApiTokenId } from '../../tokens/api-token.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { refusedOrder } from '../tokens/refused-order.ts'
import { conflict } from './conflicts.ts'
import { tell } from './told.ts'
import { userById } from './users.ts'

const TAG = 'Tokens'

const list = (longest: number) => z.array(z.string().max(longest)).max(50)

const tokenSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['personal', 'service']),
    name: z.string(),
    hint: z.string().describe('Its last characters'),
    user_id: z.string().nullable().describe('null: a service token is nobody’s'),
    groups: z.array(z.string()),
    scope: z.object({
      apps: z.array(z.string()),
      methods: z.array(z.string()),
      paths: z.array(z.string()),
    }),
    created_at: instant,
    expires_at: instant.nullable().describe('null: it lasts until it is revoked'),
    last_used_at: instant.nullable(),
    last_used_from: z.string(),
  })
  .meta({ id: 'AnyToken', description: 'Empty lists of a scope leave that part open' })

/** Service tokens, and an end to anybody's. */
export function adminTokenRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const { tokens } = deps.admin
  return [
    apiRoute({
      method: 'GET',
      path: '/admin/tokens',
      operationId: 'listAllTokens',
      tag: TAG,
      summary: 'List service tokens, or the personal tokens of one account',
      stage: 'admin',
      query: z.strictObject({
        user: z.string().max(64).optional().describe('Id of an account'),
      }),
      answers: {
        200: {
          description: 'The tokens, oldest first; never the token itself',
          schema: z.object({ tokens: z.array(tokenSchema) }),
        },
      },
      problems: ['not_found'],
      handle: async ({ query }) => {
        const account = query.user === undefined ? undefined : await userById(deps, query.user)
        if (query.user !== undefined && account === undefined) return refuse('not_found')
        const found =
          account === undefined ? await tokens.services() : await tokens.ofUser(account.id)
        return { kind: 'json', status: 200, body: { tokens: found.map(answer) } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/admin/tokens',
      operationId: 'createServiceToken',
      tag: TAG,
      summary: 'Make a service token, shown this once',
      description: 'Rules know it as the user `service:NAME`, and by its groups.',
      stage: 'fresh_admin',
      body: z.strictObject({
        name: z.string().max(64),
        groups: list(64).optional(),
        apps: list(64).optional(),
        methods: list(32).optional(),
        paths: list(1024).optional(),
        seconds: z
          .int()
          .min(60)
          .max((3650 * DAY) / SECOND)
          .nullable()
          .describe('How long it lasts; null: until it is revoked'),
      }),
      answers: {
        201: {
          description: 'Made',
          schema: tokenSchema.extend({ token: z.string() }).meta({ id: 'NewServiceToken' }),
        },
      },
      problems: ['conflict'],
      handle: async (call) => {
        const { body, language } = call
        const { apps = [], methods = [], paths = [], groups = [], name, seconds } = body
        const made = await tokens.create({
          kind: 'service',
          name,
          groups,
          scope: { apps, methods, paths },
          lifetime: seconds === null ? 'never' : seconds * SECOND,
        })
        switch (made.kind) {
          case 'created': {
            const { token, text } = made
            tell(deps, call, { event: 'token.created', outcome: 'success', detail: token.name })
            return {
              kind: 'json',
              status: 201,
              body: { ...answer(token), token: text.reveal() },
            }
          }
          case 'refused':
            return refusedOrder(made.problems, { language, name: 'account_name', apps: 'all' })
          case 'full':
          case 'off':
            return conflict('tokens_full', language)
        }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/admin/tokens/{token}',
      operationId: 'revokeAnyToken',
      tag: TAG,
      summary: 'Revoke a service token, or anybody’s personal token',
      stage: 'fresh_admin',
      answers: { 204: { description: 'It opens nothing any more' } },
      problems: ['not_found'],
      handle: async (call) => {
        const id = parseApiTokenId(call.params['token'] ?? '')
        const token = id === undefined ? undefined : await tokens.byId(id)
        if (token === undefined || !(await tokens.revoke(token.id))) return refuse('not_found')
        const account =
          token.userId === undefined ? undefined : await deps.accounts.byId(token.userId)
        const event = { event: 'token.revoked', outcome: 'success', detail: token.name } as const
        tell(deps, call, event, { account })
        return { kind: 'empty' }
      },
    }),
  ]
}

function answer(token: ApiToken): z.output<typeof tokenSchema> {
  const { scope } = token
  const at = (instant: number) => (instant === 0 ? null : instantOf(instant))
  return {
    id: token.id,
    kind: token.kind,
    name: token.name,
    hint: token.hint,
    user_id: token.userId ?? null,
    groups: [...token.groups],
    scope: {
      apps: [...scope.apps],
      methods: [...scope.methods],
      paths: [...scope.paths],
    },
    created_at: instantOf(token.createdAt),
    expires_at: at(token.expiresAt),
    last_used_at: at(token.lastUsedAt),
    last_used_from: token.lastUsedFrom,
  }
}
