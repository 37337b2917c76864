import type { Account } from '../accounts/account.ts'
import type { Secret } from '../lib/secret.ts'

/** What the owner of an account is told by mail. Closed: a new one is added here first. */
export type Notice =
  /** A one-time link; `expiresAt` in milliseconds since the epoch. */
  | { readonly kind: 'reset_link'; readonly url: Secret<string>; readonly expiresAt: number }
  | {
      readonly kind: 'invitation'
      readonly url: Secret<string>
      readonly expiresAt: number
      /** Account name of who invites; empty: the operator. */
      readonly from: string
    }
  | { readonly kind: 'password_changed'; readonly how: 'account_page' | 'reset' | 'operator' }
  | {
      readonly kind: 'factor_added' | 'factor_removed'
      readonly factor: NoticeFactor
      readonly label: string
    }
  | { readonly kind: 'recovery_codes_created' }
  /** A personal token was made; `label` is its name. */
  | { readonly kind: 'token_created'; readonly label: string }
  | { readonly kind: 'recovery_code_used'; readonly left: number }
  /** Signed in by a browser that is not known to this account. */
  | { readonly kind: 'new_device' }
  /** The password was right and the second step was given up or refused. */
  | { readonly kind: 'second_step_unfinished' }
  /** Too many wrong passwords: this network is locked out for a while. */
  | { readonly kind: 'locked'; readonly until: number }
  /** An operator made a link that signs in as this account, or it was used. */
  | { readonly kind: 'sign_in_link_used' }
  /** A refresh token was presented twice: somebody has a copy, and its sign-in was ended. */
  | { readonly kind: 'token_reused' }
  /** An operator tries out the mail server. */
  | { readonly kind: 'test' }

export type NoticeKind = Notice['kind']

/** Whether it tells of something that happened to an account, and so where from. */
export function isAboutAccount({ kind }: Pick<Notice, 'kind'>): boolean {
  return kind !== 'invitation' && kind !== 'test'
}

export type NoticeFactor = 'totp' | 'passkey' | 'phone'

/** Where it happened, for "was that you?". */
export type NoticeOrigin = {
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly address: string
  readonly userAgent: string
}

/** Who is told: an account, or an invited person who has none yet. */
export type Recipient = Pick<Account, 'id' | 'name' | 'displayName' | 'email'> & {
  /** Empty: the first configured language. */
  readonly language: 'fr' | 'en' | ''
}

/**
 * Tells an account's owner. Returns at once and never throws: a notice that cannot be queued is
 * logged, and no sign-in waits for the mail server. An account without an address is not told.
 */
export type Notify = (to: Recipient, notice: Notice, origin: NoticeOrigin) => void

/** Nobody is told: where no mail server is configured. */
export const SILENT: Notify = () => {}
