import { z } from 'zod'
import type { PasskeyOutcome } from '../../login/passkey-login.ts'
import { refuse, refusedStep } from '../refusals.ts'
import type { ApiResult } from '../route.ts'

const bytes = z.string().max(8192)

/** What `PublicKeyCredential.toJSON()` gives for an assertion (WebAuthn Level 3, 5.1.8). */
export const passkeyCredential = z
  .object({
    id: bytes,
    rawId: bytes,
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: bytes,
      authenticatorData: bytes,
      signature: bytes,
      userHandle: bytes.nullish(),
    }),
  })
  .meta({ id: 'PasskeyAssertion' })

/** What `PublicKeyCredential.parseRequestOptionsFromJSON()` takes. */
export const passkeyOptions = z
  .looseObject({ challenge: z.string() })
  .meta({ id: 'PasskeyRequestOptions' })

/** The options as the core wrote them. */
export function optionsBody(json: string): z.output<typeof passkeyOptions> {
  return passkeyOptions.parse(JSON.parse(json))
}

/** What a passkey's step came to when it was not right. */
export function refusedPasskey(
  outcome: Exclude<PasskeyOutcome, { kind: 'signed_in' }>,
  rpId: string,
): ApiResult {
  switch (outcome.kind) {
    case 'expired':
      return refuse('challenge_expired')
    case 'unknown_credential':
      // So that its keeper can forget it (WebAuthn Level 3, 5.1.10).
      return refuse('wrong_credentials', {
        extra: { unknown_credential: outcome.credentialId, rp_id: rpId },
      })
    default:
      return refusedStep(outcome)
  }
}
