import { z } from 'zod'
import { amrOf } from '../../identity/amr.ts'
import type { Issued } from '../../sessions/sessions.ts'
import type { ApiDeps } from '../api-deps.ts'
import { instant, instantOf } from '../schemas.ts'

/** What a pair is made with. */
export type PairMaker = Pick<ApiDeps, 'accessTokens' | 'refreshTokens'>

export const tokenPair = z
  .object({
    access_token: z.string().describe('JWT, for Authorization: Bearer'),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds the access token is good for'),
    refresh_token: z.string().describe('Opaque; good for one refresh'),
    refresh_expires_at: instant,
  })
  .meta({ id: 'TokenPair', description: 'Takes the place of all earlier tokens of this sign-in' })

export type TokenPair = z.output<typeof tokenPair>

/**
 * The tokens of a session that has just got a new id, shown this once: by that id all earlier ones
 * are dead. `undefined`: the session ended meanwhile.
 */
export async function issuedPair(
  deps: PairMaker,
  { session }: Issued,
): Promise<TokenPair | undefined> {
  const { id: sessionId, userId, factors } = session
  const refresh = await deps.refreshTokens.start(session)
  if (refresh === undefined) return undefined
  const access = await deps.accessTokens.issue({
    stage: 'complete',
    sessionId,
    userId,
    amr: amrOf(factors),
    authTime: Math.max(...factors.map(({ at }) => at)),
  })
  return {
    access_token: access.token.reveal(),
    token_type: 'Bearer',
    expires_in: access.expiresIn,
    refresh_token: refresh.token.reveal(),
    refresh_expires_at: instantOf(refresh.expiresAt),
  }
}
