import type { Account } from '../accounts/account.ts'
import type { Audit, StepEvent } from '../audit/audit.ts'
import type { FailureStreaks } from '../factors/failure-streaks.ts'
import { type FactorKind, levelOf } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Milliseconds } from '../lib/duration.ts'
import { networkKey } from '../lib/network.ts'
import { BUDGETS } from '../limits/budgets.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { Session } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { auditContext, failure, type LoginContext, orUndo, type StepOutcome } from './step.ts'

/** What the proof of a factor came to. */
export type Proof =
  | 'right'
  | 'busy'
  | 'wrong'
  | 'spent'
  | 'expired'
  | 'no_factor'
  /** Right by a clock that is ahead by so much, behind if negative. */
  | { readonly drift: Milliseconds }

export type SecondStepBudgets = {
  /** Attempts at a second factor, by network. */
  readonly secondStep: Budget
}

/**
 * Attempts at each factor, by account, wherever they come from. Those of one leave the others
 * alone: who mistypes codes can still use a passkey or a recovery code.
 */
const BY_ACCOUNT: Readonly<Record<Exclude<StepEvent, 'auth.password' | 'auth.link'>, Budget>> = {
  'auth.totp': BUDGETS.totp,
  'auth.sms': BUDGETS.smsCode,
  'auth.recovery_code': BUDGETS.recoveryCode,
  'auth.passkey': BUDGETS.passkey,
}

/**
 * What all second factors share: budgets, the proof itself, the rise of the session. `prove` is
 * called once an attempt is paid for, and must spend what may be used once.
 */
export type SecondStep = (
  attempt: {
    readonly event: keyof typeof BY_ACCOUNT
    /** What the session has proved afterwards; a function where only the proof tells. */
    readonly kind: FactorKind | (() => FactorKind)
    readonly session: Session
    readonly account: Account
    readonly context: LoginContext
  },
  prove: () => Promise<Proof>,
) => Promise<StepOutcome>

export function createSecondStep(
  deps: {
    readonly sessions: Pick<Sessions, 'raise'>
    readonly limiter: Limiter
    readonly streaks: FailureStreaks
    readonly audit: Audit
    readonly clock: Clock
  },
  budgets: SecondStepBudgets,
): SecondStep {
  const { limiter, streaks, audit, clock } = deps
  return async ({ event, kind, session, account, context }, prove) => {
    const trail = auditContext(context, { account, session })
    const network = networkKey(context.address)
    const byNetwork = limiter.take(budgets.secondStep, network)
    if (byNetwork.kind === 'limited') {
      audit(failure(event, 'rate_limited'), trail)
      return { kind: 'limited', take: byNetwork, budget: budgets.secondStep }
    }
    const budget = BY_ACCOUNT[event]
    const byAccount = limiter.take(budget, account.id)
    if (byAccount.kind === 'limited') {
      audit(failure(event, 'rate_limited'), trail)
      return { kind: 'limited', take: byAccount, budget }
    }
    const refund = () => {
      limiter.refund(budgets.secondStep, network)
      limiter.refund(budget, account.id)
    }
    // SECURITY: counted before it is looked at, so that of many at once none is looked at for free.
    if ((await orUndo(() => streaks.begin(account.id, event), refund)) === 'full') {
      audit(failure(event, 'too_many_in_a_row'), trail)
      return { kind: 'refused' }
    }
    const takeBack = async () => {
      refund()
      await streaks.takeBack(account.id, event)
    }
    const proof = await prove().catch(async (error) => {
      await takeBack().catch(() => {})
      throw error
    })
    if (proof === 'busy') {
      await takeBack()
      audit(failure(event, 'busy'), trail)
      return { kind: 'busy' }
    }
    if (typeof proof === 'object') {
      audit(failure(event, 'clock'), trail)
      return { kind: 'refused', drift: proof.drift }
    }
    if (proof !== 'right') {
      audit(failure(event, proof), trail)
      return { kind: 'refused' }
    }
    refund()
    await streaks.end(account.id, event)
    const proved = typeof kind === 'function' ? kind() : kind
    const issued = await deps.sessions.raise(session, { kind: proved, at: clock.now() })
    if (issued === undefined) return { kind: 'gone' }
    const risen = {
      ...auditContext(context, { account, session: issued.session }),
      previousSession: session.id,
    }
    audit({ event, outcome: 'success' }, risen)
    const again = levelOf(session.factors) === 'two_factor'
    audit({ event: again ? 'session.confirmed' : 'session.raised', outcome: 'success' }, risen)
    return { kind: 'signed_in', issued, account, next: 'done' }
  }
}
