import type { UserId } from '../identity/principal.ts'

/** A person who can sign in. */
export type Account = {
  readonly id: UserId
  /** Canonical name, as `foldName` gives it; unique. */
  readonly name: string
  readonly displayName: string
  /** Empty when there is none. */
  readonly email: string
  /** Canonical group names, sorted, without duplicates. */
  readonly groups: readonly string[]
  readonly disabled: boolean
  /** When an operator last lifted its lock, milliseconds since the epoch; 0: never. */
  readonly unlockedAt: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** What it takes to make an account; names are canonical already. */
export type NewAccount = Omit<Account, 'createdAt' | 'disabled' | 'unlockedAt'> & {
  /** PHC string of the password, e.g. `$argon2id$v=19$…`. */
  readonly passwordHash: string
}

/** Where accounts are kept. Every method is durable on disk when its promise resolves. */
export type AccountStore = {
  readonly byName: (name: string) => Promise<Account | undefined>
  readonly byId: (id: UserId) => Promise<Account | undefined>
  readonly list: () => Promise<readonly Account[]>
  readonly count: () => Promise<number>
  /** Adds the account in one step; `false` when the name is taken. */
  readonly add: (account: NewAccount, now: number) => Promise<boolean>
  /** The PHC string, or `undefined` when the account is gone. */
  readonly passwordHash: (id: UserId) => Promise<string | undefined>
  /** Replaces the hash and ends every session of the account, in one step; `false` when it is gone. */
  readonly setPasswordHash: (id: UserId, hash: string, now: number) => Promise<boolean>
  /** Tells every running server to forget the account's failures; `false` when it is gone. */
  readonly setUnlocked: (id: UserId, now: number) => Promise<boolean>
  /** Disabling ends every session of the account in the same step; `false` when it is gone. */
  readonly setDisabled: (id: UserId, disabled: boolean, now: number) => Promise<boolean>
}

/** One-time links: today only the first account's setup. Tokens are kept as SHA-256 digests. */
export type SetupStore = {
  /** Replaces any earlier setup link by this one, unless an account exists: then `false`. */
  readonly offer: (tokenHash: string, expiresAt: number, now: number) => Promise<boolean>
  /** Whether the token would be accepted now. Consumes nothing. */
  readonly isOpen: (tokenHash: string, now: number) => Promise<boolean>
  /**
   * Spends the token and adds the first account in one step. `false`, with nothing changed,
   * when the token is unknown, expired or spent, or when any account exists already.
   */
  readonly claim: (tokenHash: string, account: NewAccount, now: number) => Promise<boolean>
}
