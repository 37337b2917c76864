import { hash } from 'node:crypto'
import type { Audit } from '../audit/audit.ts'
import type { UserId } from '../identity/principal.ts'
import type { Resolution } from '../sessions/sessions.ts'
import type { UpstreamLogin, UpstreamLoginFault } from '../tokens/upstream-login.ts'
import type { UpstreamLogins } from '../tokens/upstream-logins.ts'
import type { ChangedBy } from './factor-changes.ts'
import { auditContext } from './step.ts'

/** An app with logins of its own, as its user is shown it: never with the password. */
export type OwnAppLogin = {
  /** `app_…`, for addresses: names hold anything. Made of the name, so it changes with it. */
  readonly id: string
  /** As configured. */
  readonly app: string
  /** As people know it. */
  readonly label: string
  /** `false`: one is kept from earlier, for an app that is no more for this person. */
  readonly open: boolean
  /** Absent: none is kept. */
  readonly kept?: { readonly user: string; readonly updatedAt: number }
}

/** Who asks, and from where: rules look at both. */
export type Asker = {
  readonly userId: UserId
  readonly address: string
  readonly who: () => Resolution | Promise<Resolution>
}

/** What people keep themselves of how they sign in at apps with logins of their own. */
export type OwnAppLogins = {
  /**
   * The apps they may use, and those for which a login is kept; by name. Empty where no app has
   * such logins.
   * @throws AppError `store_unavailable`, `keys_unavailable`
   */
  readonly of: (asker: Asker) => Promise<readonly OwnAppLogin[]>
  /** `unknown`: no app they may use. */
  readonly set: (
    asker: Asker,
    by: ChangedBy,
    id: string,
    login: UpstreamLogin,
  ) => Promise<
    | { readonly kind: 'set' | 'unknown' }
    | { readonly kind: 'refused'; readonly fault: UpstreamLoginFault }
  >
  readonly remove: (by: ChangedBy, id: string) => Promise<'removed' | 'unknown'>
}

export function createOwnAppLogins(deps: {
  readonly logins: Pick<UpstreamLogins, 'set' | 'remove' | 'list'>
  /** Of the apps with such logins, those that are open to them. */
  readonly usable: (
    address: string,
    who: Asker['who'],
  ) => Promise<readonly { readonly app: string; readonly label: string }[]>
  readonly audit: Audit
}): OwnAppLogins {
  const { logins, usable, audit } = deps
  return {
    of: async ({ userId, address, who }) => {
      const [open, kept] = await Promise.all([usable(address, who), logins.list(userId)])
      const closed = kept.filter((login) => !open.some(({ app }) => app === login.app))
      return [
        ...open.map((one) => ({ ...one, open: true })),
        ...closed.map(({ app }) => ({ app, label: app, open: false })),
      ]
        .map((one) => {
          const login = kept.find(({ app }) => app === one.app)
          const known = login && { kept: { user: login.user, updatedAt: login.updatedAt } }
          return { id: idOf(one.app), ...one, ...known }
        })
        .sort((a, b) => a.label.localeCompare(b.label))
    },
    set: async ({ address, who }, by, id, login) => {
      const app = (await usable(address, who)).find((one) => idOf(one.app) === id)?.app
      if (app === undefined) return { kind: 'unknown' }
      const result = await logins.set(app, by.account.id, login)
      if (result.kind === 'set') {
        audit({ event: 'upstream_login.set', outcome: 'success', detail: app }, trailOf(by))
      }
      return result
    },
    remove: async (by, id) => {
      const app = (await logins.list(by.account.id)).find((one) => idOf(one.app) === id)?.app
      if (app === undefined || !(await logins.remove(app, by.account.id))) return 'unknown'
      audit({ event: 'upstream_login.removed', outcome: 'success', detail: app }, trailOf(by))
      return 'removed'
    },
  }
}

function idOf(app: string): string {
  return `app_${hash('sha256', app, 'base64url').slice(0, 22)}`
}

function trailOf({ account, session, context }: ChangedBy) {
  return auditContext(context, { account, session })
}
