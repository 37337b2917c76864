import { z } from 'zod'
import type { Account } from '../../accounts/account.ts'
import type { Visit } from '../../http/visit.ts'
import { amrOf } from '../../identity/amr.ts'
import { isToldOfDuty } from '../../login/told-of-duty.ts'
import type { Session } from '../../sessions/session.ts'
import type { Issued } from '../../sessions/sessions.ts'
import type { ApiDeps } from '../api-deps.ts'
import { deviceMark } from '../device.ts'
import { refuse } from '../refusals.ts'
import type { ApiResult } from '../route.ts'
import { issuedPair, tokenPair } from './issued-pair.ts'
import { WAYS, waysOf } from './ways.ts'

const staged = {
  access_token: z.string().describe('Opens only the routes that this stage has'),
  token_type: z.literal('Bearer'),
  expires_in: z.int().describe('Seconds'),
}

/** What a step of a sign-in leads to. */
export const signInAnswer = z
  .discriminatedUnion('stage', [
    tokenPair
      .extend({
        stage: z.literal('complete'),
        device: z
          .string()
          .describe(
            'To be sent with later sign-ins as `Sallyport-Device`: its owner is not told of a new ' +
              'device then, and strangers who lock the password do not lock this one out',
          )
          .optional(),
      })
      .meta({ id: 'SignedIn' }),
    z
      .object({
        stage: z.literal('mfa_pending').describe('The second step is owed'),
        ...staged,
        ways: z.array(z.enum(WAYS)).describe('Best first'),
      })
      .meta({ id: 'SecondStepOwed' }),
    z
      .object({ stage: z.literal('password_due').describe('A new password is owed'), ...staged })
      .meta({ id: 'PasswordOwed' }),
  ])
  .meta({ id: 'SignInAnswer' })

export type SignInAnswer = z.output<typeof signInAnswer>

type Deps = Pick<
  ApiDeps,
  | 'keys'
  | 'accessTokens'
  | 'accounts'
  | 'clock'
  | 'duty'
  | 'enrolled'
  | 'passkeys'
  | 'phones'
  | 'refreshTokens'
  | 'sessions'
>

/**
 * Answers a step that was right with what its session may have now.
 * SECURITY: when that cannot be made, the session nobody was told of is ended again.
 */
export async function signedIn(
  deps: Deps,
  visit: Visit,
  { issued, account }: { readonly issued: Issued; readonly account: Account },
  /** The session that took a new id: nothing of its family can be presented any more. */
  replaced?: Session,
): Promise<ApiResult> {
  const { session } = issued
  try {
    const body = await answerFor(deps, visit, issued, account)
    if (replaced !== undefined) await deps.refreshTokens.endFamily(replaced.id)
    return body === undefined ? refuse('session_ended') : { kind: 'json', status: 200, body }
  } catch (error) {
    await deps.sessions.end(session.id).catch(() => {})
    throw error
  }
}

async function answerFor(
  deps: Deps,
  visit: Visit,
  issued: Issued,
  account: Account,
): Promise<SignInAnswer | undefined> {
  const { session } = issued
  if (session.stage === 'pending') {
    const ways = await waysOf(deps, visit, account)
    return { stage: 'mfa_pending', ...(await stageToken(deps, session, 'mfa_pending')), ways }
  }
  if (account.passwordDue !== '') return passwordDue(deps, session)
  await isToldOfDuty(deps, account, session)
  const pair = await issuedPair(deps, issued)
  return pair && { stage: 'complete', ...pair, device: deviceMark(deps, visit, account.id) }
}

/** What opens nothing but choosing a new password. */
export async function passwordDue(
  deps: Pick<ApiDeps, 'accessTokens'>,
  session: Session,
): Promise<SignInAnswer> {
  return { stage: 'password_due', ...(await stageToken(deps, session, 'password_due')) }
}

async function stageToken(
  { accessTokens }: Pick<ApiDeps, 'accessTokens'>,
  session: Session,
  stage: 'mfa_pending' | 'password_due',
) {
  const { token, expiresIn } = await accessTokens.issue({
    stage,
    sessionId: session.id,
    userId: session.userId,
    amr: amrOf(session.factors),
    authTime: authTimeOf(session),
  })
  return { access_token: token.reveal(), token_type: 'Bearer', expires_in: expiresIn } as const
}

/** When something was proved last. */
export function authTimeOf({ factors, createdAt }: Session): number {
  return factors.reduce((last, { at }) => Math.max(last, at), createdAt)
}
