import type { AppSettings, Settings } from '../config/settings.ts'
import { sendAnswer } from '../http/answer.ts'
import { isOwnCookie } from '../http/cookies.ts'
import { firstHeader } from '../http/raw-headers.ts'
import { createSecurityHeaders } from '../http/security-headers.ts'
import { type Visit, visitForLog } from '../http/visit.ts'
import { type HeaderPair, identityHeaders } from '../identity/identity-headers.ts'
import type { Principal } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { networkKey } from '../lib/network.ts'
import { type Metrics, NO_METRICS } from '../metrics/metrics.ts'
import type { Decision } from '../policy/decide.ts'
import { createForwarder, type ForwardPlan } from '../proxy/forward.ts'
import { createLiveConnections } from '../proxy/live-connections.ts'
import { createRequestHeaders, type RequestContext } from '../proxy/request-headers.ts'
import { createResponseHeaders } from '../proxy/response-headers.ts'
import { createStallWatch } from '../proxy/stall-watch.ts'
import { createUpgrader, upgradeResponse } from '../proxy/upgrade.ts'
import { createUpstreams } from '../proxy/upstreams.ts'
import { websocketOriginAllowed } from '../proxy/websocket-request.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { CorsGate } from './cors-gate.ts'
import type { Denials } from './denials.ts'
import type { Decided, GateApp } from './gate-app.ts'
import type { GateLog } from './gate-log.ts'

/** The configured apps, ready to be told who is asking and to be forwarded to. */
export type GateApps = {
  readonly apps: ReadonlyMap<string, GateApp>
  /** Ends open connections whose session is gone, whoever ended it. */
  readonly sweep: () => Promise<void>
  /** Ends open WebSockets of those networks (`networkKey`) that are out. */
  readonly endAddresses: (isOut: (network: string) => boolean) => void
  /** Tells open WebSockets that the server goes away. */
  readonly endUpgrades: () => void
  readonly close: () => Promise<void>
}

export function createGateApps(
  settings: Pick<Settings, 'apps' | 'portal' | 'websockets'>,
  deps: {
    readonly sessions: Pick<Sessions, 'onEnd' | 'isAlive'>
    readonly denials: Denials
    readonly clock: Clock
    readonly log: GateLog
    readonly metrics?: Pick<Metrics, 'proxied' | 'websocketOpened' | 'websocketClosed'>
    readonly cors?: Pick<CorsGate, 'dresserOf'> | undefined
  },
): GateApps {
  const { metrics = NO_METRICS } = deps
  const upstreams = createUpstreams({
    clock: deps.clock,
    onChange: (url, up) => {
      const line = { event: 'proxy.upstream', outcome: up ? 'up' : 'down', upstream: url }
      if (up) deps.log.info(line, 'the app is there again')
      else deps.log.warn(line, 'the app is not there')
    },
  })
  const stalls = createStallWatch()
  const responseHeaders = createResponseHeaders({ isOwnCookie })
  const live = createLiveConnections(settings.websockets)
  deps.sessions.onEnd((id) => {
    live.closeSession(id)
  })
  const upgrader = createUpgrader({ responseHeaders, live })
  const forwarder = createForwarder({ clock: deps.clock, responseHeaders, stalls, live })
  const https = settings.portal.url.startsWith('https:')

  const gateApp = (app: AppSettings): GateApp => {
    const identify = rememberIdentity(app)
    const allowsOrigin = (visit: Visit): boolean => {
      const origin = firstHeader(visit.headers, 'origin')
      const allowed = websocketOriginAllowed(origin, visit.site.origin, app.websocketOrigins)
      if (!allowed) {
        deps.log.info(
          {
            event: 'authz.decision',
            outcome: 'deny',
            reason: 'foreign_origin',
            app: app.name,
            request_id: visit.requestId,
          },
          'refused',
        )
      }
      return allowed
    }
    const shared: GateApp = {
      name: app.name,
      allowInPaths: new Set(app.allowInPaths),
      allowsOrigin,
      ...(app.maintenance === undefined ? {} : { maintenance: app.maintenance }),
      identify,
    }
    if (app.upstream === undefined) return shared
    const places = upstreams.get(app.upstream, app.timeouts)
    const headers = createRequestHeaders({
      identity: app.identityHeaders,
      requestHeaders: app.requestHeaders,
      isOwnCookie,
      allowed: app.allowHeaders,
    })
    const security = createSecurityHeaders({
      ...app.securityHeaders,
      ...(settings.portal.cookieDomain === undefined ? {} : { portal: settings.portal.url }),
    })
    const dress = (list: [string, string][]) => security.dress(list, { https })
    const crossDress = deps.cors?.dresserOf(app.name)
    const onDone = ({ status }: { readonly status: number }) => metrics.proxied(app.name, status)
    const context = (visit: Visit, identity: readonly HeaderPair[]): RequestContext => ({
      address: visit.client.address,
      scheme: https ? 'https' : 'http',
      host: visit.host.authority,
      requestId: visit.requestId,
      identity,
    })
    const onProblem =
      (visit: Visit): ForwardPlan['onProblem'] =>
      (kind, error, response) => {
        if (kind === 'crowded') {
          deps.log.info(
            {
              event: 'ratelimit.hit',
              outcome: 'deny',
              reason: 'websockets',
              ...visitForLog(visit),
            },
            'too many open connections',
          )
          sendAnswer(response, deps.denials.crowded(visit, app.name), visit.method)
          return
        }
        deps.log.warn(
          {
            event: 'proxy.error',
            outcome: 'error',
            reason: kind,
            app: app.name,
            request_id: visit.requestId,
            err: error,
          },
          'the app does not answer',
        )
        const { denials } = deps
        const answer =
          kind === 'unreachable' || kind === 'timeout' || kind === 'broken'
            ? denials.upstream(visit, kind, app.name)
            : denials.ambiguous(visit, 'request')
        sendAnswer(response, answer, visit.method)
      }
    const planFor = (visit: Visit, identity: readonly HeaderPair[]) =>
      ({
        upstreams: places,
        path: visit.target,
        headers,
        context: context(visit, identity),
        dress:
          crossDress === undefined
            ? dress
            : (list: [string, string][]) => {
                dress(list)
                crossDress(list, visit)
              },
        onProblem: onProblem(visit),
        onDone,
      }) satisfies ForwardPlan
    const plan = (visit: Visit, { decision, resolution }: Decided): ForwardPlan => {
      const plain = planFor(visit, identify(decision))
      return resolution.kind === 'active' ? { ...plain, session: resolution.session.id } : plain
    }
    return {
      ...shared,
      forward: (visit, req, res, authorization) => forwarder(req, res, plan(visit, authorization)),
      upgrade: (visit, req, head, authorization) => {
        if (!allowsOrigin(visit)) {
          sendAnswer(upgradeResponse(req), deps.denials.foreignOrigin(visit), visit.method)
          return
        }
        metrics.websocketOpened(app.name)
        upgrader(req, head, {
          ...plan(visit, authorization),
          address: networkKey(visit.client.address),
          onDone: (stats) => {
            metrics.websocketClosed(app.name)
            onDone(stats)
          },
        })
      },
      deliver: (visit, req, res, { body, sender }) => {
        const principal = { name: sender, displayName: '', email: '', groups: [] }
        const plain = planFor(visit, identityHeaders(principal, app.identityHeaders))
        forwarder(req, res, { ...plain, body })
      },
    }
  }
  const apps = new Map(settings.apps.map((app) => [app.name, gateApp(app)]))
  return {
    apps,
    sweep: async () => {
      for (const id of live.sessions()) {
        if (!(await deps.sessions.isAlive(id))) live.closeSession(id)
      }
    },
    endAddresses: (isOut) => {
      for (const network of live.addresses()) if (isOut(network)) live.closeAddress(network)
    },
    endUpgrades: () => {
      live.closeAll()
    },
    close: () => upstreams.destroy(),
  }
}

/** The identity headers of a person, made once for as long as their session stays in memory. */
function rememberIdentity(app: AppSettings): GateApp['identify'] {
  const known = new WeakMap<Principal, readonly HeaderPair[]>()
  const nobody = identityHeaders(undefined, app.identityHeaders)
  return (decision: Decision) => {
    const principal = decision.kind === 'allow' ? decision.principal : undefined
    if (principal === undefined) return nobody
    let headers = known.get(principal)
    if (headers === undefined) {
      headers = identityHeaders(principal, app.identityHeaders)
      known.set(principal, headers)
    }
    return headers
  }
}
