import type { Account, AccountStore } from '../accounts/account.ts'
import type { PasswordPolicy, PasswordRefusal } from '../accounts/password-policy.ts'
import type { Audit } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { FactorKind } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { MINUTE, type Milliseconds } from '../lib/duration.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Lockout } from '../limits/lockout.ts'
import type { Session } from '../sessions/session.ts'
import type { Issued, Sessions } from '../sessions/sessions.ts'
import { auditContext, failure, type LoginContext, orUndo } from './step.ts'

export type PasswordChangeOutcome =
  /** The session goes on under a new id; the account is as it is now. */
  | { readonly kind: 'changed'; readonly issued: Issued; readonly account: Account }
  | { readonly kind: 'refused'; readonly refusal: PasswordRefusal | { readonly problem: 'same' } }
  /** The present password was wrong, or too many were: nobody is told which. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  /** Too many passwords at once; nothing was judged or counted. */
  | { readonly kind: 'busy' }
  /** The session ended meanwhile, or the password was changed elsewhere. */
  | { readonly kind: 'gone' }

/** Changing one's own password. */
export type PasswordChange = {
  /** Whether the present password must be typed: it was not given lately (WCAG 2.2, 3.3.7). */
  readonly asksCurrent: (session: Session) => boolean
  /**
   * Replaces the password. The old one's guesses are paid and counted like those of a sign-in.
   * With `endOthers`, every other session of the account ends in the same step.
   */
  readonly change: (
    session: Session,
    account: Account,
    input: {
      readonly current: Secret<string>
      readonly next: Secret<string>
      readonly endOthers: boolean
    },
    context: LoginContext,
  ) => Promise<PasswordChangeOutcome>
}

/** A password that was given within this time is not asked for again. */
const GIVEN_FOR: Milliseconds = 10 * MINUTE

/** What stands for the password: an operator's link is for whoever does not know it. */
const STANDS_FOR_IT: ReadonlySet<FactorKind> = new Set(['password', 'link'])

export function createPasswordChange(
  deps: {
    readonly accounts: Pick<AccountStore, 'byId' | 'passwordHash' | 'setPasswordHash'>
    readonly passwords: PasswordHasher
    readonly policy: Pick<PasswordPolicy, 'check'>
    readonly sessions: Pick<Sessions, 'renew' | 'end' | 'endOfUser' | 'ofUser' | 'reread'>
    readonly limiter: Limiter
    readonly lockout: Lockout
    readonly audit: Audit
    readonly clock: Clock
  },
  { budget }: { /** Attempts at a password, by network. */ readonly budget: Budget },
): PasswordChange {
  const { accounts, passwords, sessions, limiter, lockout, audit, clock } = deps

  const asksCurrent = (session: Session) =>
    !session.factors.some(
      // What seems to be of the future was given before the clock was set back.
      ({ kind, at }) => STANDS_FOR_IT.has(kind) && Math.abs(clock.now() - at) <= GIVEN_FOR,
    )

  /** Whether it is the present password, counted like a sign-in by whoever asks. */
  const prove = async (
    current: Secret<string>,
    hash: string,
    session: Session,
    account: Account,
    context: LoginContext,
  ): Promise<'right' | 'wrong' | 'busy'> => {
    const network = networkKey(context.address)
    const door = lockout.begin(account.name, network, context.knownDevice(account))
    const takeBack = () => {
      if (door.kind === 'go') door.attempt.cancelled()
    }
    const verdict = await orUndo(() => passwords.verify(current, hash), takeBack)
    const trail = auditContext(context, { account, session })
    if (verdict.kind === 'busy') {
      takeBack()
      return 'busy'
    }
    if (verdict.kind === 'right' && door.kind === 'go') {
      door.attempt.succeeded()
      return 'right'
    }
    audit(failure('auth.password', door.kind === 'locked' ? 'locked' : 'wrong'), trail)
    if (door.kind === 'go' && door.attempt.last) {
      audit({ event: 'auth.locked', outcome: 'deny', reason: 'failures' }, trail)
    }
    return 'wrong'
  }

  const put = async (
    session: Session,
    account: Account,
    hashes: { readonly previous: string; readonly next: string },
    endOthers: boolean,
    context: LoginContext,
  ): Promise<PasswordChangeOutcome> => {
    const issued = await sessions.renew(session)
    if (issued === undefined) return { kind: 'gone' }
    const keep = issued.session.id
    const others = endOthers
      ? (await sessions.ofUser(account.id)).filter(({ id }) => id !== keep)
      : []
    // Here, so that what is remembered of them and what they hold open ends too; those that begin
    // in this moment end with the change itself.
    if (endOthers) await sessions.endOfUser(account.id, keep)
    const done = await accounts.setPasswordHash(account.id, hashes.next, clock.now(), {
      previous: hashes.previous,
      keep: endOthers ? keep : 'all',
    })
    sessions.reread()
    const now = await accounts.byId(account.id)
    if (!done || now === undefined) {
      await sessions.end(keep)
      return { kind: 'gone' }
    }
    audit(
      { event: 'password.changed', outcome: 'success' },
      auditContext(context, { account, session: issued.session }),
    )
    for (const other of others) {
      audit(
        { event: 'session.ended', outcome: 'success', reason: 'password_changed' },
        auditContext(context, { account, session: other }),
      )
    }
    return { kind: 'changed', issued, account: now }
  }

  return {
    asksCurrent,
    change: async (session, account, input, context) => {
      const network = networkKey(context.address)
      const take = limiter.take(budget, network)
      if (take.kind === 'limited') {
        audit(failure('auth.password', 'rate_limited'), auditContext(context, { account, session }))
        return { kind: 'limited', take, budget }
      }
      const refund = () => limiter.refund(budget, network)
      const previous = await orUndo(() => accounts.passwordHash(account.id), refund)
      if (previous === undefined) return { kind: 'gone' }
      const asked = asksCurrent(session)
      if (asked) {
        const proof = await orUndo(
          () => prove(input.current, previous, session, account, context),
          refund,
        )
        if (proof === 'busy') refund()
        if (proof !== 'right') return { kind: proof }
      }
      const judged = await orUndo(
        () =>
          deps.policy.check(input.next, {
            accountName: account.name,
            email: account.email,
            displayName: account.displayName,
          }),
        refund,
      )
      if (judged.kind === 'refused') {
        refund()
        return { kind: 'refused', refusal: judged }
      }
      const same = await orUndo(() => passwords.verify(input.next, previous), refund)
      if (same.kind === 'busy') {
        refund()
        return same
      }
      // SECURITY: this answer tells whether a guess was right, so it is paid for unless the present
      // password was proved.
      if (same.kind === 'right') {
        if (asked) refund()
        return { kind: 'refused', refusal: { problem: 'same' } }
      }
      const hashed = await orUndo(() => passwords.hash(input.next), refund)
      refund()
      if (hashed.kind === 'busy') return hashed
      return put(session, account, { previous, next: hashed.phc }, input.endOthers, context)
    },
  }
}
