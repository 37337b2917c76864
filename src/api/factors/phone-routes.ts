import { z } from 'zod'
import { readPhoneNumber } from '../../factors/sms/phone-number.ts'
import { parseTotpCode } from '../../factors/totp/totp.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { removeOwnFactor } from '../../login/factor-changes.ts'
import type { SmsRequestOutcome } from '../../login/sms-login.ts'
import type { Session } from '../../sessions/session.ts'
import type { ApiDeps } from '../api-deps.ts'
import { tokenPair } from '../auth/issued-pair.ts'
import { refuse, refusedStep, tooMany } from '../refusals.ts'
import { type ApiResult, type ApiRoute, apiRoute } from '../route.ts'
import { codeText, instant, instantOf } from '../schemas.ts'
import { codesIfNone, freshCodes, tokensOnly, withTokens } from './factor-answer.ts'
import { removed } from './own-device.ts'

const TAG = 'Phone'

/** A number that waits for the code that proves it. */
const waitingNumber = z
  .object({
    ends_in: z.string().describe('The last two digits of the number'),
    expires_at: instant,
    next_at: instant.describe('When another code may be asked for'),
  })
  .meta({ id: 'WaitingNumber' })

export const phoneState = z
  .object({
    enabled: z.boolean().describe('Whether codes can be sent at all'),
    number: z.string().nullable().describe('All but its end is hidden'),
    verified_at: instant.nullable(),
  })
  .meta({ id: 'Phone' })

/** The number that codes go to: set, proved, replaced and removed by its owner. */
export function phoneRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const waiting = async (session: Session) => {
    const code = await deps.sms.waitingNumber(session)
    if (code?.number === undefined) return null
    return {
      ends_in: code.number.reveal().slice(-2),
      expires_at: instantOf(code.expiresAt),
      next_at: instantOf(code.nextAt),
    }
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/factors/phone',
      operationId: 'getPhone',
      tag: TAG,
      summary: 'The number that codes go to, and the one that waits to be proved',
      stage: 'complete',
      whileDue: true,
      answers: {
        200: {
          description: 'The numbers',
          schema: z.object({ phone: phoneState, waiting: waitingNumber.nullable() }),
        },
      },
      handle: async ({ caller: { session, account } }) => {
        const phone = await phoneOf(deps, account.id)
        return { kind: 'json', status: 200, body: { phone, waiting: await waiting(session) } }
      },
    }),
    apiRoute({
      method: 'PUT',
      path: '/factors/phone',
      operationId: 'setPhone',
      tag: TAG,
      summary: 'Send a code to a number that is to become the account’s',
      description:
        'Nothing changes until the code proves it. The same call sends another code; one a minute and three an hour at most.',
      stage: 'fresh',
      whileDue: true,
      body: z.strictObject({
        number: z
          .string()
          .min(1)
          .max(64)
          .describe('With + and the country')
          .meta({ examples: ['+33 6 12 34 56 78'] }),
      }),
      answers: { 202: { description: 'A code is under way', schema: waitingNumber } },
      problems: ['not_found', 'number_refused', 'not_sent'],
      handle: async ({ caller, body, language, context }) => {
        if (!deps.phones.enabled) return refuse('not_found')
        const read = await readPhoneNumber(body.number, deps.phones.countryFor(language))
        if (read.kind !== 'ok') {
          return refuse('number_refused', { extra: { reason: read.kind } })
        }
        const outcome = await deps.sms.requestNumber({ ...caller, context }, read.number, language)
        if (outcome.kind !== 'sent') return notSent(deps, outcome)
        const sent = await waiting(caller.session)
        return sent === null ? refuse('not_sent') : { kind: 'json', status: 202, body: sent }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/factors/phone/verify',
      operationId: 'verifyPhone',
      tag: TAG,
      summary: 'Prove the number with the code that was sent to it',
      stage: 'fresh',
      whileDue: true,
      body: z.strictObject({ code: codeText.meta({ examples: ['492039'] }) }),
      answers: {
        200: {
          description: 'The number is the account’s, and the session has proved it',
          schema: z
            .object({ phone: phoneState, recovery_codes: freshCodes, tokens: tokenPair })
            .meta({ id: 'PhoneVerified' }),
        },
      },
      problems: [
        ...(['not_found', 'nothing_started', 'wrong_credentials'] as const),
        ...(['session_ended', 'busy'] as const),
      ],
      handle: async ({ caller, body, context }) => {
        if (!deps.phones.enabled) return refuse('not_found')
        if ((await waiting(caller.session)) === null) return refuse('nothing_started')
        const code = parseTotpCode(body.code)
        if (code.kind !== 'ok') return refuse('wrong_credentials')
        const outcome = await deps.sms.proveNumber({ ...caller, context }, code.code)
        if (outcome.kind !== 'signed_in') return refusedStep(outcome)
        const { issued } = outcome
        const phone = await phoneOf(deps, caller.account.id)
        const codes = await codesIfNone(deps, caller, issued, context)
        return withTokens(deps, caller, issued, 200, (tokens) => ({
          phone,
          recovery_codes: codes,
          tokens,
        }))
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/factors/phone',
      operationId: 'removePhone',
      tag: TAG,
      summary: 'Remove the number',
      stage: 'fresh',
      answers: { 200: { description: 'It is gone', schema: tokensOnly } },
      problems: ['not_found', 'factor_needed', 'session_ended'],
      handle: async ({ caller, context }) => {
        if (!deps.phones.enabled) return refuse('not_found')
        return removed(
          deps,
          caller,
          await removeOwnFactor(deps, { ...caller, context }, { kind: 'phone' }),
        )
      },
    }),
  ]
}

export async function phoneOf(
  { phones }: Pick<ApiDeps, 'phones'>,
  userId: Parameters<ApiDeps['phones']['shown']>[0],
) {
  const shown = phones.enabled ? await phones.shown(userId) : undefined
  return {
    enabled: phones.enabled,
    number: shown?.masked ?? null,
    verified_at: shown === undefined ? null : instantOf(shown.verifiedAt),
  }
}

/** Why no code was sent, and when one may be. */
function notSent(
  { clock }: Pick<ApiDeps, 'clock'>,
  outcome: Exclude<SmsRequestOutcome, { kind: 'sent' }>,
): ApiResult {
  switch (outcome.kind) {
    case 'too_soon': {
      const seconds = Math.max(1, Math.ceil((outcome.retryAt - clock.now()) / 1000))
      return refuse('too_many_requests', { headers: [['Retry-After', String(seconds)]] })
    }
    case 'limited':
      return tooMany(outcome.budget, outcome.take)
    case 'failed':
    case 'no_number':
      return refuse('not_sent', { headers: [['Retry-After', '60']] })
    default:
      return unreachable(outcome)
  }
}
