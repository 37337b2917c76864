import type { SessionId, UserId } from '../identity/principal.ts'

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
  /** When its lock was last lifted, by an operator or a new password; milliseconds, 0: never. */
  readonly unlockedAt: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** What pages and mail are written in; empty: what the browser asks for. */
  readonly language: 'fr' | 'en' | ''
  /** When its owner or an operator last set the password; 0: not since the account was made. */
  readonly passwordChangedAt: number
  /** Why the password must be changed before anything else; empty: it need not be. */
  readonly passwordDue: PasswordDue | ''
  /** When a rule first asked for a second factor it did not have; 0: never. */
  readonly secondFactorAskedAt: number
  /** How often a passkey was offered and put off, and when last. */
  readonly passkeyOffers: { readonly count: number; readonly lastAt: number }
}

/** `first`: somebody else set it; `leaked`: found in a leak; `operator`: an operator asks. */
export type PasswordDue = 'first' | 'leaked' | 'operator'

/** What it takes to make an account; names are canonical already. */
export type NewAccount = Pick<Account, 'id' | 'name' | 'displayName' | 'email' | 'groups'> & {
  /** Absent: none. */
  readonly passwordDue?: PasswordDue
  /** PHC string of the password, e.g. `$argon2id$v=19$…`. */
  readonly passwordHash: string
}

/** Where accounts are kept. Every method is durable on disk when its promise resolves. */
export type AccountStore = {
  readonly byName: (name: string) => Promise<Account | undefined>
  readonly byId: (id: UserId) => Promise<Account | undefined>
  readonly list: () => Promise<readonly Account[]>
  readonly count: () => Promise<number>
  /** Whether the canonical name is neither the name nor the address of an account. */
  readonly isNameFree: (name: string) => Promise<boolean>
  /**
   * Adds the account in one step; `false`, with nothing changed, when its name is not free or its
   * address is the name of another.
   */
  readonly add: (account: NewAccount, now: number) => Promise<boolean>
  /** The PHC string, or `undefined` when the account is gone. */
  readonly passwordHash: (id: UserId) => Promise<string | undefined>
  /**
   * Replaces the hash and ends every session of the account but `keep`, in one step; `false` when
   * it is gone, or when its hash is not `previous` any more: then nothing changes. `due`: the next
   * sign-in must change it; absent: it need not.
   */
  readonly setPasswordHash: (
    id: UserId,
    hash: string,
    now: number,
    options?: {
      readonly keep?: SessionId | 'all'
      readonly due?: PasswordDue
      readonly previous?: string
    },
  ) => Promise<boolean>
  /** Puts a stronger hash of the same password in the place of `previous`; ends nothing. */
  readonly rehash: (id: UserId, previous: string, hash: string, now: number) => Promise<boolean>
  readonly setPasswordDue: (id: UserId, due: PasswordDue | '', now: number) => Promise<boolean>
  readonly setLanguage: (id: UserId, language: Account['language'], now: number) => Promise<boolean>
  /**
   * Changes what the account is known as and by, in one step; what is absent stays.
   * `address_taken`, with nothing changed: the address is the name of another account.
   */
  readonly change: (
    id: UserId,
    change: Partial<Pick<Account, 'displayName' | 'email' | 'groups'>>,
    now: number,
  ) => Promise<'done' | 'gone' | 'address_taken'>
  /** Notes the first time a rule asked for a second factor; a later time changes nothing. */
  readonly secondFactorAsked: (id: UserId, now: number) => Promise<void>
  /** Notes that a sign-in was completed; `true` for the account's first one, in one step. */
  readonly firstSignIn: (id: UserId, now: number) => Promise<boolean>
  /** A passkey was offered and put off. */
  readonly passkeyOffered: (id: UserId, now: number) => Promise<void>
  /** The one account with this address, in any case; `undefined` when there are several or none. */
  readonly byEmail: (email: string) => Promise<Account | undefined>
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
