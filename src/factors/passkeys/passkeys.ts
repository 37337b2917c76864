import type { Account } from '../../accounts/account.ts'
import type { UserId } from '../../identity/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import { randomToken } from '../../lib/random.ts'
import { freeLabel, readLabel } from '../device-label.ts'
import type { ChallengeFor, Challenges } from './passkey-challenge.ts'
import { creationOptions, requestOptions, userHandle } from './passkey-options.ts'
import type { Passkey, PasskeyStore } from './passkey-store.ts'
import { readAssertion, readAttestation } from './webauthn-response.ts'
import type { WebauthnSite } from './webauthn-site.ts'
import { verifyAssertion, verifyAttestation } from './webauthn-verify.ts'

/** A ceremony on a page at `origin`. */
export type CeremonyAt = ChallengeFor & { readonly origin: string }

export type AssertionVerdict =
  | { readonly kind: 'right'; readonly passkey: Passkey; readonly userVerified: boolean }
  /** Well formed and ours to judge, by a credential that nobody here has. */
  | { readonly kind: 'unknown'; readonly credentialId: string }
  /** The page was open too long; nothing was judged. */
  | { readonly kind: 'expired' }
  /** `counter`: rightly signed, by a copy of the authenticator or after one: it went back. */
  | { readonly kind: 'wrong' | 'spent' | 'counter'; readonly passkey?: Passkey }

export type AdditionVerdict =
  | { readonly kind: 'added'; readonly passkey: Passkey }
  | { readonly kind: 'wrong' | 'spent' | 'expired' | 'known' | 'full' }

/** Passkeys: a second factor, and by themselves a whole sign-in (WebAuthn Level 3). */
export type Passkeys = Pick<PasskeyStore, 'ofUser'> & {
  /** The domain they are bound to. */
  readonly rpId: string
  /** Whether people without one are offered one after signing in. */
  readonly offered: boolean
  /** Whether a page at this origin can ask for one. */
  readonly usableAt: (origin: string) => boolean
  /** JSON of what a browser is asked for; at a sign-in no passkey is named. */
  readonly request: (purpose: ChallengeFor, allowed: readonly Passkey[]) => string
  /** The same for making one. */
  readonly creation: (
    purpose: ChallengeFor & { readonly ceremony: 'register' | 'register_key' },
    account: Pick<Account, 'id' | 'name' | 'displayName'>,
    known: readonly Passkey[],
  ) => string
  /** Whether a response answers a challenge of ours that is too old: judging it is no attempt. */
  readonly isExpired: (json: string, purpose: ChallengeFor) => boolean
  /**
   * Judges a response and uses its challenge up.
   * @throws AppError `store_unavailable`
   */
  readonly prove: (json: string, at: CeremonyAt) => Promise<AssertionVerdict>
  /**
   * Adds what a response brings. `labelFor` names it after what kind it is.
   * @throws AppError `store_unavailable`
   */
  readonly add: (
    json: string,
    at: CeremonyAt,
    owner: UserId,
    labelFor: (aaguid: string) => string,
  ) => Promise<AdditionVerdict>
  /** `false` when the account has no such passkey. */
  readonly rename: (userId: UserId, id: string, label: string) => Promise<boolean>
  /** JSON that tells a browser which of an account's passkeys are still good. */
  readonly accepted: (userId: UserId) => Promise<string>
}

/** An account has at most this many. */
export const MOST_PASSKEYS = 20

export function createPasskeys(
  deps: {
    readonly store: PasskeyStore
    readonly challenges: Challenges
    readonly site: WebauthnSite
    readonly clock: Clock
  },
  options: { readonly enabled: boolean; readonly offer: boolean; readonly rpName: string },
): Passkeys {
  const { store, challenges, site, clock } = deps
  const { rpId } = site
  const usableAt = (origin: string) => options.enabled && site.usableAt(origin)

  return {
    rpId,
    offered: options.enabled && options.offer,
    usableAt,
    ofUser: store.ofUser,
    rename: (userId, id, label) => store.rename(userId, id, readLabel(label)),
    request: (purpose, allowed) => {
      const { ceremony } = purpose
      return requestOptions({ rpId, ceremony, challenge: challenges.issue(purpose), allowed })
    },
    creation: (purpose, account, known) => {
      const { ceremony } = purpose
      const challenge = challenges.issue(purpose)
      return creationOptions({ rpId, rpName: options.rpName, ceremony, challenge, account, known })
    },
    isExpired: (json, purpose) => {
      const challenge = (readAssertion(json) ?? readAttestation(json))?.challenge
      return challenge !== undefined && challenges.read(challenge, purpose).kind === 'expired'
    },
    prove: async (json, { origin, ...purpose }) => {
      const assertion = usableAt(origin) ? readAssertion(json) : undefined
      if (assertion === undefined) return { kind: 'wrong' }
      const reading = challenges.read(assertion.challenge, purpose)
      if (reading.kind === 'expired') return { kind: 'expired' }
      if (reading.kind === 'foreign') return { kind: 'wrong' }
      const passkey = await store.byCredential(assertion.id)
      if (passkey === undefined) return { kind: 'unknown', credentialId: assertion.id }
      const whole = purpose.ceremony === 'sign_in'
      const { userHandle: said } = assertion
      // Who is signing in is told by the authenticator alone, so it must say it (section 7.2, 6).
      const ownsIt = whole
        ? said === userHandle(passkey.userId)
        : passkey.userId === purpose.userId && (said === '' || said === userHandle(passkey.userId))
      if (!ownsIt) return { kind: 'wrong', passkey }
      const expected = { rpId, origin, requireUserVerification: whole }
      const proved = await verifyAssertion(assertion, passkey, expected)
      if (proved === undefined) return { kind: 'wrong', passkey }
      const { counter, userVerified, backedUp } = proved
      const counts = counter > 0 || passkey.counter > 0
      if (counts && counter <= passkey.counter) return { kind: 'counter', passkey }
      if (!(await challenges.spend(reading.challenge))) return { kind: 'spent', passkey }
      const noted = await store.used(passkey.id, counter, backedUp, clock.now())
      return noted ? { kind: 'right', passkey, userVerified } : { kind: 'counter', passkey }
    },
    add: async (json, { origin, ...purpose }, owner, labelFor) => {
      const attestation = usableAt(origin) ? readAttestation(json) : undefined
      if (attestation === undefined) return { kind: 'wrong' }
      const reading = challenges.read(attestation.challenge, purpose)
      if (reading.kind === 'expired') return { kind: 'expired' }
      if (reading.kind === 'foreign') return { kind: 'wrong' }
      const requireUserVerification = purpose.ceremony === 'register'
      const made = await verifyAttestation(attestation, { rpId, origin, requireUserVerification })
      if (made === undefined) return { kind: 'wrong' }
      if (!(await challenges.spend(reading.challenge))) return { kind: 'spent' }
      const taken = (await store.ofUser(owner)).map(({ label }) => label)
      const passkey: Passkey = {
        ...made,
        id: `pk_${randomToken(16)}`,
        userId: owner,
        label: freeLabel(readLabel(labelFor(made.aaguid)), taken),
        createdAt: clock.now(),
        lastUsedAt: 0,
      }
      const outcome = await store.add(passkey, MOST_PASSKEYS)
      return outcome === 'added' ? { kind: 'added', passkey } : { kind: outcome }
    },
    accepted: async (userId) => {
      const all = await store.ofUser(userId)
      return JSON.stringify({
        rpID: rpId,
        userID: userHandle(userId),
        allAcceptedCredentialIDs: all.map(({ credentialId }) => credentialId),
      })
    },
  }
}
