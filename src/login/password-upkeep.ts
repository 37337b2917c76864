import type { Account, AccountStore } from '../accounts/account.ts'
import type { LeakedPasswords } from '../accounts/password-leaks.ts'
import type { Audit, AuditContext } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { DAY } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'
import type { Sessions } from '../sessions/sessions.ts'

/** What is done with a password that was just given and right. */
export type PasswordUpkeep = {
  /**
   * Returns at once; what it begins never throws and never ends a session. A hash made at another
   * cost is replaced, and a password that is known from a leak must be changed before anything else.
   */
  readonly given: (
    right: {
      readonly account: Account
      readonly password: Secret<string>
      /** The hash it was compared with. */
      readonly hash: string
      readonly needsRehash: boolean
    },
    trail: AuditContext,
  ) => void
  /** Resolves when nothing is under way. */
  readonly settled: () => Promise<void>
}

/** More are not begun: the next sign-in does it. */
const MOST_AT_ONCE = 16
/** An account's password is looked up so often at most. */
const LOOKED_UP_EVERY = DAY

export function createPasswordUpkeep(deps: {
  readonly accounts: Pick<AccountStore, 'passwordHash' | 'rehash' | 'setPasswordDue'>
  readonly passwords: Pick<PasswordHasher, 'hash'>
  /** Absent: nothing is looked up. */
  readonly leaked?: LeakedPasswords | undefined
  readonly sessions: Pick<Sessions, 'reread'>
  readonly audit: Audit
  readonly clock: Clock
  /** Told of what could not be done. */
  readonly failed: (cause: unknown) => void
}): PasswordUpkeep {
  const { accounts, audit, clock, leaked } = deps
  const underWay = new Set<Promise<void>>()
  /** When each account's password was looked up last: bounded by the accounts there are. */
  const lookedUp = new Map<UserId, number>()

  const begin = (work: () => Promise<void>) => {
    if (underWay.size >= MOST_AT_ONCE) return
    const running: Promise<void> = work()
      .catch(deps.failed)
      .finally(() => underWay.delete(running))
    underWay.add(running)
  }

  const rehash = async (
    { id }: Account,
    password: Secret<string>,
    previous: string,
    trail: AuditContext,
  ) => {
    const hashed = await deps.passwords.hash(password)
    if (hashed.kind === 'busy') return
    if (!(await accounts.rehash(id, previous, hashed.phc, clock.now()))) return
    audit({ event: 'password.rehashed', outcome: 'success' }, trail)
  }

  const lookUp = async (
    source: LeakedPasswords,
    { id }: Account,
    password: Secret<string>,
    hash: string,
    trail: AuditContext,
  ) => {
    const found = await source.find(password)
    if (found.kind === 'unreachable') {
      lookedUp.delete(id)
      return deps.failed(found.cause)
    }
    if (found.kind !== 'leaked' || (await accounts.passwordHash(id)) !== hash) return
    await accounts.setPasswordDue(id, 'leaked', clock.now())
    deps.sessions.reread()
    audit({ event: 'password.change_required', outcome: 'success', detail: 'leaked' }, trail)
  }

  return {
    given: ({ account, password, hash, needsRehash }, trail) => {
      const now = clock.now()
      const last = lookedUp.get(account.id)
      const isDue = last === undefined || now - last >= LOOKED_UP_EVERY || now < last
      begin(async () => {
        // One after the other: the look-up compares with the hash that is kept.
        if (leaked !== undefined && account.passwordDue === '' && isDue) {
          lookedUp.set(account.id, now)
          await lookUp(leaked, account, password, hash, trail)
        }
        if (needsRehash) await rehash(account, password, hash, trail)
      })
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
