import { z } from 'zod'
import { readLabel } from '../../factors/device-label.ts'
import { providerName } from '../../factors/passkeys/aaguid-names.ts'
import type { Passkey } from '../../factors/passkeys/passkey-store.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { describeUserAgent } from '../../lib/user-agent.ts'
import {
  addOwnPasskey,
  creationPurpose,
  removeOwnFactor,
  renameOwnPasskey,
} from '../../login/factor-changes.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { ApiDeps } from '../api-deps.ts'
import { tokenPair } from '../auth/issued-pair.ts'
import { userAgentOf } from '../caller.ts'
import { refuse } from '../refusals.ts'
import { type ApiCaller, type ApiRoute, apiRoute, type RawCall } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { codesIfNone, freshCodes, tokensOnly, withTokens } from './factor-answer.ts'
import { blankName, changedName, deviceName, lastUse, removed } from './own-device.ts'

const TAG = 'Passkeys'
const KINDS = ['passkey', 'security_key'] as const

const passkey = z
  .object({
    id: z.string().describe('pk_…'),
    name: z.string(),
    provider: z.string().nullable().describe('Who says it made it; not proved'),
    kind: z.enum(KINDS).describe('security_key: it does not tell its owner from others'),
    added_at: instant,
    last_used_at: instant.nullable(),
  })
  .meta({ id: 'Passkey' })

const kind = z
  .enum(KINDS)
  .default('passkey')
  .describe('security_key: a key without PIN or fingerprint, as a second step only')

/** Passkeys and security keys: registered, named, removed (WebAuthn Level 3). */
export function passkeyRoutes(deps: ApiDeps): readonly ApiRoute[] {
  /** SECURITY: somebody else's is as unknown as one that never was. */
  const own = async ({ account }: ApiCaller, id = '') =>
    (await deps.passkeys.ofUser(account.id)).find((one) => one.id === id)

  return [
    apiRoute({
      method: 'GET',
      path: '/factors/passkeys',
      operationId: 'listPasskeys',
      tag: TAG,
      summary: 'The account’s passkeys and security keys, oldest first',
      stage: 'complete',
      answers: {
        200: { description: 'The passkeys', schema: z.object({ passkeys: z.array(passkey) }) },
      },
      handle: async ({ caller }) => {
        const passkeys = (await deps.passkeys.ofUser(caller.account.id)).map(shown)
        return { kind: 'json', status: 200, body: { passkeys } }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/factors/passkeys/options',
      operationId: 'startPasskey',
      tag: TAG,
      summary: 'Ask what a passkey is to be made with',
      description:
        'For `navigator.credentials.create()` on a page of this portal’s address, with `PublicKeyCredential.parseCreationOptionsFromJSON()`. Good for five minutes and for this session.',
      stage: 'fresh',
      whileDue: true,
      body: z.strictObject({ kind }),
      answers: {
        200: {
          description: 'PublicKeyCredentialCreationOptionsJSON (WebAuthn Level 3, 5.4)',
          schema: z.looseObject({ challenge: z.string() }).meta({ id: 'PasskeyCreationOptions' }),
        },
      },
      problems: ['not_found'],
      handle: async ({ visit, caller: { session, account }, body }) => {
        if (!deps.passkeys.usableAt(visit.site.origin)) return refuse('not_found')
        const known = await deps.passkeys.ofUser(account.id)
        const purpose = creationPurpose(CEREMONIES[body.kind], session)
        const options: unknown = JSON.parse(deps.passkeys.creation(purpose, account, known))
        // What is written there is an object.
        return { kind: 'json', status: 200, body: options as object }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/factors/passkeys',
      operationId: 'registerPasskey',
      tag: TAG,
      summary: 'Register the passkey that was made',
      stage: 'fresh',
      whileDue: true,
      body: z.strictObject({
        credential: z
          .looseObject({ id: z.string(), type: z.literal('public-key') })
          .describe('RegistrationResponseJSON: what toJSON() of the credential gives'),
        kind,
        name: deviceName.optional(),
      }),
      answers: {
        201: {
          description: 'It is registered, and the session has proved it',
          schema: z
            .object({ passkey, recovery_codes: freshCodes, tokens: tokenPair })
            .meta({ id: 'PasskeyAdded' }),
        },
      },
      problems: [
        ...(['not_found', 'passkey_refused', 'challenge_expired'] as const),
        ...(['passkey_known', 'too_many_factors', 'session_ended'] as const),
      ],
      handle: async (call) => {
        const { visit, caller, body, context } = call
        if (!deps.passkeys.usableAt(visit.site.origin)) return refuse('not_found')
        const typed = readLabel(body.name ?? '')
        const outcome = await addOwnPasskey(
          deps,
          { ...caller, context },
          {
            json: JSON.stringify(body.credential),
            ceremony: CEREMONIES[body.kind],
            origin: visit.site.origin,
            labelFor: (aaguid) =>
              typed === '' ? (providerName(aaguid) ?? usualName(call, body.kind)) : typed,
          },
        )
        switch (outcome.kind) {
          case 'added': {
            const { issued, id } = outcome
            const added = await own(caller, id)
            if (added === undefined) return refuse('session_ended')
            const codes = await codesIfNone(deps, caller, issued, context)
            return withTokens(deps, caller, issued, 201, (tokens) => ({
              passkey: shown(added),
              recovery_codes: codes,
              tokens,
            }))
          }
          case 'wrong':
            return refuse('passkey_refused')
          case 'spent':
          case 'expired':
            return refuse('challenge_expired')
          case 'known':
            return refuse('passkey_known')
          case 'full':
            return refuse('too_many_factors')
          case 'session_gone':
            return refuse('session_ended')
          default:
            return unreachable(outcome)
        }
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: '/factors/passkeys/{id}',
      operationId: 'renamePasskey',
      tag: TAG,
      summary: 'Give a passkey another name',
      stage: 'fresh',
      body: changedName,
      answers: { 200: { description: 'The passkey', schema: passkey } },
      problems: ['not_found'],
      handle: async ({ caller, params, body, language, context }) => {
        const one = await own(caller, params['id'])
        if (one === undefined) return refuse('not_found')
        const label = readLabel(body.name)
        if (label === '') return blankName(language)
        const done = await renameOwnPasskey(deps, { ...caller, context }, one.id, label)
        if (!done) return refuse('not_found')
        return { kind: 'json', status: 200, body: shown({ ...one, label }) }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/factors/passkeys/{id}',
      operationId: 'removePasskey',
      tag: TAG,
      summary: 'Remove a passkey',
      description: 'It stays on the device, and opens nothing any more.',
      stage: 'fresh',
      answers: { 200: { description: 'It is gone', schema: tokensOnly } },
      problems: ['not_found', 'factor_needed', 'session_ended'],
      handle: async ({ caller, params, context }) => {
        const one = await own(caller, params['id'])
        if (one === undefined) return refuse('not_found')
        const factor = { kind: 'passkey', id: one.id } as const
        return removed(
          deps,
          caller,
          await removeOwnFactor(deps, { ...caller, context }, factor, one.label),
        )
      },
    }),
  ]
}

const CEREMONIES = { passkey: 'register', security_key: 'register_key' } as const

function shown(one: Passkey) {
  return {
    id: one.id,
    name: one.label,
    provider: providerName(one.aaguid) ?? null,
    kind: one.userVerified ? 'passkey' : 'security_key',
    added_at: instantOf(one.createdAt),
    last_used_at: lastUse(one.lastUsedAt),
  }
}

/** What it is called when it does not say what it is: by where it was made. */
function usualName(
  { visit, language }: Pick<RawCall, 'visit' | 'language'>,
  kind: keyof typeof CEREMONIES,
): string {
  const text = catalogue(language).passkeys
  if (kind === 'security_key') return text.keyLabel
  const { browser, system } = describeUserAgent(userAgentOf(visit))
  return text.label(browser, system)
}
