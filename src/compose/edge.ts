import type { AppRevocations } from '../access/app-revocations.ts'
import { createAuthorize } from '../access/authorize.ts'
import type { Api } from '../api/api.ts'
import type { Bans } from '../bans/bans.ts'
import { caddy } from '../check/caddy.ts'
import { envoy } from '../check/envoy.ts'
import { haproxy } from '../check/haproxy.ts'
import { nginx } from '../check/nginx.ts'
import { traefik } from '../check/traefik.ts'
import type { Settings } from '../config/settings.ts'
import { createCspReports } from '../csp/csp-reports.ts'
import { createAddressGuard } from '../gate/address-guard.ts'
import { createCredentials } from '../gate/credentials.ts'
import { createForwardAuth } from '../gate/forward-auth.ts'
import { createGateApps } from '../gate/gate-apps.ts'
import { createHolders } from '../gate/holders.ts'
import { createJudge } from '../gate/judge.ts'
import { createWebhookGate } from '../gate/webhook-gate.ts'
import { createClientLocator } from '../http/client.ts'
import { createHealth } from '../http/health.ts'
import { peerOf, trustedPeers } from '../http/peer.ts'
import { createSites } from '../http/site.ts'
import type { Clock } from '../lib/clock.ts'
import { BUDGETS, ownClasses } from '../limits/budgets.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import { rateClasses } from '../limits/rate-class.ts'
import { createHttpsOnly } from '../listen/https-only.ts'
import type { Log } from '../log.ts'
import type { BasicLogin } from '../login/basic.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { createPipeline, isForPlainHttp } from '../pipeline.ts'
import type { PolicySet } from '../policy/compile.ts'
import type { Target } from '../policy/target.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { AccessTokens } from '../tokens/access-token.ts'
import type { ApiTokens } from '../tokens/api-tokens.ts'
import type { createAssertionParts } from './assertion.ts'
import type { createFace } from './face.ts'
import { relatedOriginsOf } from './passkeys.ts'
import type { Vault } from './vault.ts'

/** Where requests come in: the apps behind it, who judges, and the order of it all. */
export function createEdge(
  base: Pick<Vault, 'store'> & {
    readonly face: ReturnType<typeof createFace>
    readonly api: Api
    readonly told: ReturnType<typeof createAssertionParts>
    readonly policy: PolicySet
    readonly sessions: Sessions
    /** What programs prove who they are with. */
    readonly programs: {
      readonly accessTokens: AccessTokens
      readonly apiTokens: ApiTokens
      readonly basic: BasicLogin
    }
    readonly revocations: AppRevocations
    readonly bans: Bans
    /** Told of each request as it arrives. */
    readonly arrived: () => void
    readonly limiter: Limiter
    readonly budgets: Readonly<
      Record<'auth' | 'auth-second' | 'default' | 'session' | 'api' | 'webhook', Budget>
    >
    readonly clock: Clock
    readonly log: Log
    readonly metrics: Metrics
    /** Told of everything that is judged, as the rules see it. */
    readonly onTarget?: ((target: Target) => void) | undefined
  },
  settings: Settings,
) {
  const { store, policy, sessions, bans, limiter, budgets, clock, log, metrics } = base
  const { cors, denials, portal } = base.face
  const portalUrl = new URL(settings.portal.url)
  const { programs, revocations } = base
  const gate = createGateApps(settings, {
    ...createHolders({ sessions, accountById: store.accounts.byId, ...programs }),
    ...{ revocations, denials, clock, log, metrics, cors, ...base.told },
  })
  const health = createHealth({ ping: store.ping })
  const siteOf = createSites(settings.portal)
  const appOf = (host: string) => {
    const app = policy.appOf(host)
    return app === undefined ? undefined : gate.apps.get(app.name)
  }
  const credentials = createCredentials({ sessions, ...programs })
  const judge = createJudge({
    authorize: createAuthorize({ policy, revocations, clock, onTarget: base.onTarget }),
    credentials,
    limiter,
    classes: rateClasses(budgets, ownClasses(settings.limits.classes)),
    anonymous: budgets.default,
    apps: gate.apps,
    appOf,
    denials,
    log,
    metrics,
    inLane: (host, readings) => webhooks?.covers(host, readings) === true,
  })
  const webhooks = createWebhookGate(settings.apps, {
    appOf,
    judge,
    credentials,
    denials,
    budget: budgets.webhook,
    spent: store.spent,
    clock,
    log,
    metrics,
  })
  const cspReports = createCspReports(settings.apps, {
    appOf: policy.appOf,
    spend: (visit) => judge.spend(visit, BUDGETS.cspReport),
    store: store.cspReports,
    clock,
  })
  const trusted = trustedPeers(settings.trustedProxies)
  const pipeline = createPipeline({
    arrived: base.arrived,
    locate: createClientLocator(trusted),
    guard: createAddressGuard({ bans, limiter, log }, settings.network),
    siteOf,
    health: health.probe,
    contracts: [caddy, traefik, nginx, haproxy, envoy],
    forwardAuth: createForwardAuth({
      judge,
      limiter,
      siteOf,
      denials,
      cors,
      preflights: budgets.default,
    }),
    portal,
    api: base.api,
    apiBudget: budgets.api,
    cspReports: cspReports.endpoint,
    portalHost: portalUrl.hostname.replace(/^\[|\]$/g, ''),
    portalBudget: budgets.default,
    sessions,
    appOf,
    judge,
    denials,
    cors,
    webhooks,
    relatedOrigins: relatedOriginsOf(settings),
    jwks: base.told.jwks,
  })

  const httpsOnly =
    settings.listen.https?.redirect === true
      ? createHttpsOnly(
          {
            isOurs: ({ name }) => name === portalUrl.hostname || appOf(name) !== undefined,
            isExempt: (req) => trusted.has(peerOf(req.socket) ?? '') || isForPlainHttp(req),
          },
          { portalUrl: settings.portal.url },
        )
      : undefined
  return { gate, health, trusted, pipeline, cspReports, httpsOnly }
}
