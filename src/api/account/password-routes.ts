import { z } from 'zod'
import type { PasswordPreset } from '../../accounts/password-presets.ts'
import type { Visit } from '../../http/visit.ts'
import { levelOf } from '../../identity/principal.ts'
import { Secret } from '../../lib/secret.ts'
import { unreachable } from '../../lib/unreachable.ts'
import type { LoginContext } from '../../login/step.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { ApiDeps } from '../api-deps.ts'
import { signedIn, signInAnswer } from '../auth/signed-in.ts'
import { refuse, tooMany } from '../refusals.ts'
import { type ApiCaller, type ApiResult, type ApiRoute, apiRoute } from '../route.ts'
import { passwordText } from '../schemas.ts'

const TAG = 'Password'

const PRESETS = ['nist', 'cnil-50', 'cnil-80', 'owasp'] as const satisfies readonly PasswordPreset[]

const policy = z
  .object({
    preset: z.enum(PRESETS),
    min_length: z.int().describe('In code points'),
    refuses_leaked: z.boolean(),
    words: z.string().describe('For people, in the language asked for'),
  })
  .meta({ id: 'PasswordPolicy' })

const change = z.strictObject({
  current_password: passwordText
    .optional()
    .describe('Not needed when it was given in this session within ten minutes'),
  new_password: passwordText,
  end_other_sessions: z.boolean().default(true),
})

const answers = {
  200: { description: 'It is changed; earlier tokens are dead', schema: signInAnswer },
}
const problems = ['wrong_credentials', 'password_refused', 'session_ended', 'busy'] as const

/** One's own password: what it must be, and changing it because one wants to or must. */
export function passwordRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/password/policy',
      operationId: 'getPasswordPolicy',
      tag: TAG,
      summary: 'What a new password must be',
      stage: 'anyone',
      answers: { 200: { description: 'The policy', schema: policy } },
      handle: async ({ language }) => {
        const { asked } = deps.passwordPolicy
        const body = {
          preset: asked.preset,
          min_length: asked.minLength,
          refuses_leaked: asked.leaks,
          words: catalogue(language).passwords.hint(asked),
        }
        return { kind: 'json', status: 200, body }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/password',
      operationId: 'changePassword',
      tag: TAG,
      summary: 'Change the password',
      description: 'A guess at the present one is paid for and counted like a sign-in.',
      stage: 'fresh',
      body: change,
      answers,
      problems,
      handle: (call) => changed(deps, call),
    }),
    apiRoute({
      method: 'POST',
      path: '/password/due',
      operationId: 'changeDuePassword',
      tag: TAG,
      summary: 'Choose the new password that is owed, and go on',
      stage: 'password_due',
      body: change,
      answers,
      problems,
      handle: async (call) => {
        const { session, account } = call.caller
        // SECURITY: a session that began before there was a second factor changes no password.
        const lacks =
          levelOf(session.factors) === 'one_factor' && (await deps.enrolled.hasSecond(account.id))
        return lacks ? refuse('session_ended') : changed(deps, call)
      },
    }),
  ]
}

async function changed(
  deps: ApiDeps,
  call: {
    readonly visit: Visit
    readonly language: 'fr' | 'en'
    readonly caller: ApiCaller
    readonly context: LoginContext
    readonly body: z.output<typeof change>
  },
): Promise<ApiResult> {
  const { visit, language, caller, context, body } = call
  const { session, account } = caller
  const words = catalogue(language).passwords
  const current = body.current_password ?? ''
  if (current === '' && deps.passwordChange.asksCurrent(session)) {
    return refuse('invalid_request', {
      faults: [
        { path: '/body/current_password', code: 'invalid_type', message: words.emptyCurrent },
      ],
    })
  }
  const outcome = await deps.passwordChange.change(
    session,
    account,
    {
      current: new Secret(current),
      next: new Secret(body.new_password),
      endOthers: body.end_other_sessions,
    },
    context,
  )
  switch (outcome.kind) {
    case 'changed':
      return signedIn(deps, visit, outcome, session)
    case 'wrong':
      return refuse('wrong_credentials')
    case 'refused': {
      const { refusal } = outcome
      return refuse('password_refused', {
        detail: words.problem(refusal),
        extra: { reason: refusal.problem },
      })
    }
    case 'limited':
      return tooMany(outcome.budget, outcome.take)
    case 'busy':
      return refuse('busy', { headers: [['Retry-After', '5']] })
    case 'gone':
      return refuse('session_ended')
    default:
      return unreachable(outcome)
  }
}
