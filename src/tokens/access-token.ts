import type { SessionId, UserId } from '../identity/principal.ts'
import type { Secret } from '../lib/secret.ts'

/**
 * How far the program's sign-in has come. `mfa_pending`: the first factor was right, the second is
 * owed. `password_due`: the password must be changed first. Neither opens an app.
 */
export type AccessStage = 'mfa_pending' | 'password_due' | 'complete'

/** Why a token of ours opens nothing, for the operator only. */
export type AccessRefusal =
  | 'format'
  | 'header'
  | 'key'
  | 'signature'
  | 'claims'
  | 'expired'
  | 'stage'

/** What a signed token says. It opens nothing by itself: its session must still be there. */
export type AccessClaims = {
  readonly sessionId: SessionId
  readonly userId: UserId
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export type AccessVerdict =
  | { readonly kind: 'valid'; readonly claims: AccessClaims }
  | { readonly kind: 'refused'; readonly reason: AccessRefusal }

/** JWTs (RFC 7519, profile of RFC 9068) that stand for a session, for a quarter of an hour. */
export type AccessTokens = {
  readonly issue: (input: {
    readonly stage: AccessStage
    readonly sessionId: SessionId
    readonly userId: UserId
    /** Names of RFC 8176 and ours. */
    readonly amr: readonly string[]
    /** Milliseconds since the epoch. */
    readonly authTime: number
  }) => Promise<{ readonly token: Secret<string>; readonly expiresIn: number }>
  /**
   * Whether the text is to be taken for one of ours, good or not: three parts whose payload names
   * us as issuer. Another issuer's token is the app's business.
   */
  readonly isOurs: (text: string) => boolean
  /**
   * What this very token says, if it was verified a moment ago: from memory alone. It decides only
   * which budget pays for the request, never what is allowed.
   */
  readonly familiar: (text: string) => AccessClaims | undefined
  /** Answers at once when the same token was verified a moment ago. */
  readonly verify: (text: string, stage: AccessStage) => AccessVerdict | Promise<AccessVerdict>
}
