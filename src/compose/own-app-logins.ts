import { createAuthorize } from '../access/authorize.ts'
import { createUsableApps } from '../access/usable-apps.ts'
import type { Audit } from '../audit/audit.ts'
import type { Settings } from '../config/settings.ts'
import type { Clock } from '../lib/clock.ts'
import { createOwnAppLogins, type OwnAppLogins } from '../login/own-app-logins.ts'
import type { PolicySet } from '../policy/compile.ts'
import type { UpstreamLogins } from '../tokens/upstream-logins.ts'

/**
 * People's own logins at the apps that `upstream_login: basic` is said of. As in the launcher, an
 * app that is hidden or has no host of one name is not shown: its logins are the operator's work.
 */
export function createOwnAppLoginParts(
  base: {
    /** The one that apps are told from: a change is to be seen on the next request. */
    readonly logins: UpstreamLogins
    readonly policy: PolicySet
    readonly audit: Audit
    readonly clock: Clock
  },
  settings: Pick<Settings, 'apps'>,
): OwnAppLogins {
  const { logins, policy, audit, clock } = base
  const apps = settings.apps.flatMap((app) => {
    const host = app.hosts.find((name) => !name.startsWith('*.'))
    const shown = app.upstreamLogin?.kind === 'personal' && app.hidden !== true
    if (!shown || host === undefined) return []
    return [{ app: app.name, label: app.brand?.name ?? app.name, host }]
  })
  const usable = createUsableApps(createAuthorize({ policy, clock }), apps)
  return createOwnAppLogins({ logins, usable, audit })
}
