import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { Enrolled } from '../factors/enrolled.ts'
import type { FailureStreaks } from '../factors/failure-streaks.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { Totp } from '../factors/totp/totp.ts'
import type { Clock } from '../lib/clock.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { Lockout } from '../limits/lockout.ts'
import type { Session, SessionClient } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { type ConfirmPassword, createConfirmPassword } from './confirm-password.ts'
import type { PasswordAttempt } from './password-attempt.ts'
import type { PasswordUpkeep } from './password-upkeep.ts'
import { createSecondStep, type SecondStepBudgets } from './second-step.ts'
import { auditContext, type LoginContext, orUndo, type StepOutcome } from './step.ts'

export type Login = {
  /** First step. The same work is done whether the account exists, is locked, or neither. */
  readonly withPassword: (
    input: {
      readonly username: string
      readonly password: Secret<string>
      readonly remember: boolean
      /** Absent: a browser. */
      readonly client?: SessionClient
    },
    context: LoginContext,
  ) => Promise<StepOutcome>
  /** The password once more, for a session that is complete. */
  readonly confirmPassword: ConfirmPassword
  /** Second step with a six-digit code that was brought into form already. */
  readonly withTotp: (
    session: Session,
    account: Account,
    code: string,
    context: LoginContext,
  ) => Promise<StepOutcome>
  /**
   * Proves a TOTP device that was just set up and raises the session. The device counts only
   * when its code was right; the code's time step is spent.
   */
  readonly withNewTotp: (
    session: Session,
    account: Account,
    input: { readonly code: string; readonly label: string },
    context: LoginContext,
  ) => Promise<StepOutcome>
  /** Second step with a recovery code as typed. */
  readonly withRecoveryCode: (
    session: Session,
    account: Account,
    code: string,
    context: LoginContext,
  ) => Promise<StepOutcome>
}

export type LoginDeps = {
  /** One for all ways to give a password: failures and unlocks are counted together. */
  readonly attempt: PasswordAttempt
  readonly accounts: Pick<AccountStore, 'passwordHash'>
  readonly passwords: PasswordHasher
  /** Absent: a password that was right is left as it is. */
  readonly upkeep?: PasswordUpkeep
  readonly enrolled: Pick<Enrolled, 'hasSecond'>
  readonly totp: Pick<Totp, 'verify' | 'finishEnrolment'>
  readonly recoveryCodes: Pick<RecoveryCodes, 'use'>
  readonly sessions: Pick<Sessions, 'open' | 'raise' | 'end'>
  readonly limiter: Limiter
  readonly streaks: FailureStreaks
  readonly lockout: Lockout
  readonly audit: Audit
  readonly clock: Clock
}

export type LoginBudgets = SecondStepBudgets & {
  /** Attempts at a password, by network. */
  readonly password: Budget
}

/** The login state machine: nothing → password right → complete. */
export function createLogin(deps: LoginDeps, budgets: LoginBudgets): Login {
  const { lockout, audit, clock } = deps
  const { begin, obeyUnlock } = deps.attempt

  const withPassword: Login['withPassword'] = async (input, context) => {
    const attempt = await begin(input, context)
    if (attempt.kind !== 'right') return attempt
    const { account, hash, takeBack } = attempt
    const owesSecond = await orUndo(() => deps.enrolled.hasSecond(account.id), takeBack)
    const opening = () =>
      deps.sessions.open({
        userId: account.id,
        stage: owesSecond ? 'pending' : 'complete',
        factors: [{ kind: 'password', at: clock.now() }],
        remember: input.remember,
        client: input.client ?? 'browser',
        address: context.address,
        userAgent: context.userAgent,
      })
    const issued = await orUndo(opening, takeBack)
    // Disabled or deleted since it was looked up.
    if (issued === undefined) {
      attempt.refuse('disabled')
      return { kind: 'refused' }
    }
    // Whoever changes a password ends the account's sessions in the same step: one that was
    // opened with the old password in that moment must not outlive it.
    if (!(await orUndo(attempt.isStill, takeBack))) {
      await deps.sessions.end(issued.session.id)
      attempt.refuse('wrong')
      return { kind: 'refused' }
    }
    attempt.settle()
    const known = auditContext(context, { account, session: issued.session })
    audit({ event: 'auth.password', outcome: 'success' }, known)
    audit({ event: 'session.created', outcome: 'success' }, known)
    const { needsRehash } = attempt
    deps.upkeep?.given({ account, password: input.password, hash, needsRehash }, known)
    return { kind: 'signed_in', issued, account, next: owesSecond ? 'second_step' : 'done' }
  }

  const secondStep = createSecondStep(deps, budgets)
  const confirmPassword = createConfirmPassword(
    {
      ...deps,
      begin: (account, network, device) => {
        obeyUnlock(account)
        return lockout.begin(account.name, network, device)
      },
    },
    budgets.password,
  )

  return {
    withPassword,
    confirmPassword,
    withTotp: (session, account, code, context) =>
      secondStep({ event: 'auth.totp', kind: 'totp', session, account, context }, async () => {
        const verdict = await deps.totp.verify(account.id, code)
        if (verdict.kind === 'drift') return { drift: verdict.by }
        return verdict.kind === 'no_device' ? 'no_factor' : verdict.kind
      }),
    withNewTotp: (session, account, input, context) =>
      secondStep({ event: 'auth.totp', kind: 'totp', session, account, context }, async () => {
        const verdict = await deps.totp.finishEnrolment(account.id, input.code, input.label)
        if (verdict.kind === 'drift') return { drift: verdict.by }
        if (verdict.kind !== 'right') return verdict.kind === 'wrong' ? 'wrong' : 'no_factor'
        const trail = auditContext(context, { account, session })
        audit({ event: 'factor.totp_enrolled', outcome: 'success', detail: verdict.label }, trail)
        return 'right'
      }),
    withRecoveryCode: (session, account, code, context) => {
      const step = { event: 'auth.recovery_code', kind: 'recovery_code' } as const
      return secondStep({ ...step, session, account, context }, async () => {
        const verdict = await deps.recoveryCodes.use(account.id, code)
        return verdict.kind === 'empty' || verdict.kind === 'format' ? 'wrong' : verdict.kind
      })
    },
  }
}
