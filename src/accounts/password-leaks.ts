import type { Secret } from '../lib/secret.ts'

/** Passwords that are known from leaks. */
export type LeakedPasswords = {
  /**
   * Whether the password, in NFC, is among them. `unreachable`: nobody could say; `cause` is for
   * the log and holds nothing of the password.
   */
  readonly find: (
    password: Secret<string>,
  ) => Promise<
    | { readonly kind: 'leaked' }
    | { readonly kind: 'not_found' }
    | { readonly kind: 'unreachable'; readonly cause: unknown }
  >
}
