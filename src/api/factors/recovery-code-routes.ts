import { z } from 'zod'
import { newOwnCodes } from '../../login/factor-changes.ts'
import type { ApiDeps } from '../api-deps.ts'
import { tokenPair } from '../auth/issued-pair.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { withTokens } from './factor-answer.ts'

const TAG = 'Recovery codes'

/** The codes themselves are kept as digests: nothing can show them a second time. */
export const codesLeft = z
  .object({
    left: z.int().describe('Not used yet'),
    total: z.int().describe('In the set; 0: there is none'),
    created_at: instant.nullable(),
  })
  .meta({ id: 'RecoveryCodesLeft' })

/** Recovery codes: how many are left, and new ones. */
export function recoveryCodeRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/factors/recovery-codes',
      operationId: 'countRecoveryCodes',
      tag: TAG,
      summary: 'How many recovery codes are left',
      stage: 'complete',
      answers: { 200: { description: 'The set, without its codes', schema: codesLeft } },
      handle: async ({ caller }) => {
        return { kind: 'json', status: 200, body: await codesLeftOf(deps, caller.account.id) }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/factors/recovery-codes',
      operationId: 'makeRecoveryCodes',
      tag: TAG,
      summary: 'Make new recovery codes, in the place of earlier ones',
      description:
        'With `replaces`, codes are made only if the set is still that one: a call that is repeated because its answer was lost does not make another.',
      stage: 'fresh',
      body: z.strictObject({
        replaces: instant
          .nullable()
          .optional()
          .describe('`created_at` of the set that was seen; null: there was none'),
      }),
      answers: {
        200: {
          description: 'Too busy to make any; the earlier ones are still good. Ask once more',
          schema: z.object({ tokens: tokenPair }).meta({ id: 'RecoveryCodesNotMade' }),
        },
        201: {
          description: 'The codes, this once. The earlier ones are dead',
          schema: z
            .object({ recovery_codes: z.array(z.string()), tokens: tokenPair })
            .meta({ id: 'RecoveryCodesMade' }),
        },
      },
      problems: ['second_factor_missing', 'conflict', 'session_ended'],
      handle: async ({ caller, body, context }) => {
        const { session, account } = caller
        if (!(await deps.enrolled.hasSecond(account.id))) return refuse('second_factor_missing')
        const { created_at: present } = await codesLeftOf(deps, account.id)
        if (body.replaces !== undefined && body.replaces !== present) return refuse('conflict')
        // First the new id: of many at once by one session, the others come too late.
        const issued = await deps.sessions.renew(session)
        if (issued === undefined) return refuse('session_ended')
        const made = await newOwnCodes(deps, { account, session: issued.session, context })
        return made.kind === 'created'
          ? withTokens(deps, caller, issued, 201, (tokens) => ({
              recovery_codes: made.codes,
              tokens,
            }))
          : withTokens(deps, caller, issued, 200, (tokens) => ({ tokens }))
      },
    }),
  ]
}

export async function codesLeftOf(
  deps: Pick<ApiDeps, 'recoveryCodes'>,
  userId: Parameters<ApiDeps['recoveryCodes']['left']>[0],
) {
  const { left, total, createdAt } = await deps.recoveryCodes.left(userId)
  return { left, total, created_at: total === 0 ? null : instantOf(createdAt) }
}
