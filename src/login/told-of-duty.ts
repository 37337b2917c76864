import type { Account, AccountStore } from '../accounts/account.ts'
import { levelOf } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Session } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Duty } from './duty.ts'

/**
 * Whether who has just signed in must add a second factor. The first time that it is so is when
 * the time to add one begins: every way to sign in asks here.
 */
export async function isToldOfDuty(
  deps: {
    readonly duty: Pick<Duty, 'of'>
    readonly accounts: Pick<AccountStore, 'secondFactorAsked'>
    readonly sessions: Pick<Sessions, 'reread'>
    readonly clock: Clock
  },
  account: Account,
  session: Session,
): Promise<boolean> {
  if (levelOf(session.factors) === 'two_factor') return false
  if (deps.duty.of(account).kind === 'free') return false
  if (account.secondFactorAskedAt === 0) {
    await deps.accounts.secondFactorAsked(account.id, deps.clock.now())
    deps.sessions.reread()
  }
  return true
}
