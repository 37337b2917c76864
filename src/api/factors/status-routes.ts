import { z } from 'zod'
import { MOST_PASSKEYS } from '../../factors/passkeys/passkeys.ts'
import { MAX_TOTP_DEVICES } from '../../factors/totp/totp.ts'
import { LEVELS } from '../../identity/principal.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type ApiCaller, type ApiRoute, apiRoute, type RawCall } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { phoneOf, phoneState } from './phone-routes.ts'
import { codesLeft, codesLeftOf } from './recovery-code-routes.ts'

const METHODS = ['passkey', 'totp', 'sms', 'recovery_code'] as const

const methodState = z.object({
  count: z.int(),
  can_add: z.boolean(),
})

const factorStatus = z
  .object({
    level: z.enum(LEVELS).describe('What this session has proved'),
    second_factor: z.boolean().describe('Whether the account has any'),
    required: z.boolean().describe('Whether the account must have one'),
    required_from: instant
      .nullable()
      .describe('From then on a password alone opens nothing; null: no such instant'),
    methods: z.object({
      passkeys: methodState,
      totp: methodState,
      phone: phoneState,
      recovery_codes: codesLeft,
    }),
    backup: z
      .array(z.enum(METHODS))
      .describe('What is left for a second step when the first way of all is lost, best first'),
  })
  .meta({ id: 'FactorStatus' })

/** What the account has to prove who it is with. */
export function factorStatusRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/factors',
      operationId: 'getFactors',
      tag: 'Factors',
      summary: 'What the account can prove who it is with, and what it must have',
      stage: 'complete',
      whileDue: true,
      answers: { 200: { description: 'The factors', schema: factorStatus } },
      handle: async (call) => ({ kind: 'json', status: 200, body: await statusOf(deps, call) }),
    }),
  ]
}

async function statusOf(
  deps: ApiDeps,
  { visit, caller: { account, level } }: Pick<RawCall, 'visit'> & { readonly caller: ApiCaller },
): Promise<z.output<typeof factorStatus>> {
  const { id } = account
  const [has, second, passkeys, codes, phone] = await Promise.all([
    deps.enrolled.of(id),
    deps.enrolled.hasSecond(id),
    deps.passkeys.ofUser(id),
    codesLeftOf(deps, id),
    phoneOf(deps, id),
  ])
  const duty = deps.duty.of(account)
  const there: Readonly<Record<(typeof METHODS)[number], number>> = {
    passkey: passkeys.length,
    totp: has.totp,
    sms: has.sms ? 1 : 0,
    recovery_code: has.recoveryCodes,
  }
  // Two of a kind are each other's backup; codes are none for themselves.
  const best = METHODS.find((method) => there[method] > 0)
  const backup = METHODS.filter((method) =>
    method === best && method !== 'recovery_code' ? there[method] > 1 : there[method] > 0,
  )
  return {
    level,
    second_factor: second,
    required: deps.duty.mustStay(account, 'phone').any,
    required_from: duty.kind === 'required' ? instantOf(duty.until) : null,
    methods: {
      passkeys: {
        count: passkeys.length,
        can_add: passkeys.length < MOST_PASSKEYS && deps.passkeys.usableAt(visit.site.origin),
      },
      totp: { count: has.totp, can_add: has.totp < MAX_TOTP_DEVICES },
      phone,
      recovery_codes: codes,
    },
    backup: best === undefined || best === 'recovery_code' ? [] : backup,
  }
}
