import type { Account } from '../../accounts/account.ts'
import type { UserId } from '../../identity/principal.ts'
import { type Ceremony, CHALLENGE_FOR } from './passkey-challenge.ts'
import type { Passkey } from './passkey-store.ts'
import { ALGORITHMS } from './webauthn-verify.ts'

/**
 * What a browser is asked to prove a passkey with, as JSON for `data-options` (WebAuthn Level 3,
 * section 5.5). At a whole sign-in no credential is named, whoever is asking: there is nothing in
 * it that could tell which accounts exist.
 */
export function requestOptions(ask: {
  readonly rpId: string
  readonly ceremony: Ceremony
  readonly challenge: string
  readonly allowed: readonly Passkey[]
}): string {
  return JSON.stringify({
    challenge: ask.challenge,
    rpId: ask.rpId,
    timeout: CHALLENGE_FOR,
    userVerification: ask.ceremony === 'sign_in' ? 'required' : 'preferred',
    allowCredentials: ask.allowed.map(({ credentialId, transports }) => ({
      id: credentialId,
      type: 'public-key',
      ...(transports.length === 0 ? {} : { transports }),
    })),
  })
}

/** What a browser is asked to make a passkey with (section 5.4). No attestation is wanted. */
export function creationOptions(ask: {
  readonly rpId: string
  readonly rpName: string
  readonly ceremony: 'register' | 'register_key'
  readonly challenge: string
  readonly account: Pick<Account, 'id' | 'name' | 'displayName'>
  readonly known: readonly Passkey[]
}): string {
  const { account } = ask
  const isPasskey = ask.ceremony === 'register'
  return JSON.stringify({
    challenge: ask.challenge,
    rp: { id: ask.rpId, name: ask.rpName },
    user: {
      id: userHandle(account.id),
      name: account.name,
      displayName: account.displayName === '' ? account.name : account.displayName,
    },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: CHALLENGE_FOR,
    attestation: 'none',
    excludeCredentials: ask.known.map(({ credentialId }) => ({
      id: credentialId,
      type: 'public-key',
    })),
    authenticatorSelection: isPasskey
      ? { residentKey: 'required', requireResidentKey: true, userVerification: 'required' }
      : {
          residentKey: 'discouraged',
          requireResidentKey: false,
          userVerification: 'discouraged',
          authenticatorAttachment: 'cross-platform',
        },
    ...(isPasskey ? {} : { hints: ['security-key'] }),
  })
}

/** The account's id as authenticators keep it, base64url: random, and nobody's name. */
export function userHandle(userId: UserId): string {
  return Buffer.from(userId).toString('base64url')
}
