import type { UserId } from '../identity/principal.ts'
import type { Secret } from '../lib/secret.ts'
import type { SealedAt } from './keys.ts'
import { sealedRow } from './sealed-column.ts'

/** A name and a password by which an app with a login of its own knows somebody. */
export type UpstreamLogin = { readonly user: string; readonly password: Secret<string> }

/** One that is kept. */
export type StoredUpstreamLogin = {
  /** The app's name, as configured. */
  readonly app: string
  readonly userId: UserId
  /** Name and password, sealed where `upstreamLoginAt` says. */
  readonly sealedLogin: string
  readonly updatedAt: number
}

/** Where they are kept: at most one for each app and account, gone with the account. */
export type UpstreamLoginStore = {
  readonly of: (app: string, userId: UserId) => Promise<StoredUpstreamLogin | undefined>
  /** Puts it in the place of an earlier one, in one step. */
  readonly set: (login: StoredUpstreamLogin) => Promise<void>
  /** `false` when there was none. */
  readonly remove: (app: string, userId: UserId) => Promise<boolean>
  /** Of one account, or all; by app, then by account. */
  readonly list: (userId?: UserId) => Promise<readonly StoredUpstreamLogin[]>
}

/** Where one is sealed. */
export function upstreamLoginAt(app: string, userId: string): SealedAt {
  return { table: 'upstream_logins', row: sealedRow([app, userId]), column: 'sealed_login' }
}

/** Longer ones are no names and no passwords; both fit into a header with the rest. */
export const MAX_LOGIN_USER = 256
export const MAX_LOGIN_PASSWORD = 1024

/**
 * What is wrong with a login before it is kept. RFC 7617 2: a name has no colon, neither part a
 * control character.
 */
export type UpstreamLoginFault = 'user' | 'password'

export function upstreamLoginFault({
  user,
  password,
}: UpstreamLogin): UpstreamLoginFault | undefined {
  if (!/^[^\p{Cc}:]+$/u.test(user) || user.length > MAX_LOGIN_USER || !user.isWellFormed()) {
    return 'user'
  }
  const text = password.reveal()
  const sound = /^\P{Cc}+$/u.test(text) && text.length <= MAX_LOGIN_PASSWORD && text.isWellFormed()
  return sound ? undefined : 'password'
}

/** The value of `Authorization` that signs in with it (RFC 7617, in UTF-8). */
export function basicAuthorization({ user, password }: UpstreamLogin): string {
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`, 'utf8').toString('base64')}`
}
