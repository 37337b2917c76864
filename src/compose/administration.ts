import type { AppRevocations } from '../access/app-revocations.ts'
import type { AdminParts } from '../api/admin/admin-parts.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { Bans } from '../bans/bans.ts'
import type { Settings } from '../config/settings.ts'
import type { Clock } from '../lib/clock.ts'
import { createLinks } from '../login/links.ts'
import type { Notify } from '../notices/notice.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ApiTokens } from '../tokens/api-tokens.ts'
import { linkUrl } from './link-url.ts'
import type { Vault } from './vault.ts'

/** What administrators' routes of the API are made of. */
export function createAdministration(
  base: Pick<Vault, 'store'> & {
    readonly sessions: Pick<Sessions, 'reread'>
    readonly apiTokens: ApiTokens
    readonly bans: Pick<Bans, 'load'>
    readonly revocations: AppRevocations
    readonly trail: Pick<AuditTrail, 'flush'>
    readonly notify: Notify
    readonly clock: Clock
  },
  settings: Settings,
): AdminParts {
  const { store, bans, clock } = base
  /** What this process writes itself is no news from another: it is read again here. */
  const thenLoad = async <T>(work: Promise<T>): Promise<T> => {
    const done = await work
    await bans.load()
    return done
  }
  return {
    groups: settings.administrators.groups,
    accounts: store.administration,
    reread: () => {
      base.sessions.reread()
      base.apiTokens.reread()
    },
    sessions: store.sessions,
    tokens: base.apiTokens,
    removals: store.factorRemovals,
    streaks: store.failureStreaks,
    links: createLinks({ store: store.links, clock }, settings.login.links),
    linkUrl: (kind, token) => linkUrl(settings.portal.url, kind, token),
    notify: settings.mail === undefined ? undefined : base.notify,
    bans: {
      list: store.bans.list,
      add: (ban, max) => thenLoad(store.bans.add(ban, max)),
      lift: (network, now) => thenLoad(store.bans.lift(network, now)),
    },
    trustedProxies: settings.trustedProxies,
    revocations: base.revocations,
    apps: settings.apps.map(({ name }) => name),
    audit: { find: store.audit.find, flush: base.trail.flush },
  }
}
