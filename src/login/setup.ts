import { hash } from 'node:crypto'
import type { Account, AccountStore, SetupStore } from '../accounts/account.ts'
import { parseGroupName } from '../accounts/account-name.ts'
import type { PasswordPolicy } from '../accounts/password-policy.ts'
import { checkRegistration, type RegistrationProblem } from '../accounts/registration.ts'
import type { Audit } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { Clock } from '../lib/clock.ts'
import { DAY } from '../lib/duration.ts'
import { networkKey } from '../lib/network.ts'
import { randomToken } from '../lib/random.ts'
import { Secret } from '../lib/secret.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Issued, Sessions } from '../sessions/sessions.ts'

/** A group of the first account. */
export const FIRST_GROUP = 'admins'

/** A setup link that is not used is dead after this; the next start prints a new one. */
const LINK_FOR = DAY

export type SetupFields = {
  readonly username: string
  readonly displayName: string
  readonly email: string
  readonly password: Secret<string>
}

export type SetupOutcome =
  | { readonly kind: 'created'; readonly issued: Issued; readonly account: Account }
  | { readonly kind: 'invalid'; readonly problems: readonly RegistrationProblem[] }
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  | { readonly kind: 'busy' }
  /** The link is unknown, expired or used, or an account exists already. */
  | { readonly kind: 'gone' }

/** Makes the first account, once, by a one-time link. */
export type Setup = {
  /** A new link's token while there is no account; it replaces any earlier one. */
  readonly offer: () => Promise<Secret<string> | undefined>
  /** Whether the link would work now. Consumes nothing: link scanners may look. */
  readonly isOpen: (token: string) => Promise<boolean>
  readonly claim: (
    token: string,
    fields: SetupFields,
    origin: { readonly requestId: string; readonly address: string; readonly userAgent: string },
  ) => Promise<SetupOutcome>
}

export function createSetup(
  deps: {
    readonly store: SetupStore
    readonly accounts: Pick<AccountStore, 'byId'>
    readonly passwords: PasswordHasher
    readonly passwordPolicy: Pick<PasswordPolicy, 'check'>
    readonly sessions: Pick<Sessions, 'open'>
    readonly limiter: Limiter
    readonly audit: Audit
    readonly clock: Clock
  },
  options: {
    readonly budget: Budget
    /** Groups that administer: the first account is put into the first of them. */
    readonly administrators?: readonly string[]
  },
): Setup {
  const { store, clock, audit } = deps
  const administrators = (options.administrators ?? [])
    .slice(0, 1)
    .filter((group) => parseGroupName(group).kind === 'ok')
  return {
    offer: async () => {
      const token = randomToken()
      const now = clock.now()
      const offered = await store.offer(digest(token), now + LINK_FOR, now)
      if (!offered) return undefined
      audit({ event: 'link.issued', outcome: 'success', link: 'setup' }, {})
      return new Secret(token)
    },
    isOpen: (token) => store.isOpen(digest(token), clock.now()),
    claim: async (token, fields, origin) => {
      const trail = { requestId: origin.requestId, clientIp: origin.address }
      const take = deps.limiter.take(options.budget, networkKey(origin.address))
      if (take.kind === 'limited') return { kind: 'limited', take, budget: options.budget }
      if (!(await store.isOpen(digest(token), clock.now()))) {
        audit({ event: 'setup.claimed', outcome: 'failure' }, trail)
        return { kind: 'gone' }
      }
      const registration = { ...fields, groups: [FIRST_GROUP, ...administrators] }
      const checked = await checkRegistration(registration, deps.passwordPolicy)
      if (checked.kind === 'refused') return { kind: 'invalid', problems: checked.problems }
      const hashed = await deps.passwords.hash(fields.password)
      if (hashed.kind === 'busy') return { kind: 'busy' }
      const now = clock.now()
      const account = { ...checked.account, passwordHash: hashed.phc }
      if (!(await store.claim(digest(token), account, now))) {
        audit({ event: 'setup.claimed', outcome: 'failure' }, trail)
        return { kind: 'gone' }
      }
      deps.limiter.refund(options.budget, networkKey(origin.address))
      const made = await deps.accounts.byId(account.id)
      if (made === undefined) return { kind: 'gone' }
      const issued = await deps.sessions.open({
        userId: made.id,
        stage: 'complete',
        factors: [{ kind: 'password', at: now }],
        remember: false,
        address: origin.address,
        userAgent: origin.userAgent,
      })
      if (issued === undefined) return { kind: 'gone' }
      const known = { ...trail, user: made.name, userId: made.id, session: issued.session.id }
      audit({ event: 'setup.claimed', outcome: 'success' }, known)
      audit({ event: 'account.created', outcome: 'success' }, known)
      audit({ event: 'session.created', outcome: 'success' }, known)
      return { kind: 'created', issued, account: made }
    },
  }
}

function digest(token: string): string {
  return hash('sha256', token, 'base64url')
}
