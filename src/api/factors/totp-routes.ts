import { z } from 'zod'
import { readLabel } from '../../factors/device-label.ts'
import {
  ENROLMENT_FOR,
  MAX_TOTP_DEVICES,
  otpauthUri,
  parseTotpCode,
  type ShownDevice,
} from '../../factors/totp/totp.ts'
import { totpQrPng, totpQrSvg } from '../../factors/totp/totp-qr.ts'
import { removeOwnFactor, renameOwnTotp } from '../../login/factor-changes.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { ApiDeps } from '../api-deps.ts'
import { tokenPair } from '../auth/issued-pair.ts'
import { refuse, refusedStep } from '../refusals.ts'
import { type ApiCaller, type ApiRoute, apiRoute } from '../route.ts'
import { codeText, instant, instantOf } from '../schemas.ts'
import { codesIfNone, freshCodes, tokensOnly, withTokens } from './factor-answer.ts'
import { blankName, changedName, deviceName, lastUse, removed } from './own-device.ts'

const TAG = 'Authenticator apps'
const SETUP = '/factors/totp/enrolment'

const device = z
  .object({
    id: z.string().describe('otp_…'),
    name: z.string(),
    added_at: instant,
    last_used_at: instant.nullable(),
  })
  .meta({ id: 'AuthenticatorApp' })

/** Authenticator apps: set up, named, removed. */
export function totpRoutes(deps: ApiDeps): readonly ApiRoute[] {
  /** `undefined`: somebody else's is as unknown as one that never was. */
  const own = async ({ account }: ApiCaller, id = '') =>
    (await deps.totp.devices(account.id)).find((one) => one.id === id)

  const uriOf = async ({ account }: ApiCaller) => {
    const secret = await deps.totp.enrolmentOf(account.id)
    return secret && otpauthUri({ issuer: deps.name, account: account.name, secret })
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/factors/totp',
      operationId: 'listAuthenticatorApps',
      tag: TAG,
      summary: 'The account’s authenticator apps, oldest first',
      stage: 'complete',
      answers: {
        200: { description: 'The apps', schema: z.object({ apps: z.array(device) }) },
      },
      handle: async ({ caller }) => {
        const apps = (await deps.totp.devices(caller.account.id)).map(shown)
        return { kind: 'json', status: 200, body: { apps } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: SETUP,
      operationId: 'startAuthenticatorApp',
      tag: TAG,
      summary: 'Start to set up an authenticator app',
      description:
        'Gives a new secret, which takes the place of one that was given and not confirmed. It protects nothing until a code of the app confirms it, within 15 minutes.',
      stage: 'fresh',
      whileDue: true,
      answers: {
        201: {
          description: 'The secret, this once',
          schema: z
            .object({
              secret: z.string().describe('Base 32'),
              otpauth_uri: z.string().describe('What the QR code says'),
              expires_at: instant,
            })
            .meta({ id: 'AuthenticatorSetup' }),
        },
      },
      problems: ['too_many_factors'],
      handle: async ({ caller: { account } }) => {
        if ((await deps.totp.devices(account.id)).length >= MAX_TOTP_DEVICES) {
          return refuse('too_many_factors')
        }
        const secret = await deps.totp.startEnrolment(account.id)
        const body = {
          secret: secret.reveal(),
          otpauth_uri: otpauthUri({ issuer: deps.name, account: account.name, secret }),
          expires_at: instantOf(deps.clock.now() + ENROLMENT_FOR),
        }
        return { kind: 'json', status: 201, body }
      },
    }),
    ...QR_CODES.map(({ name, type, operationId, draw }) =>
      apiRoute({
        method: 'GET',
        path: `${SETUP}/${name}`,
        operationId,
        tag: TAG,
        summary: `The secret that waits to be confirmed, as a QR code (${name.slice(-3).toUpperCase()})`,
        stage: 'fresh',
        whileDue: true,
        answers: { 200: { description: 'The picture', type } },
        problems: ['nothing_started'],
        handle: async ({ caller }) => {
          const uri = await uriOf(caller)
          return uri === undefined
            ? refuse('nothing_started')
            : { kind: 'file', type, body: draw(uri) }
        },
      }),
    ),
    apiRoute({
      method: 'POST',
      path: '/factors/totp',
      operationId: 'confirmAuthenticatorApp',
      tag: TAG,
      summary: 'Confirm the app with a code it shows, and turn it on',
      description: 'The code is used up by it.',
      stage: 'fresh',
      whileDue: true,
      body: z.strictObject({
        code: codeText.meta({ examples: ['492039'] }),
        name: deviceName.optional(),
      }),
      answers: {
        201: {
          description: 'It is on, and the session has proved it',
          schema: z
            .object({ app: device, recovery_codes: freshCodes, tokens: tokenPair })
            .meta({ id: 'AuthenticatorAdded' }),
        },
      },
      problems: [
        ...(['nothing_started', 'too_many_factors', 'wrong_credentials'] as const),
        ...(['clock_drift', 'session_ended', 'busy'] as const),
      ],
      handle: async ({ caller, body, language, context }) => {
        const { session, account } = caller
        const known = new Set((await deps.totp.devices(account.id)).map(({ id }) => id))
        if (known.size >= MAX_TOTP_DEVICES) return refuse('too_many_factors')
        if ((await deps.totp.enrolmentOf(account.id)) === undefined) {
          return refuse('nothing_started')
        }
        const code = parseTotpCode(body.code)
        if (code.kind !== 'ok') return refuse('wrong_credentials')
        const typed = readLabel(body.name ?? '')
        const label = typed === '' ? catalogue(language).device.defaultName : typed
        const outcome = await deps.login.withNewTotp(
          session,
          account,
          { code: code.code, label },
          context,
        )
        if (outcome.kind !== 'signed_in') return refusedStep(outcome)
        const { issued } = outcome
        const added = (await deps.totp.devices(account.id)).find(({ id }) => !known.has(id))
        if (added === undefined) return refuse('session_ended')
        const codes = await codesIfNone(deps, caller, issued, context)
        return withTokens(deps, caller, issued, 201, (tokens) => ({
          app: shown(added),
          recovery_codes: codes,
          tokens,
        }))
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: '/factors/totp/{id}',
      operationId: 'renameAuthenticatorApp',
      tag: TAG,
      summary: 'Give an authenticator app another name',
      description: 'A name that another app of the account has is numbered.',
      stage: 'fresh',
      body: changedName,
      answers: { 200: { description: 'The app', schema: device } },
      problems: ['not_found'],
      handle: async ({ caller, params, body, language, context }) => {
        const one = await own(caller, params['id'])
        if (one === undefined) return refuse('not_found')
        const label = readLabel(body.name)
        if (label === '') return blankName(language)
        const named = await renameOwnTotp(deps, { ...caller, context }, one.id, label)
        if (named === undefined) return refuse('not_found')
        return { kind: 'json', status: 200, body: shown({ ...one, label: named }) }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/factors/totp/{id}',
      operationId: 'removeAuthenticatorApp',
      tag: TAG,
      summary: 'Remove an authenticator app',
      stage: 'fresh',
      answers: { 200: { description: 'It is gone', schema: tokensOnly } },
      problems: ['not_found', 'factor_needed', 'session_ended'],
      handle: async ({ caller, params, context }) => {
        const one = await own(caller, params['id'])
        if (one === undefined) return refuse('not_found')
        const factor = { kind: 'totp', id: one.id } as const
        return removed(
          deps,
          caller,
          await removeOwnFactor(deps, { ...caller, context }, factor, one.label),
        )
      },
    }),
  ]
}

const QR_CODES = [
  {
    name: 'qr.svg',
    type: 'image/svg+xml',
    operationId: 'getAuthenticatorQrSvg',
    draw: totpQrSvg,
  },
  {
    name: 'qr.png',
    type: 'image/png',
    operationId: 'getAuthenticatorQrPng',
    draw: totpQrPng,
  },
] as const satisfies readonly {
  readonly draw: (uri: string) => string | Buffer
  readonly [name: string]: unknown
}[]

function shown({ id, label, createdAt, lastUsedAt }: ShownDevice) {
  return { id, name: label, added_at: instantOf(createdAt), last_used_at: lastUse(lastUsedAt) }
}
