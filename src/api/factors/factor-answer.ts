import { z } from 'zod'
import { newOwnCodes } from '../../login/factor-changes.ts'
import type { Issued } from '../../sessions/sessions.ts'
import type { ApiDeps } from '../api-deps.ts'
import { issuedPair, type TokenPair, tokenPair } from '../auth/issued-pair.ts'
import { refuse } from '../refusals.ts'
import type { ApiCaller, ApiResult, RawCall } from '../route.ts'

/** Recovery codes, where the first second factor brings them. */
export const freshCodes = z
  .array(z.string())
  .nullable()
  .describe(
    'Shown this once. null: there are some already, or the server was too busy to make any (ask for them then)',
  )

/** What is left to say when a factor is gone. */
export const tokensOnly = z.object({ tokens: tokenPair }).meta({ id: 'NewTokens' })

/**
 * An answer that carries the session's next tokens; where it ended meanwhile, a refusal.
 * SECURITY: when it cannot be made, the session nobody was told of is ended again.
 */
export async function withTokens(
  deps: ApiDeps,
  { session: replaced }: Pick<ApiCaller, 'session'>,
  issued: Issued,
  status: 200 | 201,
  rest: (tokens: TokenPair) => object,
): Promise<ApiResult> {
  try {
    const tokens = await issuedPair(deps, issued)
    await deps.refreshTokens.endFamily(replaced.id)
    return tokens === undefined
      ? refuse('session_ended')
      : { kind: 'json', status, body: rest(tokens) }
  } catch (error) {
    await deps.sessions.end(issued.session.id).catch(() => {})
    throw error
  }
}

/** With a first second factor come recovery codes; whoever has some keeps those. */
export async function codesIfNone(
  deps: ApiDeps,
  caller: Pick<ApiCaller, 'account'>,
  issued: Issued,
  context: RawCall['context'],
): Promise<readonly string[] | null> {
  const { account } = caller
  if ((await deps.recoveryCodes.left(account.id)).left > 0) return null
  const made = await newOwnCodes(deps, { account, session: issued.session, context })
  return made.kind === 'created' ? made.codes : null
}
