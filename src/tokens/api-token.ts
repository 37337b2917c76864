import type { Account } from '../accounts/account.ts'
import type { Principal, ProvedFactor, UserId } from '../identity/principal.ts'
import type { Brand } from '../lib/brand.ts'

/** `tok_` and 128 random bits: names a token in lists and logs; it opens nothing. */
export type ApiTokenId = Brand<string, 'ApiTokenId'>

/** What a token may be used for. An empty list leaves that part open. */
export type ApiTokenScope = {
  /** Names of apps. */
  readonly apps: readonly string[]
  /** Upper case. */
  readonly methods: readonly string[]
  /** Path globs, as rules have them. */
  readonly paths: readonly string[]
}

/** A personal or a service token, as kept. The token itself was shown once. */
export type ApiToken = {
  readonly id: ApiTokenId
  /** A service token is nobody's: it has groups of its own. */
  readonly kind: 'personal' | 'service'
  readonly userId: UserId | undefined
  readonly name: string
  /** SHA-256 of the token, base64url. */
  readonly tokenHash: string
  /** Its last four characters. */
  readonly hint: string
  readonly groups: readonly string[]
  readonly scope: ApiTokenScope
  /** What its owner had proved when it was made; a service token: nothing. */
  readonly factors: readonly ProvedFactor[]
  readonly createdAt: number
  /** 0: never. */
  readonly expiresAt: number
  /** 0: not yet. */
  readonly lastUsedAt: number
  readonly lastUsedFrom: string
}

/** What a token stands for now. */
export type ApiTokenResolution =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'active'
      readonly token: ApiToken
      /** Of its owner; a service token has none. */
      readonly account: Account | undefined
      readonly principal: Principal
    }

/** The part of the tokens that the gate asks. */
export type ApiTokenReader = {
  /** Whether the text has the form of one of ours, checksum included: no look-up. */
  readonly isOurs: (text: string) => boolean
  /**
   * Answers without I/O when it was asked for in the last seconds and nothing was revoked since.
   * `address`: of whoever uses it, for the list of tokens.
   * @throws AppError `store_unavailable`
   */
  readonly resolve: (
    text: string,
    address: string,
  ) => ApiTokenResolution | Promise<ApiTokenResolution>
}
