import type { VerifyAuthenticationResponseOpts } from '@simplewebauthn/server'
import type { Passkey } from './passkey-store.ts'
import type { Assertion, Attestation } from './webauthn-response.ts'

/** What both ceremonies are checked against. */
export type Expected = {
  readonly rpId: string
  /** The one origin whose page asked. */
  readonly origin: string
  readonly requireUserVerification: boolean
}

/** COSE numbers of the signature algorithms that are asked for: ES256, EdDSA, RS256. */
export const ALGORITHMS = [-7, -8, -257] as const

/**
 * What the authenticator said, once everything about it is right (WebAuthn Level 3, section 7.2);
 * `undefined` when anything is not. The counter is left to the caller, and the challenge was
 * judged before.
 */
export async function verifyAssertion(
  assertion: Assertion,
  passkey: Pick<Passkey, 'credentialId' | 'publicKey'>,
  expected: Expected,
): Promise<
  | { readonly counter: number; readonly userVerified: boolean; readonly backedUp: boolean }
  | undefined
> {
  const { id, challenge, clientDataJSON, authenticatorData, signature, userHandle } = assertion
  const options: VerifyAuthenticationResponseOpts = {
    response: {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: { clientDataJSON, authenticatorData, signature, userHandle },
    },
    expectedChallenge: challenge,
    expectedOrigin: expected.origin,
    expectedRPID: expected.rpId,
    expectedType: 'webauthn.get',
    requireUserVerification: expected.requireUserVerification,
    credential: {
      id: passkey.credentialId,
      publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
      // A counter is worth a word only after the signature is known to be right.
      counter: 0,
    },
  }
  const { verifyAuthenticationResponse } = await library()
  const verified = await orNothing(() => verifyAuthenticationResponse(options))
  if (verified?.verified !== true) return undefined
  const { newCounter, userVerified, credentialBackedUp } = verified.authenticationInfo
  return { counter: newCounter, userVerified, backedUp: credentialBackedUp }
}

/** A new credential, once everything about it is right (section 7.1). No attestation is asked for. */
export async function verifyAttestation(
  attestation: Attestation,
  expected: Expected,
): Promise<
  | Pick<
      Passkey,
      | 'credentialId'
      | 'publicKey'
      | 'counter'
      | 'transports'
      | 'aaguid'
      | 'userVerified'
      | 'backedUp'
    >
  | undefined
> {
  const { id, challenge, clientDataJSON, attestationObject, transports } = attestation
  const { verifyRegistrationResponse } = await library()
  const verified = await orNothing(() =>
    verifyRegistrationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON, attestationObject },
      },
      expectedChallenge: challenge,
      expectedOrigin: expected.origin,
      expectedRPID: expected.rpId,
      expectedType: 'webauthn.create',
      requireUserVerification: expected.requireUserVerification,
      supportedAlgorithmIDs: [...ALGORITHMS],
    }),
  )
  if (verified?.verified !== true) return undefined
  const { credential, aaguid, userVerified, credentialBackedUp } = verified.registrationInfo
  // What is stored is what was signed; the id beside it is the client's say.
  if (credential.id !== id) return undefined
  return {
    credentialId: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports,
    aaguid,
    userVerified,
    backedUp: credentialBackedUp,
  }
}

/** Loaded with the first passkey: it takes a tenth of a second, which no start need wait for. */
function library(): Promise<typeof import('@simplewebauthn/server')> {
  return import('@simplewebauthn/server')
}

/** The library throws for whatever does not fit; to us that is one answer. */
async function orNothing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch {
    return undefined
  }
}
