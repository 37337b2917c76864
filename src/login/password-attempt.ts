import type { Account, AccountStore } from '../accounts/account.ts'
import { newUserId } from '../accounts/user-id.ts'
import type { Audit, AuditContext, StepFailure } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { foldName } from '../lib/fold.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Lockout } from '../limits/lockout.ts'
import { auditContext, failure, type LoginContext, orUndo } from './step.ts'

/** A name and a password, as they were given. */
export type GivenPassword = {
  readonly username: string
  readonly password: Secret<string>
}

/** What came of an attempt. It is counted as a failure until `settle` says that it was right. */
export type AttemptOutcome =
  | {
      readonly kind: 'right'
      readonly account: Account
      /** What it was compared with. */
      readonly hash: string
      readonly needsRehash: boolean
      /**
       * Whether it is the account's password still; a stronger hash of the same one counts.
       * @throws AppError `store_unavailable`
       */
      readonly isStill: () => Promise<boolean>
      /** It was right: what was counted is taken back, and failures before it are forgotten. */
      readonly settle: () => void
      /** Nothing came of it, for the store was out: as if it had not been. */
      readonly takeBack: () => void
      /** It is refused all the same, and stays counted. */
      readonly refuse: (reason: StepFailure) => void
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  | { readonly kind: 'busy' }

/** One attempt at a password: paid for, counted, and the same work whoever it is about. */
export type PasswordAttempt = {
  /**
   * @param cannotPass why the account cannot be entered by a password here, if it cannot; asked
   * about nobody too, so that it takes as long. SECURITY: the account's password is not looked at
   * then: what comes of it is what comes of a name that nobody has.
   * @throws AppError `store_unavailable`
   */
  readonly begin: (
    given: GivenPassword,
    context: LoginContext,
    cannotPass?: (account: Account | undefined) => Promise<StepFailure | undefined>,
  ) => Promise<AttemptOutcome>
  /** The command line lifts a lock through the store: this process hears of it here. */
  readonly obeyUnlock: (account: Account) => void
}

export function createPasswordAttempt(
  deps: {
    readonly accounts: Pick<AccountStore, 'byName' | 'byEmail' | 'passwordHash'>
    readonly passwords: PasswordHasher
    readonly limiter: Limiter
    readonly lockout: Lockout
    readonly audit: Audit
    readonly clock: Clock
  },
  budget: Budget,
): PasswordAttempt {
  const { limiter, lockout, audit, clock } = deps

  const startedAt = clock.now()
  /** The newest unlock obeyed, by account: bounded by the accounts there are. */
  const unlocks = new Map<UserId, number>()

  const obeyUnlock = (account: Account) => {
    if (account.unlockedAt <= (unlocks.get(account.id) ?? startedAt)) return
    lockout.unlock(account.name)
    unlocks.set(account.id, account.unlockedAt)
  }

  const nobody = newUserId()
  /**
   * By name, or by the address of one account alone; what is the name of one and the address of
   * another is nobody's (docs/decisions/0024). SECURITY: the same questions for everybody.
   */
  const readAccount = async (name: string, typed: string) => {
    const named = await deps.accounts.byName(name)
    const addressed = await deps.accounts.byEmail(typed.trim())
    const isClash = named !== undefined && addressed !== undefined && named.id !== addressed.id
    const account = isClash ? undefined : (named ?? addressed)
    // As much is read for a name that nobody has.
    const hash = await deps.accounts.passwordHash(account?.id ?? nobody)
    return { account, hash }
  }

  const begin: PasswordAttempt['begin'] = async (given, context, cannotPass) => {
    const network = networkKey(context.address)
    const take = limiter.take(budget, network)
    const typed = given.username.slice(0, 1024)
    const folded = foldName(typed).slice(0, 128)
    if (take.kind === 'limited') {
      audit(failure('auth.password', 'rate_limited'), auditContext(context, {}))
      return { kind: 'limited', take, budget }
    }
    const giveBack = () => limiter.refund(budget, network)
    const { account, hash } = await orUndo(() => readAccount(folded, typed), giveBack)
    // Every spelling of one account, its address among them, is counted under its name.
    const name = account?.name ?? folded
    // SECURITY: what was typed is written down nowhere unless it is the name of an account: many a
    // password is typed into the field above its own.
    const trail: AuditContext = auditContext(context, account === undefined ? {} : { account })
    const device = account === undefined ? undefined : context.knownDevice(account)
    const closed = await orUndo(async () => cannotPass?.(account), giveBack)
    if (account !== undefined) obeyUnlock(account)
    const door = lockout.begin(name, network, device)
    const takeBack = () => {
      giveBack()
      if (door.kind === 'go') door.attempt.cancelled()
    }
    // SECURITY: the hash is computed in every case, so time does not tell them apart.
    const against = closed === undefined ? hash : undefined
    const verdict = await orUndo(() => deps.passwords.verify(given.password, against), takeBack)
    if (verdict.kind === 'busy') {
      takeBack()
      audit(failure('auth.password', 'busy'), trail)
      return { kind: 'busy' }
    }
    const refuse = (reason: StepFailure) => audit(failure('auth.password', reason), trail)
    const reason =
      door.kind === 'locked'
        ? 'locked'
        : account === undefined
          ? 'unknown_account'
          : (closed ??
            (verdict.kind === 'wrong' ? 'wrong' : account.disabled ? 'disabled' : undefined))
    if (
      reason !== undefined ||
      account === undefined ||
      hash === undefined ||
      verdict.kind === 'wrong' ||
      door.kind === 'locked'
    ) {
      refuse(reason ?? 'unknown_account')
      if (door.kind === 'go' && door.attempt.last) {
        audit({ event: 'auth.locked', outcome: 'deny', reason: 'failures' }, trail)
      }
      return { kind: 'refused' }
    }
    return {
      kind: 'right',
      account,
      hash,
      needsRehash: verdict.needsRehash,
      isStill: async () => {
        const { hash: hashNow } = await readAccount(folded, typed)
        if (hashNow === hash) return true
        return (await deps.passwords.verify(given.password, hashNow)).kind === 'right'
      },
      settle: () => {
        giveBack()
        door.attempt.succeeded()
      },
      takeBack,
      refuse,
    }
  }

  return { begin, obeyUnlock }
}
