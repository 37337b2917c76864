import { z } from 'zod'
import { parseTotpCode } from '../../factors/totp/totp.ts'
import { SECOND } from '../../lib/duration.ts'
import { secondStepPurpose } from '../../login/passkey-login.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse, refusedStep, tooMany } from '../refusals.ts'
import { type ApiResult, type ApiRoute, apiRoute } from '../route.ts'
import { codeText } from '../schemas.ts'
import {
  optionsBody,
  passkeyCredential,
  passkeyOptions,
  refusedPasskey,
} from './passkey-credential.ts'
import { signedIn, signInAnswer } from './signed-in.ts'

/** Where a factor is proved: after the password, or again. */
export type StepPlace = 'second_step' | 'confirm'

const PLACES = {
  second_step: {
    stage: 'mfa_pending',
    path: '/second-step',
    tag: 'Second step',
    suffix: 'SecondStep',
    purpose: 'login',
    verb: 'Finish signing in',
  },
  confirm: {
    stage: 'complete',
    path: '/confirm',
    tag: 'Confirming who one is',
    suffix: 'Confirmation',
    purpose: 'confirm',
    verb: 'Confirm who you are',
  },
} as const

const sent = z.object({
  expires_in: z.int().describe('Seconds the code is good for'),
  next_in: z.int().describe('Seconds until another one may be asked for'),
})

/**
 * Proving a factor. The session gets a new id by it: whatever tokens there were are dead, and the
 * answer brings those that take their place.
 */
export function stepRoutes(deps: ApiDeps, at: StepPlace): readonly ApiRoute[] {
  const { stage, path, tag, suffix, purpose, verb } = PLACES[at]
  const answers = {
    200: { description: 'It was right; earlier tokens are dead', schema: signInAnswer },
  }
  const problems = [
    'wrong_credentials',
    'clock_drift',
    'session_ended',
    'too_many_requests',
    'busy',
  ] as const
  const codeBody = z.strictObject({ code: codeText })
  const common = { method: 'POST', tag, stage, whileDue: true } as const

  return [
    apiRoute({
      ...common,
      path: `${path}/totp`,
      operationId: `totp${suffix}`,
      summary: `${verb} with a code of an authenticator app`,
      body: codeBody,
      answers,
      problems,
      handle: async ({ visit, caller, body, context, language }) => {
        const code = parseTotpCode(body.code)
        if (code.kind !== 'ok') return notSixDigits(language)
        const { session, account } = caller
        const outcome = await deps.login.withTotp(session, account, code.code, context)
        return outcome.kind === 'signed_in'
          ? signedIn(deps, visit, outcome, session)
          : refusedStep(outcome)
      },
    }),
    apiRoute({
      ...common,
      path: `${path}/recovery-code`,
      operationId: `recoveryCode${suffix}`,
      summary: `${verb} with a recovery code, which is used up`,
      body: codeBody,
      answers,
      problems,
      handle: async ({ visit, caller, body, context }) => {
        const { session, account } = caller
        const outcome = await deps.login.withRecoveryCode(session, account, body.code, context)
        return outcome.kind === 'signed_in'
          ? signedIn(deps, visit, outcome, session)
          : refusedStep(outcome)
      },
    }),
    apiRoute({
      ...common,
      path: `${path}/sms/send`,
      operationId: `sendSms${suffix}`,
      summary: 'Have a code sent to the account’s phone number',
      answers: { 202: { description: 'It is on its way', schema: sent } },
      problems: ['not_found', 'conflict', 'too_many_requests', 'not_sent'],
      handle: async ({ caller, context, language }) => {
        if (!deps.phones.enabled) return refuse('not_found')
        const { session, account } = caller
        const outcome = await deps.sms.request({ session, account, context }, purpose, language)
        switch (outcome.kind) {
          case 'sent':
            break
          case 'too_soon':
            return waitUntil(outcome.retryAt, deps.clock.now())
          case 'limited':
            return tooMany(outcome.budget, outcome.take)
          case 'failed':
            return refuse('not_sent', { headers: [['Retry-After', '60']] })
          case 'no_number':
            return refuse('conflict')
        }
        const code = await deps.sms.waiting(session, purpose)
        const now = deps.clock.now()
        const seconds = (until: number) => Math.max(0, Math.ceil((until - now) / SECOND))
        return {
          kind: 'json',
          status: 202,
          body: {
            expires_in: seconds(code?.expiresAt ?? now),
            next_in: seconds(code?.nextAt ?? now),
          },
        }
      },
    }),
    apiRoute({
      ...common,
      path: `${path}/sms`,
      operationId: `sms${suffix}`,
      summary: `${verb} with the code of a text message`,
      body: codeBody,
      answers,
      problems: [...problems, 'not_found'],
      handle: async ({ visit, caller, body, context, language }) => {
        if (!deps.phones.enabled) return refuse('not_found')
        const code = parseTotpCode(body.code)
        if (code.kind !== 'ok') return notSixDigits(language)
        const { session, account } = caller
        const outcome = await deps.sms.prove({ session, account, context }, purpose, code.code)
        return outcome.kind === 'signed_in'
          ? signedIn(deps, visit, outcome, session)
          : refusedStep(outcome)
      },
    }),
    apiRoute({
      ...common,
      path: `${path}/passkey/options`,
      operationId: `passkey${suffix}Options`,
      summary: 'What to ask one of the account’s passkeys with',
      answers: {
        200: {
          description: 'For `navigator.credentials.get()` on a page of the portal’s origin',
          schema: z.object({ options: passkeyOptions }),
        },
      },
      problems: ['not_found', 'conflict'],
      handle: async ({ visit, caller }) => {
        if (!deps.passkeys.usableAt(visit.site.origin)) return refuse('not_found')
        const allowed = await deps.passkeys.ofUser(caller.account.id)
        if (allowed.length === 0) return refuse('conflict')
        const options = deps.passkeys.request(secondStepPurpose(at, caller.session), allowed)
        return { kind: 'json', status: 200, body: { options: optionsBody(options) } }
      },
    }),
    apiRoute({
      ...common,
      path: `${path}/passkey`,
      operationId: `passkey${suffix}`,
      summary: `${verb} with a passkey`,
      body: z.strictObject({ credential: passkeyCredential }),
      answers,
      problems: [...problems, 'challenge_expired'],
      handle: async ({ visit, caller, body, context }) => {
        const { session, account } = caller
        const outcome = await deps.passkeyLogin.second(
          JSON.stringify(body.credential),
          session,
          account,
          { ceremony: at, origin: visit.site.origin },
          context,
        )
        return outcome.kind === 'signed_in'
          ? signedIn(deps, visit, outcome, session)
          : refusedPasskey(outcome, deps.passkeys.rpId)
      },
    }),
  ]
}

function waitUntil(retryAt: number, now: number): ApiResult {
  const seconds = Math.max(1, Math.ceil((retryAt - now) / SECOND))
  return refuse('too_many_requests', { headers: [['Retry-After', String(seconds)]] })
}

/** Nothing was judged or counted. */
function notSixDigits(language: 'fr' | 'en'): ApiResult {
  const message = { en: 'six digits', fr: 'six chiffres' }[language]
  return refuse('invalid_request', { faults: [{ path: '/body/code', code: 'format', message }] })
}
