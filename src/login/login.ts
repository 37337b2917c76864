import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit, AuditContext, AuditEvent, StepFailure } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { Totp } from '../factors/totp.ts'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { foldName } from '../lib/fold.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Lockout } from '../limits/lockout.ts'
import type { Session } from '../sessions/session.ts'
import type { Issued, Sessions } from '../sessions/sessions.ts'

/** Where an attempt comes from. */
export type LoginContext = {
  readonly requestId: string
  readonly address: string
  readonly userAgent: string
  /** Device ids this browser proves it signed in from before, one for each account; may be empty. */
  readonly knownDevice: (account: Account) => string | undefined
}

/** What came of a step. Every refusal is one `refused`: the audit log alone knows why. */
export type StepOutcome =
  | {
      readonly kind: 'signed_in'
      readonly issued: Issued
      readonly account: Account
      /** `second_step`: the account has a second factor, which is asked for next. */
      readonly next: 'second_step' | 'done'
    }
  | { readonly kind: 'refused' }
  /** Too many attempts from this network. */
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  /** Too many sign-ins at once on this server; nothing was judged or counted. */
  | { readonly kind: 'busy' }
  /** The session was revoked or raised in the meantime: start again. */
  | { readonly kind: 'gone' }

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
  readonly accounts: Pick<AccountStore, 'byName' | 'passwordHash'>
  readonly passwords: PasswordHasher
  readonly totp: Pick<Totp, 'verify' | 'hasDevice' | 'finishEnrolment'>
  readonly recoveryCodes: Pick<RecoveryCodes, 'use'>
  readonly sessions: Pick<Sessions, 'open' | 'raise' | 'end'>
  readonly limiter: Limiter
  readonly lockout: Lockout
  readonly audit: Audit
  readonly clock: Clock
}

export type LoginBudgets = {
  /** Attempts at a password, by network. */
  readonly password: Budget
  /** Attempts at a second factor, by network. */
  readonly secondStep: Budget
  /** Attempts at a second factor, by account, wherever they come from. */
  readonly secondFactor: Budget
}

/** The login state machine: nothing → password right → complete. */
export function createLogin(deps: LoginDeps, budgets: LoginBudgets): Login {
  const { limiter, lockout, audit, clock } = deps

  const startedAt = clock.now()
  /** The newest unlock obeyed, by account: bounded by the accounts there are. */
  const unlocks = new Map<UserId, number>()

  const readAccount = async (name: string) => {
    const account = await deps.accounts.byName(name)
    const hash = account === undefined ? undefined : await deps.accounts.passwordHash(account.id)
    return { account, hash }
  }

  const withPassword: Login['withPassword'] = async (input, context) => {
    const network = networkKey(context.address)
    const take = limiter.take(budgets.password, network)
    const name = foldName(input.username).slice(0, 128)
    const trail: AuditContext = auditContext(context, { user: name })
    if (take.kind === 'limited') {
      audit(failure('auth.password', 'rate_limited'), trail)
      return { kind: 'limited', take, budget: budgets.password }
    }
    const giveBack = () => limiter.refund(budgets.password, network)
    const { account, hash } = await orUndo(() => readAccount(name), giveBack)
    const device = account === undefined ? undefined : context.knownDevice(account)
    // The command line lifts a lock through the store: this process hears of it here.
    if (account !== undefined && account.unlockedAt > (unlocks.get(account.id) ?? startedAt)) {
      lockout.unlock(name)
      unlocks.set(account.id, account.unlockedAt)
    }
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
    const owesSecond = await orUndo(() => deps.totp.hasDevice(account.id), takeBack)
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
    const { hash: hashNow } = await orUndo(() => readAccount(name), takeBack)
    if (hashNow !== hash) {
      await deps.sessions.end(issued.session.id)
      audit(failure('auth.password', 'wrong'), trail)
      return { kind: 'refused' }
    }
    giveBack()
    door.attempt.succeeded()
    const known = auditContext(context, { account, session: issued.session })
    audit({ event: 'auth.password', outcome: 'success' }, known)
    audit({ event: 'session.created', outcome: 'success' }, known)
    return { kind: 'signed_in', issued, account, next: owesSecond ? 'second_step' : 'done' }
  }

  /** What both second factors share: budgets, the proof itself, the rise of the session. */
  const secondStep = async (
    event: 'auth.totp' | 'auth.recovery_code',
    session: Session,
    account: Account,
    context: LoginContext,
    prove: () => Promise<'right' | 'busy' | 'wrong' | 'spent' | 'no_factor'>,
  ): Promise<StepOutcome> => {
    const trail = auditContext(context, { account, session })
    const network = networkKey(context.address)
    const byNetwork = limiter.take(budgets.secondStep, network)
    if (byNetwork.kind === 'limited') {
      audit(failure(event, 'rate_limited'), trail)
      return { kind: 'limited', take: byNetwork, budget: budgets.secondStep }
    }
    const byAccount = limiter.take(budgets.secondFactor, account.id)
    if (byAccount.kind === 'limited') {
      audit(failure(event, 'rate_limited'), trail)
      return { kind: 'limited', take: byAccount, budget: budgets.secondFactor }
    }
    const refund = () => {
      limiter.refund(budgets.secondStep, network)
      limiter.refund(budgets.secondFactor, account.id)
    }
    const proof = await orUndo(prove, refund)
    if (proof === 'busy') {
      refund()
      audit(failure(event, 'busy'), trail)
      return { kind: 'busy' }
    }
    if (proof !== 'right') {
      audit(failure(event, proof), trail)
      return { kind: 'refused' }
    }
    refund()
    const kind = event === 'auth.totp' ? 'totp' : 'recovery_code'
    const issued = await deps.sessions.raise(session, { kind, at: clock.now() })
    if (issued === undefined) return { kind: 'gone' }
    const risen = auditContext(context, { account, session: issued.session })
    audit({ event, outcome: 'success' }, risen)
    audit({ event: 'session.raised', outcome: 'success' }, risen)
    return { kind: 'signed_in', issued, account, next: 'done' }
  }

  return {
    withPassword,
    withTotp: (session, account, code, context) =>
      secondStep('auth.totp', session, account, context, async () => {
        const verdict = await deps.totp.verify(account.id, code)
        return verdict.kind === 'no_device' ? 'no_factor' : verdict.kind
      }),
    withNewTotp: (session, account, input, context) =>
      secondStep('auth.totp', session, account, context, async () => {
        const verdict = await deps.totp.finishEnrolment(account.id, input.code, input.label)
        if (verdict.kind !== 'right') return verdict.kind === 'wrong' ? 'wrong' : 'no_factor'
        const trail = auditContext(context, { account, session })
        audit({ event: 'factor.totp_enrolled', outcome: 'success' }, trail)
        return 'right'
      }),
    withRecoveryCode: (session, account, code, context) =>
      secondStep('auth.recovery_code', session, account, context, async () => {
        const verdict = await deps.recoveryCodes.use(account.id, code)
        return verdict.kind === 'empty' || verdict.kind === 'format' ? 'wrong' : verdict.kind
      }),
  }
}

/**
 * When `work` throws, nothing was judged: `undo` takes back what was counted for it, so that a
 * store that is out does not lock out whoever tries again meanwhile.
 */
async function orUndo<T>(work: () => Promise<T>, undo: () => void): Promise<T> {
  try {
    return await work()
  } catch (error) {
    undo()
    throw error
  }
}

function failure(
  event: 'auth.password' | 'auth.totp' | 'auth.recovery_code',
  reason: StepFailure,
): AuditEvent {
  return { event, outcome: 'failure', reason }
}

/** Who, where and under which reference, for the audit log. */
function auditContext(
  context: LoginContext,
  known: { readonly user?: string; readonly account?: Account; readonly session?: Session },
): AuditContext {
  return {
    requestId: context.requestId,
    clientIp: context.address,
    ...(known.user === undefined ? {} : { user: known.user }),
    ...(known.account === undefined ? {} : { user: known.account.name, userId: known.account.id }),
    ...(known.session === undefined ? {} : { session: known.session.id }),
  }
}
