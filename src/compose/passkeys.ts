import type { Audit } from '../audit/audit.ts'
import type { Settings } from '../config/settings.ts'
import { createChallenges } from '../factors/passkeys/passkey-challenge.ts'
import { createPasskeys } from '../factors/passkeys/passkeys.ts'
import { webauthnSite } from '../factors/passkeys/webauthn-site.ts'
import type { Answer } from '../http/answer.ts'
import type { Host } from '../http/host.ts'
import { relatedOriginsFile } from '../http/related-origins.ts'
import type { Clock } from '../lib/clock.ts'
import type { Limiter } from '../limits/limiter.ts'
import { createPasskeyLogin } from '../login/passkey-login.ts'
import type { SecondStep } from '../login/second-step.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Vault } from './vault.ts'

/** Passkeys, and signing in with them: two parts of `PortalDeps`. */
export function createPasskeyParts(
  base: Pick<Vault, 'store' | 'keys'> & {
    readonly sessions: Sessions
    readonly secondStep: SecondStep
    readonly limiter: Limiter
    readonly audit: Audit
    readonly clock: Clock
  },
  settings: Settings,
) {
  const { store, keys, clock } = base
  const passkeys = createPasskeys(
    {
      store: store.passkeys,
      challenges: createChallenges({
        sign: (text) => keys.sign('challenge', text),
        verify: (text, signature) => keys.verify('challenge', text, signature),
        spent: store.spent,
        clock,
      }),
      site: passkeySite(settings),
      clock,
    },
    {
      enabled: settings.login.passkeys.enabled,
      offer: settings.login.passkeys.offer,
      rpName: settings.portal.name,
    },
  )
  // A budget of its own: who mistypes passwords on a network leaves its passkeys alone.
  const budget = { ...settings.limits.auth, name: 'auth-passkey' }
  const passkeyLogin = createPasskeyLogin({ ...base, accounts: store.accounts, passkeys }, budget)
  return { passkeys, passkeyLogin }
}

/** Where passkeys work, by the configuration. */
export function passkeySite({ portal, apps, login }: Settings) {
  return webauthnSite({
    portalUrl: portal.url,
    hosts: apps.flatMap((app) => app.hosts),
    domain: login.passkeys.domain,
    cookieDomain: portal.cookieDomain,
  })
}

/** The related origins file, on the portal's host and on the domain that passkeys are bound to. */
export function relatedOriginsOf(settings: Settings): (host: Host) => Answer | undefined {
  const { rpId, related } = passkeySite(settings)
  const file = settings.login.passkeys.enabled ? relatedOriginsFile(related) : undefined
  const hosts = new Set([rpId, new URL(settings.portal.url).hostname])
  return ({ name }) => (hosts.has(name) ? file : undefined)
}
