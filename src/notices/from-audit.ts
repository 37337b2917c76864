import type { Account } from '../accounts/account.ts'
import type { Audit, AuditContext, AuditEvent } from '../audit/audit.ts'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { HOUR, type Milliseconds } from '../lib/duration.ts'
import type { Notice, NoticeKind, NoticeOrigin } from './notice.ts'
import type { MailNotifier } from './notify-by-mail.ts'

/** What account owners are told of goes by the audit log: here it is turned into notices. */
export type NoticesFromAudit = {
  /** Returns at once, never throws. */
  readonly note: Audit
  /** Whether a mail that was to be told later is still worth it: once an hour for an account. */
  readonly mayGo: (mail: { readonly kind: NoticeKind; readonly userId: string }) => Promise<boolean>
}

/**
 * @param options.lockedFor how long a lock holds
 * @param options.pendingFor how long a second step may take
 */
export function createNoticesFromAudit(
  deps: {
    readonly accountById: (id: UserId) => Promise<Account | undefined>
    /** Notes that the account's first sign-in was completed; `true`: this was it. */
    readonly firstSignIn: (id: UserId, now: number) => Promise<boolean>
    readonly recoveryCodesLeft: (id: UserId) => Promise<number>
    /** `true` once for a name, until the instant given. */
    readonly once: (name: string, until: number) => Promise<boolean>
    readonly notifier: Pick<MailNotifier, 'tell' | 'cancel' | 'run'>
    readonly clock: Clock
  },
  options: { readonly lockedFor: Milliseconds; readonly pendingFor: Milliseconds },
): NoticesFromAudit {
  const { notifier, clock } = deps

  /** Who it is about, if there is such an account and it may hear. */
  const about = async (context: AuditContext): Promise<Account | undefined> => {
    if (context.userId === undefined) return undefined
    return deps.accountById(context.userId)
  }
  const tell = (context: AuditContext, at: number, notice: () => Notice | Promise<Notice>) =>
    notifier.run(async () => {
      const account = await about(context)
      if (account !== undefined) await notifier.tell(account, await notice(), originOf(context, at))
    })
  const oncePerHour = (kind: NoticeKind, userId: string) =>
    deps.once(`${kind} ${userId}`, clock.now() + HOUR)

  const opened = (event: AuditEvent['event'], context: AuditContext, at: number) => {
    const { userId, session, previousSession, stage, browser } = context
    if (userId === undefined || session === undefined) return
    if (stage === 'pending') {
      // It is told of when the time for the second step is over and it was not taken back.
      if (browser !== 'new' || event !== 'session.created') return
      const later = { key: session, sendAt: at + options.pendingFor }
      return notifier.run(async () => {
        const account = await about(context)
        if (account === undefined) return
        const notice = { kind: 'second_step_unfinished' } as const
        await notifier.tell(account, notice, originOf(context, at), later)
      })
    }
    if (previousSession !== undefined) notifier.cancel(previousSession)
    if (browser !== 'new') return
    notifier.run(async () => {
      if (await deps.firstSignIn(userId, at)) return
      const account = await about(context)
      if (account === undefined) return
      await notifier.tell(account, { kind: 'new_device' }, originOf(context, at))
    })
  }

  return {
    note: (event, context) => {
      const at = clock.now()
      if (event.outcome !== 'success') {
        if (event.event === 'token.reused') {
          return tell(context, at, () => ({ kind: 'token_reused' }))
        }
        if (event.event !== 'auth.locked') return
        return notifier.run(async () => {
          const account = await about(context)
          if (account === undefined || account.disabled) return
          if (!(await oncePerHour('locked', account.id))) return
          const until = at + options.lockedFor
          await notifier.tell(account, { kind: 'locked', until }, originOf(context, at))
        })
      }
      switch (event.event) {
        case 'session.created':
        case 'session.raised':
        case 'session.confirmed':
          return opened(event.event, context, at)
        case 'session.ended':
          // Started afresh by the same person: the new one says whether it was finished.
          if (event.reason === 'replaced' && context.successor === context.userId) {
            if (context.session !== undefined) notifier.cancel(context.session)
          }
          return
        case 'auth.recovery_code': {
          const { userId } = context
          if (userId === undefined) return
          return tell(context, at, async () => ({
            kind: 'recovery_code_used',
            left: await deps.recoveryCodesLeft(userId),
          }))
        }
        case 'link.used':
          if (event.link !== 'sign_in') return
          return tell(context, at, () => ({ kind: 'sign_in_link_used' }))
        default: {
          const notice = plainNotice(event)
          if (notice !== undefined) tell(context, at, () => notice)
        }
      }
    },
    mayGo: async ({ kind, userId }) =>
      kind !== 'second_step_unfinished' || (await oncePerHour(kind, userId)),
  }
}

/** Those that say by themselves all there is to say. */
function plainNotice(event: AuditEvent): Notice | undefined {
  const label = 'detail' in event ? (event.detail ?? '') : ''
  switch (event.event) {
    case 'factor.totp_enrolled':
      return { kind: 'factor_added', factor: 'totp', label }
    case 'factor.totp_removed':
      return { kind: 'factor_removed', factor: 'totp', label }
    case 'factor.passkey_added':
      return { kind: 'factor_added', factor: 'passkey', label }
    case 'factor.passkey_removed':
      return { kind: 'factor_removed', factor: 'passkey', label }
    case 'factor.phone_added':
      return { kind: 'factor_added', factor: 'phone', label: '' }
    case 'factor.phone_removed':
      return { kind: 'factor_removed', factor: 'phone', label: '' }
    case 'factor.recovery_codes_created':
      return { kind: 'recovery_codes_created' }
    case 'token.created':
      return { kind: 'token_created', label }
    case 'password.changed':
      return {
        kind: 'password_changed',
        how: label === 'reset' || label === 'operator' ? label : 'account_page',
      }
    default:
      return undefined
  }
}

function originOf(context: AuditContext, at: number): NoticeOrigin {
  return {
    requestId: context.requestId ?? '',
    at,
    address: context.clientIp ?? '',
    userAgent: context.userAgent ?? '',
  }
}
