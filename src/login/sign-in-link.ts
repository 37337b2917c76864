import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import { parseUserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { networkKey } from '../lib/network.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Issued, Sessions } from '../sessions/sessions.ts'
import type { LinkStore } from './link-store.ts'
import { type Links, linkDigest } from './links.ts'
import { auditContext, orUndo, type StepOrigin } from './step.ts'

export type SignInPeek =
  | { readonly kind: 'open'; readonly account: Account }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

export type SignInOutcome =
  | { readonly kind: 'signed_in'; readonly issued: Issued; readonly account: Account }
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

/**
 * An operator's way in for somebody who has lost everything: it stands for password and second
 * factor, passes a lock-out, and opens a session of an hour at most. Disabled accounts stay out.
 */
export type SignInLinks = {
  /** Whom the link would sign in. Consumes nothing. */
  readonly open: (token: string) => Promise<SignInPeek>
  readonly use: (token: string, origin: StepOrigin) => Promise<SignInOutcome>
}

export function createSignInLinks(
  deps: {
    readonly links: Pick<Links, 'peek'>
    readonly store: Pick<LinkStore, 'spendSignIn'>
    readonly accounts: Pick<AccountStore, 'byId'>
    readonly sessions: Pick<Sessions, 'open'>
    readonly limiter: Limiter
    readonly audit: Audit
    readonly clock: Clock
  },
  /** Attempts by network. */
  budget: Budget,
): SignInLinks {
  const { limiter, audit, clock } = deps
  const open: SignInLinks['open'] = async (token) => {
    const peek = await deps.links.peek('sign_in', token)
    if (peek.kind !== 'open') return peek
    const id = parseUserId(peek.link.owner)
    const account = id === undefined ? undefined : await deps.accounts.byId(id)
    if (account === undefined || account.disabled) return { kind: 'gone' }
    return { kind: 'open', account }
  }
  return {
    open,
    use: async (token, origin) => {
      const network = networkKey(origin.address)
      const take = limiter.take(budget, network)
      if (take.kind === 'limited') return { kind: 'limited', take, budget }
      const giveBack = () => limiter.refund(budget, network)
      const peek = await orUndo(() => open(token), giveBack)
      const now = clock.now()
      const spent =
        peek.kind === 'open'
          ? await orUndo(() => deps.store.spendSignIn(linkDigest(token), now), giveBack)
          : undefined
      if (peek.kind !== 'open' || spent === undefined) {
        const known = peek.kind === 'open' ? { account: peek.account } : {}
        const trail = auditContext(origin, known)
        const reason = peek.kind === 'expired' ? 'expired' : 'spent'
        audit({ event: 'auth.link', outcome: 'failure', reason }, trail)
        audit({ event: 'link.used', outcome: 'failure', link: 'sign_in' }, trail)
        return { kind: peek.kind === 'expired' ? 'expired' : 'gone' }
      }
      const { account } = peek
      const opening = () =>
        deps.sessions.open({
          userId: spent,
          stage: 'complete',
          factors: [{ kind: 'link', at: now }],
          remember: false,
          address: origin.address,
          userAgent: origin.userAgent,
        })
      const issued = await orUndo(opening, giveBack)
      // Disabled or deleted since the link was spent.
      if (issued === undefined) {
        const shut = auditContext(origin, { account })
        audit({ event: 'auth.link', outcome: 'failure', reason: 'disabled' }, shut)
        audit({ event: 'link.used', outcome: 'failure', link: 'sign_in' }, shut)
        return { kind: 'gone' }
      }
      giveBack()
      const trail = auditContext(origin, { account, session: issued.session })
      audit({ event: 'link.used', outcome: 'success', link: 'sign_in' }, trail)
      audit({ event: 'auth.link', outcome: 'success' }, trail)
      audit({ event: 'session.created', outcome: 'success' }, trail)
      return { kind: 'signed_in', issued, account }
    },
  }
}
