import type { Account, AccountStore } from '../accounts/account.ts'
import { newUserId } from '../accounts/user-id.ts'
import type { Audit, AuditContext } from '../audit/audit.ts'
import type { Enrolled } from '../factors/enrolled.ts'
import type { FailureStreaks } from '../factors/failure-streaks.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { Totp } from '../factors/totp/totp.ts'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { foldName } from '../lib/fold.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { Lockout } from '../limits/lockout.ts'
import type { Session } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { type ConfirmPassword, createConfirmPassword } from './confirm-password.ts'
import type { PasswordUpkeep } from './password-upkeep.ts'
import { createSecondStep, type SecondStepBudgets } from './second-step.ts'
import { auditContext, failure, type LoginContext, orUndo, type StepOutcome } from './step.ts'

export type Login = {
  /** First step. The same work is done whether the account exists, is locked, or neither. */
  readonly withPassword: (
    input: {
      readonly username: string
      readonly password: Secret<string>
      readonly remember: boolean
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
  readonly accounts: Pick<AccountStore, 'byName' | 'byEmail' | 'passwordHash'>
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
  const { limiter, lockout, audit, clock } = deps

  const startedAt = clock.now()
  /** The newest unlock obeyed, by account: bounded by the accounts there are. */
  const unlocks = new Map<UserId, number>()

  /** The command line lifts a lock through the store: this process hears of it here. */
  const obeyUnlock = (account: Account) => {
    if (account.unlockedAt <= (unlocks.get(account.id) ?? startedAt)) return
    lockout.unlock(account.name)
    unlocks.set(account.id, account.unlockedAt)
  }

  const nobody = newUserId()
  /** By name, or by the address of one account alone. SECURITY: the same questions for everybody. */
  const readAccount = async (name: string, typed: string) => {
    const named = await deps.accounts.byName(name)
    const addressed = await deps.accounts.byEmail(typed.trim())
    const account = named ?? addressed
    // As much is read for a name that nobody has.
    const hash = await deps.accounts.passwordHash(account?.id ?? nobody)
    return { account, hash }
  }

  const withPassword: Login['withPassword'] = async (input, context) => {
    const network = networkKey(context.address)
    const take = limiter.take(budgets.password, network)
    const typed = input.username.slice(0, 1024)
    const folded = foldName(typed).slice(0, 128)
    if (take.kind === 'limited') {
      audit(failure('auth.password', 'rate_limited'), auditContext(context, {}))
      return { kind: 'limited', take, budget: budgets.password }
    }
    const giveBack = () => limiter.refund(budgets.password, network)
    const { account, hash } = await orUndo(() => readAccount(folded, typed), giveBack)
    // Every spelling of one account, its address among them, is counted under its name.
    const name = account?.name ?? folded
    // SECURITY: what was typed is written down nowhere unless it is the name of an account: many a
    // password is typed into the field above its own.
    const trail: AuditContext = auditContext(context, account === undefined ? {} : { account })
    const device = account === undefined ? undefined : context.knownDevice(account)
    if (account !== undefined) obeyUnlock(account)
    const door = lockout.begin(name, network, device)
    // SECURITY: the hash is computed in every case, so time does not tell them apart.
    const takeBack = () => {
      giveBack()
      if (door.kind === 'go') door.attempt.cancelled()
    }
    const verdict = await orUndo(() => deps.passwords.verify(input.password, hash), takeBack)
    if (verdict.kind === 'busy') {
      takeBack()
      audit(failure('auth.password', 'busy'), trail)
      return { kind: 'busy' }
    }
    const reason =
      door.kind === 'locked'
        ? 'locked'
        : account === undefined
          ? 'unknown_account'
          : verdict.kind === 'wrong'
            ? 'wrong'
            : account.disabled
              ? 'disabled'
              : undefined
    if (reason !== undefined || account === undefined || door.kind === 'locked') {
      audit(failure('auth.password', reason ?? 'unknown_account'), trail)
      if (door.kind === 'go' && door.attempt.last) {
        audit({ event: 'auth.locked', outcome: 'deny', reason: 'failures' }, trail)
      }
      return { kind: 'refused' }
    }
    const owesSecond = await orUndo(() => deps.enrolled.hasSecond(account.id), takeBack)
    const opening = () =>
      deps.sessions.open({
        userId: account.id,
        stage: owesSecond ? 'pending' : 'complete',
        factors: [{ kind: 'password', at: clock.now() }],
        remember: input.remember,
        address: context.address,
        userAgent: context.userAgent,
      })
    const issued = await orUndo(opening, takeBack)
    // Whoever changes a password ends the account's sessions in the same step: one that was
    // opened with the old password in that moment must not outlive it.
    const { hash: hashNow } = await orUndo(() => readAccount(folded, typed), takeBack)
    // A stronger hash of the same password may have taken its place.
    const isStill = async () =>
      hashNow === hash || (await deps.passwords.verify(input.password, hashNow)).kind === 'right'
    if (hash === undefined || !(await orUndo(isStill, takeBack))) {
      await deps.sessions.end(issued.session.id)
      audit(failure('auth.password', 'wrong'), trail)
      return { kind: 'refused' }
    }
    giveBack()
    door.attempt.succeeded()
    const known = auditContext(context, { account, session: issued.session })
    audit({ event: 'auth.password', outcome: 'success' }, known)
    audit({ event: 'session.created', outcome: 'success' }, known)
    const needsRehash = verdict.kind === 'right' && verdict.needsRehash
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
