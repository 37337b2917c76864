import type { PasswordPolicy } from '../accounts/password-policy.ts'
import type { Settings } from '../config/settings.ts'
import type { PasswordHasher } from '../factors/password.ts'
import { HOUR, SECOND } from '../lib/duration.ts'
import { BUDGETS } from '../limits/budgets.ts'
import type { Budget } from '../limits/limiter.ts'
import { createInvitations } from '../login/invitation.ts'
import { createLinks } from '../login/links.ts'
import { createPasswordResets } from '../login/reset.ts'
import { createSignInLinks } from '../login/sign-in-link.ts'
import type { Chore } from './chores.ts'
import type { IdentityBase } from './identity-base.ts'
import { linkUrl } from './link-url.ts'

/** One-time links and what they are for. */
export function createOneTime(
  base: Omit<IdentityBase, 'budgets'> & {
    readonly passwords: PasswordHasher
    readonly passwordPolicy: Pick<PasswordPolicy, 'check'>
    readonly budgets: Readonly<Record<'reset' | 'link', Budget>>
  },
  settings: Pick<Settings, 'portal' | 'login' | 'mail'>,
) {
  const { store, budgets, clock, ...shared } = base
  const links = createLinks({ store: store.links, clock }, settings.login.links)
  const deps = { ...shared, clock, links, store: store.links, accounts: store.accounts }
  const resets = createPasswordResets(deps, {
    offered: settings.mail !== undefined,
    urlOf: (token) => linkUrl(settings.portal.url, 'reset', token),
    asking: budgets.reset,
    sending: BUDGETS.resetLink,
    using: budgets.link,
  })
  const chores: readonly Chore[] = [
    // Once a second, whoever is asked about: how long an answer takes tells nothing of an account.
    { event: 'reset.send', every: SECOND, work: resets.work, atEnd: true },
    { event: 'links.sweep', every: HOUR, work: links.sweep },
  ]
  return {
    parts: {
      resets,
      invitations: createInvitations(deps, budgets.link),
      signInLinks: createSignInLinks(deps, budgets.link),
      linkLifetimes: settings.login.links,
    },
    chores,
  }
}
