import type { SessionId, UserId } from '../identity/principal.ts'

/** Why a sign-in step failed, for the operator only: the visitor is told one thing. */
export type StepFailure =
  | 'unknown_account'
  | 'wrong'
  | 'disabled'
  | 'locked'
  | 'spent'
  | 'no_factor'
  | 'rate_limited'
  | 'busy'
  /** A code that is older than it may be. */
  | 'expired'
  /** A code of another time: the device's clock is wrong. */
  | 'clock'
  /** As many failures in a row as this factor may ever have; only its owner's other factors help. */
  | 'too_many_in_a_row'
  /** By HTTP Basic, where this account's password is not taken: only a token would have been. */
  | 'needs_token'

/** One proof, whichever factor. */
export type StepEvent =
  | 'auth.password'
  | 'auth.totp'
  | 'auth.recovery_code'
  | 'auth.passkey'
  | 'auth.sms'
  | 'auth.link'

export type LinkKind = 'setup' | 'invitation' | 'reset' | 'sign_in'

/** What happened to an account or at the gate. Closed: a new event is added here first. */
export type AuditEvent =
  | {
      readonly event: StepEvent
      readonly outcome: 'success' | 'failure'
      readonly reason?: StepFailure
    }
  | { readonly event: 'auth.locked'; readonly outcome: 'deny'; readonly reason: 'failures' }
  | {
      readonly event: 'session.created' | 'session.raised' | 'session.confirmed'
      readonly outcome: 'success'
    }
  | {
      readonly event: 'session.ended'
      readonly outcome: 'success'
      readonly reason: 'sign_out' | 'revoked' | 'replaced' | 'password_changed' | 'disabled'
      readonly detail?: string
    }
  | {
      readonly event:
        | 'account.created'
        | 'account.changed'
        | 'account.disabled'
        | 'account.enabled'
        | 'account.unlocked'
        | 'account.deleted'
        | 'password.changed'
        | 'password.rehashed'
        | 'password.change_required'
        | 'password.reset_requested'
        | 'factor.totp_enrolled'
        | 'factor.totp_renamed'
        | 'factor.totp_removed'
        | 'factor.recovery_codes_created'
        | 'factor.passkey_added'
        | 'factor.passkey_renamed'
        | 'factor.passkey_removed'
        | 'factor.phone_added'
        | 'factor.phone_removed'
        | 'factor.sms_sent'
      readonly outcome: 'success'
      /** What it was about, in a word or a name: a device's label, never a secret or a number. */
      readonly detail?: string
    }
  /** Personal and service tokens; logins of an app's own. */
  | {
      readonly event:
        | 'token.created'
        | 'token.revoked'
        | 'upstream_login.set'
        | 'upstream_login.removed'
      readonly outcome: 'success'
      /** The token's or the app's name. */
      readonly detail: string
    }
  /** A refresh token came a second time: somebody has a copy, and its session is ended. */
  | { readonly event: 'token.reused'; readonly outcome: 'deny' }
  /** `detail`: purpose and id of the key. */
  | {
      readonly event: 'key.rotated' | 'key.retired' | 'key.master_rotated'
      readonly outcome: 'success'
      readonly detail: string
    }
  /** Nobody's earlier proof opens the app any more. `detail`: its name. */
  | { readonly event: 'app.revoked'; readonly outcome: 'success'; readonly detail: string }
  /** `detail`: the network. */
  | {
      readonly event: 'ban.added' | 'ban.lifted'
      readonly outcome: 'success'
      readonly detail: string
    }
  | {
      readonly event: 'factor.sms_sent' | 'factor.passkey_counter'
      readonly outcome: 'failure'
      readonly detail?: string
    }
  /** Nobody was sent a link; who asked was told the same as ever. */
  | {
      readonly event: 'password.reset_requested'
      readonly outcome: 'failure'
      readonly reason: 'unknown_account' | 'disabled' | 'no_address' | 'rate_limited'
    }
  | { readonly event: 'setup.claimed'; readonly outcome: 'success' | 'failure' }
  | {
      readonly event: 'link.issued' | 'link.used'
      readonly outcome: 'success' | 'failure'
      readonly link: LinkKind
    }
  /** A request that was refused with a page; what `audit show` explains by its reference. */
  | {
      readonly event: 'request.refused'
      readonly outcome: 'deny' | 'limited' | 'failure'
      readonly reason: string
      /** Of the answer, e.g. `403`. */
      readonly status: string
      readonly app?: string
      readonly rule?: string
      readonly method: string
      readonly host: string
      /** Without its query. */
      readonly path: string
    }

/** Who and where; never a password, code, token or cookie. */
export type AuditContext = {
  readonly requestId?: string
  readonly clientIp?: string
  readonly user?: string
  readonly userId?: UserId
  readonly session?: SessionId
  readonly userAgent?: string
  /** Whether the session still owes its second factor. */
  readonly stage?: 'pending' | 'complete'
  /** Whether this browser once completed a sign-in to this account. */
  readonly browser?: 'known' | 'new'
  /** What the session was called before it was raised. */
  readonly previousSession?: SessionId
  /** Whose session took the place of one that ended. */
  readonly successor?: UserId
  /** Account name of the administrator who did it to somebody else. */
  readonly by?: string
}

/** Where audit events go. Must not throw. */
export type Audit = (event: AuditEvent, context: AuditContext) => void
