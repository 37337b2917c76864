import type { Account, AccountStore } from '../accounts/account.ts'
import type { PasswordPolicy } from '../accounts/password-policy.ts'
import { checkRegistration, type RegistrationProblem } from '../accounts/registration.ts'
import type { Audit } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import type { Clock } from '../lib/clock.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Issued, Sessions } from '../sessions/sessions.ts'
import type { InvitationDetails, LinkStore } from './link-store.ts'
import { type Links, linkDigest } from './links.ts'
import { auditContext, orUndo, type StepOrigin } from './step.ts'

/** What an open invitation gives; `name` is empty where one is to be chosen. */
export type OpenInvitation = InvitationDetails & { readonly kind: 'open' }

export type InvitationPeek =
  | OpenInvitation
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

export type InvitationProblem =
  | RegistrationProblem
  | { readonly field: 'username'; readonly problem: 'taken' }

export type InvitationOutcome =
  | { readonly kind: 'created'; readonly issued: Issued; readonly account: Account }
  /** The link still works. */
  | {
      readonly kind: 'invalid'
      readonly invitation: OpenInvitation
      readonly problems: readonly InvitationProblem[]
    }
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  | { readonly kind: 'busy'; readonly invitation: OpenInvitation }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

/** Makes one account by a link that was sent to its owner's address. */
export type Invitations = {
  /** Consumes nothing. */
  readonly open: (token: string) => Promise<InvitationPeek>
  /** `username` counts only where the invitation gives no name. */
  readonly accept: (
    token: string,
    fields: {
      readonly username: string
      readonly displayName: string
      readonly password: Secret<string>
    },
    origin: StepOrigin,
  ) => Promise<InvitationOutcome>
}

export function createInvitations(
  deps: {
    readonly links: Pick<Links, 'peek'>
    readonly store: Pick<LinkStore, 'spendInvitation'>
    readonly accounts: Pick<AccountStore, 'byId' | 'isNameFree'>
    readonly passwords: PasswordHasher
    readonly passwordPolicy: Pick<PasswordPolicy, 'check'>
    readonly sessions: Pick<Sessions, 'open'>
    readonly limiter: Limiter
    readonly audit: Audit
    readonly clock: Clock
  },
  /** Attempts by network. */
  budget: Budget,
): Invitations {
  const { accounts, limiter, audit, clock } = deps
  const open: Invitations['open'] = async (token) => {
    const peek = await deps.links.peek('invitation', token)
    if (peek.kind !== 'open') return peek
    const { invitation } = peek.link
    if (invitation === undefined) return { kind: 'gone' }
    const { name } = invitation
    // Somebody else has it by now, or an address like it: another one is to be chosen.
    const taken = name !== '' && !(await accounts.isNameFree(name))
    return { kind: 'open', ...invitation, name: taken ? '' : name }
  }
  return {
    open,
    accept: async (token, fields, origin) => {
      const network = networkKey(origin.address)
      const take = limiter.take(budget, network)
      if (take.kind === 'limited') return { kind: 'limited', take, budget }
      const giveBack = () => limiter.refund(budget, network)
      const missed = () =>
        audit(
          { event: 'link.used', outcome: 'failure', link: 'invitation' },
          auditContext(origin, {}),
        )
      const invitation = await orUndo(() => open(token), giveBack)
      if (invitation.kind !== 'open') {
        missed()
        return invitation
      }
      const { email, name, groups } = invitation
      const username = name === '' ? fields.username : name
      const checked = await orUndo(
        () => checkRegistration({ ...fields, username, email, groups }, deps.passwordPolicy),
        giveBack,
      )
      if (checked.kind === 'refused') {
        return { kind: 'invalid', invitation, problems: checked.problems }
      }
      const hashed = await orUndo(() => deps.passwords.hash(fields.password), giveBack)
      if (hashed.kind === 'busy') {
        giveBack()
        return { kind: 'busy', invitation }
      }
      const now = clock.now()
      const added = await orUndo(
        () =>
          deps.store.spendInvitation(
            linkDigest(token),
            { ...checked.account, passwordHash: hashed.phc },
            now,
          ),
        giveBack,
      )
      if (added === 'name_taken') {
        return {
          kind: 'invalid',
          invitation: { ...invitation, name: '' },
          problems: [{ field: 'username', problem: 'taken' }],
        }
      }
      if (added === 'gone') {
        missed()
        return { kind: 'gone' }
      }
      giveBack()
      const account = await accounts.byId(checked.account.id)
      if (account === undefined) return { kind: 'gone' }
      const issued = await deps.sessions.open({
        userId: account.id,
        stage: 'complete',
        factors: [{ kind: 'password', at: now }],
        remember: false,
        address: origin.address,
        userAgent: origin.userAgent,
      })
      if (issued === undefined) return { kind: 'gone' }
      const trail = auditContext(origin, { account, session: issued.session })
      audit({ event: 'link.used', outcome: 'success', link: 'invitation' }, trail)
      audit({ event: 'account.created', outcome: 'success' }, trail)
      audit({ event: 'session.created', outcome: 'success' }, trail)
      return { kind: 'created', issued, account }
    },
  }
}
