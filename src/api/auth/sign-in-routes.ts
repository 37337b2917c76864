import { z } from 'zod'
import { randomToken } from '../../lib/random.ts'
import { Secret } from '../../lib/secret.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse, refusedStep } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { passwordText } from '../schemas.ts'
import {
  optionsBody,
  passkeyCredential,
  passkeyOptions,
  refusedPasskey,
} from './passkey-credential.ts'
import { signedIn, signInAnswer } from './signed-in.ts'

const TAG = 'Signing in'

/** The first step: name and password, or a passkey, which is a whole sign-in. */
export function signInRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/sign-in',
      operationId: 'signIn',
      tag: TAG,
      summary: 'Sign in with name and password',
      description:
        'An account with a second factor is asked for it next: `stage` is then `mfa_pending`, and ' +
        'the token opens the routes below `/second-step` for five minutes.',
      stage: 'anyone',
      body: z.strictObject({
        username: z.string().min(1).max(1024).describe('Account name, or its e-mail address'),
        password: passwordText,
      }),
      answers: { 200: { description: 'The first step was right', schema: signInAnswer } },
      problems: ['wrong_credentials', 'too_many_requests', 'busy'],
      handle: async ({ visit, body, context }) => {
        const outcome = await deps.login.withPassword(
          {
            username: body.username,
            password: new Secret(body.password),
            remember: false,
            client: 'api',
          },
          context,
        )
        return outcome.kind === 'signed_in' ? signedIn(deps, visit, outcome) : refusedStep(outcome)
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/sign-in/passkey/options',
      operationId: 'passkeySignInOptions',
      tag: TAG,
      summary: 'What to ask a passkey with, to sign in with it alone',
      stage: 'anyone',
      answers: {
        200: {
          description: 'For `navigator.credentials.get()` on a page of the portal’s origin',
          schema: z.object({
            ceremony: z.string().describe('To be sent back with the credential'),
            options: passkeyOptions,
          }),
        },
      },
      problems: ['not_found'],
      handle: async ({ visit }) => {
        if (!deps.passkeys.usableAt(visit.site.origin)) return refuse('not_found')
        // SECURITY: the challenge is worth something only together with this.
        const holder = randomToken()
        const purpose = { ceremony: 'sign_in', userId: '', holder } as const
        const options = optionsBody(deps.passkeys.request(purpose, []))
        return { kind: 'json', status: 200, body: { ceremony: holder, options } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/sign-in/passkey',
      operationId: 'signInWithPasskey',
      tag: TAG,
      summary: 'Sign in with a passkey alone',
      stage: 'anyone',
      body: z.strictObject({
        ceremony: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
        credential: passkeyCredential,
      }),
      answers: { 200: { description: 'Signed in', schema: signInAnswer } },
      problems: ['wrong_credentials', 'challenge_expired', 'too_many_requests'],
      handle: async ({ visit, body, context }) => {
        const outcome = await deps.passkeyLogin.whole(
          { json: JSON.stringify(body.credential), remember: false, client: 'api' },
          { holder: body.ceremony, origin: visit.site.origin },
          context,
        )
        return outcome.kind === 'signed_in'
          ? signedIn(deps, visit, outcome)
          : refusedPasskey(outcome, deps.passkeys.rpId)
      },
    }),
  ]
}
