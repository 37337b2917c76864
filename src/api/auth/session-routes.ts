import { z } from 'zod'
import { amrOf } from '../../identity/amr.ts'
import { LEVELS } from '../../identity/principal.ts'
import { Secret } from '../../lib/secret.ts'
import { auditContext } from '../../login/step.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse, refusedStep, tooMany } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf, passwordText } from '../schemas.ts'
import { authTimeOf, passwordDue, signedIn, signInAnswer } from './signed-in.ts'

const TAG = 'Session'

const sessionBody = z
  .object({
    id: z.string(),
    user: z.object({
      id: z.string(),
      name: z.string(),
      display_name: z.string(),
      email: z.string(),
      groups: z.array(z.string()),
    }),
    level: z.enum(LEVELS),
    amr: z.array(z.string()).describe('What was proved (RFC 8176, and names of ours)'),
    signed_in_at: instant,
    proved_at: instant.describe('When something was proved last'),
    ends_at: instant.describe('However often it is refreshed'),
  })
  .meta({ id: 'Session' })

/** The sign-in at hand: who it is, the next pair, the password again, the end. */
export function sessionRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/refresh',
      operationId: 'refresh',
      tag: TAG,
      summary: 'Take a refresh token for the next pair',
      description:
        'A refresh token is good once. For ten seconds it is given the same successor again, for ' +
        'an answer that was lost or calls at once; after that, whoever presents it ends the ' +
        'sign-in, for somebody has a copy.',
      stage: 'anyone',
      body: z.strictObject({ refresh_token: z.string().max(256) }),
      answers: { 200: { description: 'The next pair', schema: signInAnswer } },
      problems: ['session_ended', 'too_many_requests'],
      handle: async ({ body, context }) => {
        const outcome = await deps.refresh(body.refresh_token, context)
        switch (outcome.kind) {
          case 'refused':
            return refuse('session_ended')
          case 'limited':
            return tooMany(outcome.budget, outcome.take)
          case 'password_due':
            return { kind: 'json', status: 200, body: await passwordDue(deps, outcome.session) }
          case 'refreshed': {
            const { session, refresh } = outcome
            const access = await deps.accessTokens.issue({
              stage: 'complete',
              sessionId: session.id,
              userId: session.userId,
              amr: amrOf(session.factors),
              authTime: authTimeOf(session),
            })
            return {
              kind: 'json',
              status: 200,
              body: {
                stage: 'complete',
                access_token: access.token.reveal(),
                token_type: 'Bearer',
                expires_in: access.expiresIn,
                refresh_token: refresh.token.reveal(),
                refresh_expires_at: instantOf(refresh.expiresAt),
              } satisfies z.output<typeof signInAnswer>,
            }
          }
        }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/confirm/password',
      operationId: 'passwordConfirmation',
      tag: 'Confirming who one is',
      summary: 'Confirm who you are with the password',
      description:
        'For an account with a second factor it is no fresh proof in the sense of ' +
        '`fresh_proof_required`, whose `ways` name what is; apps whose rules ask for the password ' +
        'by name take it.',
      stage: 'complete',
      whileDue: true,
      body: z.strictObject({ password: passwordText }),
      answers: {
        200: { description: 'It was right; earlier tokens are dead', schema: signInAnswer },
      },
      problems: ['wrong_credentials', 'session_ended', 'too_many_requests', 'busy'],
      handle: async ({ visit, caller, body, context }) => {
        const { session, account } = caller
        const password = new Secret(body.password)
        const outcome = await deps.login.confirmPassword(session, account, password, context)
        return outcome.kind === 'signed_in'
          ? signedIn(deps, visit, outcome, session)
          : refusedStep(outcome)
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/session',
      operationId: 'getSession',
      tag: TAG,
      summary: 'Who is signed in, how, and until when',
      stage: 'complete',
      whileDue: true,
      answers: { 200: { description: 'The session of this token', schema: sessionBody } },
      handle: async ({ caller: { session, account, level } }) => ({
        kind: 'json',
        status: 200,
        body: {
          id: session.id,
          user: {
            id: account.id,
            name: account.name,
            display_name: account.displayName,
            email: account.email,
            groups: [...account.groups],
          },
          level,
          amr: [...amrOf(session.factors)],
          signed_in_at: instantOf(session.createdAt),
          proved_at: instantOf(authTimeOf(session)),
          ends_at: instantOf(session.endsAt),
        } satisfies z.output<typeof sessionBody>,
      }),
    }),
    apiRoute({
      method: 'DELETE',
      path: '/session',
      operationId: 'signOut',
      tag: TAG,
      summary: 'Sign out: every token of this sign-in is dead',
      stage: 'complete',
      whileDue: true,
      answers: { 204: { description: 'Signed out' } },
      handle: async ({ caller: { session, account }, context }) => {
        const ended = await deps.sessions.end(session.id)
        await deps.refreshTokens.endFamily(session.id)
        if (ended) {
          deps.audit(
            { event: 'session.ended', outcome: 'success', reason: 'sign_out' },
            auditContext(context, { account, session }),
          )
        }
        return { kind: 'empty' }
      },
    }),
  ]
}
