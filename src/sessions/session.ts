import type { ProvedFactor, SessionId, UserId } from '../identity/principal.ts'

/**
 * `pending`: the password was right, the account's second factor is still owed; it opens nothing
 * but the second step. `complete`: everything this account must prove was proved.
 */
export type SessionStage = 'pending' | 'complete'

/** `api`: a program that holds an access token; nothing else of its session opens anything. */
export type SessionClient = 'browser' | 'api'

/** A sign-in, as kept. The token itself is in the browser's cookie only. */
export type Session = {
  readonly id: SessionId
  /** SHA-256 of the cookie's token, base64url; unique. */
  readonly tokenHash: string
  readonly userId: UserId
  readonly stage: SessionStage
  /** What was proved, oldest first. The level is derived from it, never stored. */
  readonly factors: readonly ProvedFactor[]
  readonly createdAt: number
  readonly lastSeenAt: number
  /** Milliseconds without a request after which it is over. */
  readonly idle: number
  /** It is over at this instant, whatever happens. */
  readonly endsAt: number
  /** The person asked to stay signed in: the cookie outlives the browser's window. */
  readonly remember: boolean
  readonly address: string
  readonly userAgent: string
  readonly client: SessionClient
}

/** Where sessions are kept. Every method is durable on disk when its promise resolves. */
export type SessionStore = {
  /** In one step; `false`, with nothing added, when its account is gone or disabled. */
  readonly add: (session: Session) => Promise<boolean>
  /** By token digest; `undefined` when unknown or revoked. Does not judge its times. */
  readonly byTokenHash: (tokenHash: string) => Promise<Session | undefined>
  readonly byId: (id: SessionId) => Promise<Session | undefined>
  readonly ofUser: (userId: UserId) => Promise<readonly Session[]>
  readonly list: () => Promise<readonly Session[]>
  /**
   * Those that are not over at `now`, oldest first, from behind the place of `after` on.
   * @param query.userId absent: everybody's
   */
  readonly page: (query: {
    readonly userId?: UserId
    readonly after?: { readonly createdAt: number; readonly id: SessionId }
    readonly now: number
    readonly limit: number
  }) => Promise<readonly Session[]>
  /**
   * Puts `next` in the place of the session whose token digest is `previousHash`, in one step.
   * `false` when that one is gone: it was revoked, or replaced by a parallel request.
   */
  readonly replace: (previousHash: string, next: Session) => Promise<boolean>
  /** Moves `lastSeenAt` forward for many sessions in one step; never backward. */
  readonly touch: (seen: ReadonlyMap<SessionId, number>) => Promise<void>
  /** `false` when it was gone already. */
  readonly remove: (id: SessionId) => Promise<boolean>
  /** Removes all sessions of the user but `except`; gives the ids removed. */
  readonly removeOfUser: (userId: UserId, except?: SessionId) => Promise<readonly SessionId[]>
  /**
   * Of the user's sessions of this one's stage and kind, removes all but this one and the others
   * used last, `keep` in all; gives the ids removed.
   */
  readonly removeBeyond: (
    of: Pick<Session, 'id' | 'userId' | 'stage' | 'client'>,
    keep: number,
  ) => Promise<readonly SessionId[]>
  readonly removeAll: () => Promise<number>
  /** Removes what is past its absolute or idle end; gives how many. */
  readonly removeEnded: (now: number) => Promise<number>
}

/**
 * Tells whether another process has written to the store since the last call, without I/O:
 * what is cached must then be read again, so a revocation by the command line holds on the
 * next request.
 */
export type ForeignWrites = { readonly seen: () => boolean }
