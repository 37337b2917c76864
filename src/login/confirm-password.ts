import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { Clock } from '../lib/clock.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { Lockout } from '../limits/lockout.ts'
import type { Session } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { auditContext, failure, type LoginContext, orUndo, type StepOutcome } from './step.ts'

/**
 * Proves the password once more and gives the session a new id, in the place of opening another.
 * It is paid for and counted like a sign-in, so that a session is no way around the lock-out.
 */
export type ConfirmPassword = (
  session: Session,
  account: Account,
  password: Secret<string>,
  context: LoginContext,
) => Promise<StepOutcome>

export function createConfirmPassword(
  deps: {
    readonly accounts: Pick<AccountStore, 'passwordHash'>
    readonly passwords: PasswordHasher
    readonly sessions: Pick<Sessions, 'raise'>
    readonly limiter: Limiter
    /** Counts one attempt; an operator's unlocking is obeyed first. */
    readonly begin: (account: Account, network: string, device?: string) => Attempt
    readonly audit: Audit
    readonly clock: Clock
  },
  budget: Budget,
): ConfirmPassword {
  const { limiter, audit } = deps
  return async (session, account, password, context) => {
    // Who still owes a second factor has nothing to confirm: proving less must not finish more.
    if (session.stage !== 'complete') return { kind: 'gone' }
    const trail = auditContext(context, { account, session })
    const network = networkKey(context.address)
    const take = limiter.take(budget, network)
    if (take.kind === 'limited') {
      audit(failure('auth.password', 'rate_limited'), trail)
      return { kind: 'limited', take, budget }
    }
    const giveBack = () => limiter.refund(budget, network)
    const hash = await orUndo(() => deps.accounts.passwordHash(account.id), giveBack)
    const door = deps.begin(account, network, context.knownDevice(account))
    const takeBack = () => {
      giveBack()
      if (door.kind === 'go') door.attempt.cancelled()
    }
    // SECURITY: the hash is computed though it is locked, as at a sign-in.
    const verdict = await orUndo(() => deps.passwords.verify(password, hash), takeBack)
    if (verdict.kind === 'busy') {
      takeBack()
      audit(failure('auth.password', 'busy'), trail)
      return { kind: 'busy' }
    }
    if (door.kind === 'locked' || verdict.kind === 'wrong') {
      audit(failure('auth.password', door.kind === 'locked' ? 'locked' : 'wrong'), trail)
      if (door.kind === 'go' && door.attempt.last) {
        audit({ event: 'auth.locked', outcome: 'deny', reason: 'failures' }, trail)
      }
      return { kind: 'refused' }
    }
    const raising = () => deps.sessions.raise(session, { kind: 'password', at: deps.clock.now() })
    // A password that was changed meanwhile ended this session, or gave it another id.
    const issued = await orUndo(raising, takeBack)
    if (issued === undefined) {
      takeBack()
      return { kind: 'gone' }
    }
    giveBack()
    door.attempt.succeeded()
    const risen = auditContext(context, { account, session: issued.session })
    audit({ event: 'auth.password', outcome: 'success' }, risen)
    audit({ event: 'session.confirmed', outcome: 'success' }, risen)
    return { kind: 'signed_in', issued, account, next: 'done' }
  }
}

type Attempt = ReturnType<Lockout['begin']>
