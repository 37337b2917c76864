import type { UserId } from '../identity/principal.ts'

/** A second factor that is to go; an account has one number at most. */
export type RemovableFactor =
  | { readonly kind: 'totp' | 'passkey'; readonly id: string }
  | { readonly kind: 'phone' }

/** What must be left of an account's second factors when one goes. */
export type MustStay = {
  /** Any of them. */
  readonly any: boolean
  /** One of the same kind. */
  readonly sameKind: boolean
}

/** `gone`: the account has no such factor. `needed`: too little would be left; nothing changed. */
export type Removal = 'removed' | 'gone' | 'needed'

/** Takes second factors away. Durable on disk when its promise resolves. */
export type FactorRemovalStore = {
  /**
   * Removes a factor in one step, unless what must stay would not: of two that are removed at the
   * same time, the second is judged by what the first has left.
   *
   * @param stay.phoneCounts whether a number is a second factor, because codes can be sent
   */
  readonly remove: (
    userId: UserId,
    factor: RemovableFactor,
    stay: MustStay & { readonly phoneCounts: boolean },
  ) => Promise<Removal>
}
