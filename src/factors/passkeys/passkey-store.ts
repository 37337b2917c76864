import type { UserId } from '../../identity/principal.ts'

/** A passkey or security key of an account (WebAuthn Level 3, section 4, "public key credential"). */
export type Passkey = {
  /** `pk_` and 128 random bits: names it on pages; it opens nothing. */
  readonly id: string
  readonly userId: UserId
  /** Base64url; unique among all accounts. */
  readonly credentialId: string
  /** COSE key, base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly transports: readonly string[]
  /** Which make of authenticator, e.g. `fbfc3007-154e-4ecc-8c0b-6e020557d7bd`; all zeros: unsaid. */
  readonly aaguid: string
  readonly label: string
  /** It verified its user (PIN, face, fingerprint) when it was added. */
  readonly userVerified: boolean
  readonly backedUp: boolean
  readonly createdAt: number
  /** 0: never. */
  readonly lastUsedAt: number
}

/** Where passkeys are kept. Every method is durable on disk when its promise resolves. */
export type PasskeyStore = {
  /** Oldest first. */
  readonly ofUser: (userId: UserId) => Promise<readonly Passkey[]>
  readonly byCredential: (credentialId: string) => Promise<Passkey | undefined>
  /**
   * Adds it in one step, unless the account has `most` already. `known`: the credential is
   * somebody's already, or the account is gone.
   */
  readonly add: (passkey: Passkey, most: number) => Promise<'added' | 'known' | 'full'>
  /**
   * Notes a use. `false` when the passkey is gone, or its counter has passed `counter` meanwhile;
   * a counter that stays at 0 is one that does not count.
   */
  readonly used: (id: string, counter: number, backedUp: boolean, now: number) => Promise<boolean>
  /** `false` when this account has no such passkey. */
  readonly rename: (userId: UserId, id: string, label: string) => Promise<boolean>
  readonly remove: (userId: UserId, id: string) => Promise<boolean>
}
