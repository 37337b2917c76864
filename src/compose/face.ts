import { createAuthorize } from '../access/authorize.ts'
import type { Audit } from '../audit/audit.ts'
import type { Settings } from '../config/settings.ts'
import { createCorsGate, readableAnswers } from '../gate/cors-gate.ts'
import { createDenials } from '../gate/denials.ts'
import { createRefusals } from '../gate/refusals.ts'
import { createReturnTickets } from '../http/return-ticket.ts'
import { visitForLog } from '../http/visit.ts'
import type { Clock } from '../lib/clock.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Notify } from '../notices/notice.ts'
import type { PolicySet } from '../policy/compile.ts'
import { createShownCodes } from '../portal/account/shown-codes.ts'
import { createFrame } from '../portal/frame.ts'
import { createLauncher } from '../portal/launcher.ts'
import { createPortal } from '../portal/portal.ts'
import type { PortalDeps } from '../portal/portal-deps.ts'
import { sessionToken } from '../portal/signing-in.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { createBrands } from './brands.ts'
import type { Identity } from './identity.ts'
import { launchableApps } from './launchable-apps.ts'
import type { Vault } from './vault.ts'

/** What people see: pages, the portal that answers with them, and the pages that turn them away. */
export function createFace(
  base: Pick<Vault, 'store' | 'keys'> & {
    readonly parts: Identity['parts'] & Pick<PortalDeps, 'appLogins'>
    readonly policy: PolicySet
    readonly sessions: Sessions
    readonly limiter: Limiter
    readonly audit: Audit
    /** Takes an event for the store alone: the log has it already. */
    readonly note: Audit
    readonly notify: Notify
    readonly clock: Clock
    readonly log: Log
    readonly metrics: Metrics
    readonly describedApi: PortalDeps['describedApi']
  },
  settings: Settings,
) {
  const { store, keys, policy, sessions, limiter, audit, clock, log, metrics } = base
  const tickets = createReturnTickets({
    sign: (text) => keys.sign('ticket', text),
    verify: (text, signature) => keys.verify('ticket', text, signature),
    spent: store.spent,
    clock,
  })
  const [firstLanguage = 'en', ...otherLanguages] = settings.portal.languages
  const brands = createBrands(settings, { appOf: policy.appOf, readTicket: tickets.read })
  const frame = createFrame(
    {
      keys,
      clock,
      brandOf: brands.of,
      profileLanguage: (visit) => sessions.familiarLanguage(sessionToken(visit) ?? ''),
    },
    {
      languages: [firstLanguage, ...otherLanguages],
      formActions: formActions(settings),
    },
  )
  const cors = createCorsGate(settings.apps, { appOf: policy.appOf, log, metrics })
  const denials = readableAnswers(
    createDenials({
      frame,
      tickets,
      clock,
      appOf: policy.appOf,
      refused: createRefusals({ audit: base.note, limiter }),
      statusPage: settings.portal.statusPage,
    }),
    cors,
  )
  const portal = createPortal({
    ...base.parts,
    frame,
    sessions,
    notify: base.notify,
    tickets,
    spent: store.spent,
    onLoop: (visit, reason) => {
      const line = { event: 'sign_in.loop', outcome: 'error', reason, ...visitForLog(visit) }
      log.warn(line, 'a sign-in cannot finish')
    },
    shownCodes: createShownCodes({ clock }),
    keys,
    audit,
    clock,
    appAt: (url) => {
      const { hostname, host } = new URL(url)
      const app = policy.appOf(hostname.replace(/^\[|\]$/g, ''))
      return app === undefined ? undefined : { name: app.name, host }
    },
    launcher: createLauncher(
      { authorize: createAuthorize({ policy, clock }), sessions },
      launchableApps(settings),
    ),
    brandAssets: brands.assets,
    brandName: settings.portal.name,
    describedApi: base.describedApi,
    rememberFor: settings.sessions.remember,
  })
  return { cors, denials, portal }
}

/** Browsers hold `form-action` against the redirects that follow a form: list where those lead. */
function formActions(settings: Settings): readonly string[] {
  const { protocol, port, origin } = new URL(settings.portal.url)
  const suffix = port === '' ? '' : `:${port}`
  const hosts = [...new Set(settings.apps.flatMap((app) => app.hosts))]
  const domain = settings.portal.cookieDomain
  const named =
    hosts.length > 20 && domain !== undefined
      ? [`*.${domain}`]
      : hosts.filter((host) => !host.includes(':'))
  return [origin, ...named.map((host) => `${protocol}//${host}${suffix}`)]
}
