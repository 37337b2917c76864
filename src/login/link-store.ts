import type { NewAccount } from '../accounts/account.ts'
import type { SessionId, UserId } from '../identity/principal.ts'

/** What one-time links are for; the first account's setup link is kept by itself. */
export const STORED_LINKS = ['invitation', 'reset', 'sign_in'] as const
export type StoredLink = (typeof STORED_LINKS)[number]

/** What an invitation gives. Names are canonical. */
export type InvitationDetails = {
  readonly email: string
  /** Account name that is given with it; empty: who is invited chooses one. */
  readonly name: string
  readonly groups: readonly string[]
}

/** A link as it is kept. The token itself is nowhere but in the link. */
export type Link = {
  /** SHA-256 of the token, base64url. */
  readonly tokenHash: string
  readonly kind: StoredLink
  /** Whose it is: an account's id; for an invitation the address it went to, in lower case. */
  readonly owner: string
  /** Absent but for an invitation. */
  readonly invitation?: InvitationDetails
  /** Milliseconds since the epoch; at `expiresAt` itself it is over. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** Where one-time links are kept. Every method is durable on disk when its promise resolves. */
export type LinkStore = {
  /**
   * Adds a link and takes away, in the same step, the owner's oldest of this kind beyond `keep`,
   * the new one counted.
   */
  readonly add: (link: Link, keep: number) => Promise<void>
  /** By token digest, whatever its age. Consumes nothing. */
  readonly find: (tokenHash: string, kind: StoredLink) => Promise<Link | undefined>
  /**
   * Spends an account's link in one step; gives the account. `undefined`, with nothing changed, when
   * the link is unknown, over or spent, or the account is gone or disabled.
   */
  readonly spendSignIn: (tokenHash: string, now: number) => Promise<UserId | undefined>
  /**
   * Spends a reset link and replaces the account's password in one step; all its other reset links
   * and, if `endSessions`, all its sessions go with it. `undefined`, with nothing changed, as above.
   */
  readonly spendReset: (
    tokenHash: string,
    change: { readonly passwordHash: string; readonly endSessions: boolean },
    now: number,
  ) => Promise<{ readonly userId: UserId; readonly ended: readonly SessionId[] } | undefined>
  /**
   * Spends an invitation and adds the account in one step. `name_taken`, with the link still good,
   * when there is an account of that name; `gone`, with nothing changed, when the link is.
   */
  readonly spendInvitation: (
    tokenHash: string,
    account: NewAccount,
    now: number,
  ) => Promise<'added' | 'name_taken' | 'gone'>
  /** Removes links that were over before `before`; gives how many. */
  readonly removeOver: (before: number) => Promise<number>
}
