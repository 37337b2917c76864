import type { SessionId, UserId } from '../identity/principal.ts'
import type { Secret } from '../lib/secret.ts'

/** A refresh token, as kept. All of one session are its family; one of them is live. */
export type RefreshToken = {
  /** SHA-256 of the token, base64url. */
  readonly tokenHash: string
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly createdAt: number
  readonly expiresAt: number
  /** 0: it is the live one. */
  readonly spentAt: number
  /** What took its place, sealed; empty once the time for lost answers is over. */
  readonly sealedSuccessor: string
}

/** Where refresh tokens are kept. Every method is durable on disk when its promise resolves. */
export type RefreshTokenStore = {
  /**
   * Begins the family of a session; whatever the session had before is removed in the same step.
   * `false` when there is no such session.
   */
  readonly start: (token: RefreshToken) => Promise<boolean>
  /** `undefined` when unknown. Does not judge its times. */
  readonly byHash: (tokenHash: string) => Promise<RefreshToken | undefined>
  /**
   * Spends the token and puts `next` in its place, in one step. `false` when it is not the live one
   * any more, is over at `now`, or its session is gone. Successors of the same family that were
   * kept since before `lostBefore` are emptied.
   */
  readonly replace: (
    tokenHash: string,
    next: RefreshToken,
    spent: {
      readonly now: number
      readonly sealedSuccessor: string
      readonly lostBefore: number
    },
  ) => Promise<boolean>
  readonly removeFamily: (sessionId: SessionId) => Promise<void>
  /** Empties the successors of what was spent before this instant; gives how many. */
  readonly emptySuccessors: (before: number) => Promise<number>
  /** Removes what expired by this instant; gives how many. */
  readonly removeOver: (now: number) => Promise<number>
}

/** A fresh token, this once. */
export type IssuedRefreshToken = {
  readonly token: Secret<string>
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What a text stands for. `lost`: it was spent moments ago, so its answer may not have arrived. */
export type RefreshTokenState =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'live' | 'lost' | 'reused'
      readonly sessionId: SessionId
      readonly userId: UserId
    }

export type RefreshTokens = {
  /** The first token of a session; `undefined` when the session is gone. */
  readonly start: (session: {
    readonly id: SessionId
    readonly userId: UserId
    readonly endsAt: number
  }) => Promise<IssuedRefreshToken | undefined>
  /**
   * Looks, and changes nothing.
   * @throws AppError `store_unavailable`
   */
  readonly look: (text: string) => Promise<RefreshTokenState>
  /**
   * Spends a live token for its successor; a lost one is given the successor it had. Of many at once
   * one spends it, and all are given the same.
   * @throws AppError `store_unavailable`
   */
  readonly rotate: (
    text: string,
    session: { readonly endsAt: number },
  ) => Promise<
    /** `repeated`: it had been spent by another call. */
    | ({ readonly kind: 'rotated' | 'repeated' } & IssuedRefreshToken)
    | { readonly kind: 'reused' }
    | { readonly kind: 'unknown' }
  >
  /** Ends a family, the session apart. */
  readonly endFamily: (sessionId: SessionId) => Promise<void>
  /** To be called every minute. */
  readonly sweep: () => Promise<number>
}
