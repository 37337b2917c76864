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

/** What apps are told and rules know a service token as: no account can have a colon in its name. */
export function serviceName(name: string): string {
  return `service:${name}`
}

/** Whether somebody known by this name is a service token and no account. */
export function isServiceName(name: string): boolean {
  return name.startsWith('service:')
}

/** Mints or reads a token id; `undefined` when the text is none. */
export function parseApiTokenId(text: string): ApiTokenId | undefined {
  return /^tok_[A-Za-z0-9_-]{22}$/.test(text) ? (text as ApiTokenId) : undefined
}

/** When and from where a token was used last. */
export type ApiTokenUse = { readonly at: number; readonly from: string }

/** Where tokens are kept. Every method is durable on disk when its promise resolves. */
export type ApiTokenStore = {
  /**
   * Adds the token in one step, unless its owner has `max` of them already, or all service tokens
   * together are `max`: then `false`. Expired ones make room.
   */
  readonly add: (token: ApiToken, max: number) => Promise<boolean>
  /** By digest; `undefined` when unknown or revoked. Does not judge its times. */
  readonly byTokenHash: (tokenHash: string) => Promise<ApiToken | undefined>
  readonly byId: (id: ApiTokenId) => Promise<ApiToken | undefined>
  /** Oldest first, as all lists. */
  readonly ofUser: (userId: UserId) => Promise<readonly ApiToken[]>
  readonly services: () => Promise<readonly ApiToken[]>
  readonly list: () => Promise<readonly ApiToken[]>
  /** `false` when it was gone already. */
  readonly remove: (id: ApiTokenId) => Promise<boolean>
  /** Each gives the ids removed. */
  readonly removeOfUser: (userId: UserId) => Promise<readonly ApiTokenId[]>
  /** Those whose scope names the app, whatever else it names. */
  readonly removeOfApp: (app: string) => Promise<readonly ApiTokenId[]>
  readonly removeAll: () => Promise<readonly ApiTokenId[]>
  /** Removes what expired before this instant; gives how many. */
  readonly removeExpired: (before: number) => Promise<number>
  /** Notes the last uses of many in one step; a later one is never replaced by an earlier one. */
  readonly touch: (uses: ReadonlyMap<ApiTokenId, ApiTokenUse>) => Promise<void>
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
   * Whose the token is, if it was asked for a moment ago: from memory alone. It decides only which
   * budget pays for the request, never what is allowed.
   */
  readonly familiar: (
    text: string,
  ) => { readonly id: ApiTokenId; readonly userId: UserId } | undefined
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
