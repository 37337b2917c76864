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

/** What happened to an account or at the gate. Closed: a new event is added here first. */
export type AuditEvent =
  | {
      readonly event: 'auth.password' | 'auth.totp' | 'auth.recovery_code'
      readonly outcome: 'success' | 'failure'
      readonly reason?: StepFailure
    }
  | { readonly event: 'auth.locked'; readonly outcome: 'deny'; readonly reason: 'failures' }
  | { readonly event: 'session.created' | 'session.raised'; readonly outcome: 'success' }
  | {
      readonly event: 'session.ended'
      readonly outcome: 'success'
      readonly reason: 'sign_out' | 'revoked' | 'replaced'
    }
  | {
      readonly event: 'account.created' | 'factor.totp_enrolled' | 'factor.recovery_codes_created'
      readonly outcome: 'success'
    }
  | { readonly event: 'setup.claimed'; readonly outcome: 'success' | 'failure' }

/** Who and where; never a password, code, token or cookie. */
export type AuditContext = {
  readonly requestId?: string
  readonly clientIp?: string
  readonly user?: string
  readonly userId?: UserId
  readonly session?: SessionId
}

/** Where audit events go. Must not throw. */
export type Audit = (event: AuditEvent, context: AuditContext) => void
