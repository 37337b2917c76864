import type { AppRevocations } from '../access/app-revocations.ts'
import { holderOf, type Scheme } from '../access/identification.ts'
import type { AppSettings, Settings } from '../config/settings.ts'
import { type Answer, sendAnswer } from '../http/answer.ts'
import { isOwnCookie } from '../http/cookies.ts'
import { firstHeader } from '../http/raw-headers.ts'
import { createSecurityHeaders } from '../http/security-headers.ts'
import { type Visit, visitForLog } from '../http/visit.ts'
import type { HeaderPair } from '../identity/identity-headers.ts'
import type { Clock } from '../lib/clock.ts'
import { networkKey } from '../lib/network.ts'
import { type Metrics, NO_METRICS } from '../metrics/metrics.ts'
import { createForwarder, type ForwardPlan } from '../proxy/forward.ts'
import { createLiveConnections } from '../proxy/live-connections.ts'
import { createRequestHeaders, type RequestContext } from '../proxy/request-headers.ts'
import { createResponseHeaders } from '../proxy/response-headers.ts'
import { createStallWatch } from '../proxy/stall-watch.ts'
import { createUpgrader, upgradeResponse } from '../proxy/upgrade.ts'
import { createUpstreams } from '../proxy/upstreams.ts'
import { websocketOriginAllowed } from '../proxy/websocket-request.ts'
import { type AppIdentityDeps, createAppIdentity } from './app-identity.ts'
import type { CorsGate } from './cors-gate.ts'
import type { Denials } from './denials.ts'
import type { GateApp, Passed } from './gate-app.ts'
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
    /** Calls with each holder that ends in this process. */
    readonly onEnd: (listener: (holder: string) => void) => void
    /** Whether what a connection was opened with is still good, read from the store. */
    readonly isGood: (holder: string) => Promise<boolean>
    /** Apps whose access is taken back; absent: none ever is. */
    readonly revocations?: Pick<AppRevocations, 'onRevoke' | 'refresh' | 'known'>
    readonly denials: Denials
    readonly clock: Clock
    readonly log: GateLog
    readonly metrics?: Pick<Metrics, 'proxied' | 'websocketOpened' | 'websocketClosed'>
    readonly cors?: Pick<CorsGate, 'dresserOf'> | undefined
  } & AppIdentityDeps,
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
  deps.onEnd((holder) => {
    live.closeHolder(holder)
  })
  deps.revocations?.onRevoke((app, at) => {
    live.closeApp(app, at)
  })
  const upgrader = createUpgrader({ responseHeaders, live })
  const forwarder = createForwarder({ clock: deps.clock, responseHeaders, stalls, live })
  const https = settings.portal.url.startsWith('https:')

  const gateApp = (app: AppSettings): GateApp => {
    const identity = createAppIdentity(app, deps)
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
      ...(app.basic === undefined ? {} : { basic: app.basic }),
      ...(app.maintenance === undefined ? {} : { maintenance: app.maintenance }),
      identify: identity.of,
    }
    if (app.upstream === undefined) return shared
    const places = upstreams.get(app.upstream, app.timeouts)
    const headers = createRequestHeaders({
      identity: app.identityHeaders,
      requestHeaders: app.requestHeaders,
      isOwnCookie,
      allowed: app.allowHeaders,
      ownLogin: app.upstreamLogin !== undefined,
    })
    const security = createSecurityHeaders({
      ...app.securityHeaders,
      ...(settings.portal.cookieDomain === undefined ? {} : { portal: settings.portal.url }),
    })
    const dress = (list: [string, string][]) => {
      // What a browser asked for here would not reach the app: it has its login from us.
      if (app.upstreamLogin !== undefined) withoutChallenge(list)
      security.dress(list, { https })
    }
    const crossDress = deps.cors?.dresserOf(app.name)
    const onDone = ({ status }: { readonly status: number }) => metrics.proxied(app.name, status)
    const context = (
      visit: Visit,
      identity: readonly HeaderPair[],
      scheme: Scheme | undefined,
    ): RequestContext => ({
      address: visit.client.address,
      scheme: https ? 'https' : 'http',
      host: visit.host.authority,
      requestId: visit.requestId,
      identity,
      ours: scheme === 'bearer' || scheme === 'basic',
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
    const planFor = (visit: Visit, told: readonly HeaderPair[], scheme?: Scheme) =>
      ({
        upstreams: places,
        path: visit.target,
        headers,
        context: context(visit, told, scheme),
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
    /** Goes on as soon as it is known what the app is told; what fails there is no pass. */
    const withPlan = (
      visit: Visit,
      { authorization, scheme }: Passed,
      go: (plan: ForwardPlan) => void,
      refuse: (answer: Answer) => void,
    ) => {
      const holder = holderOf(authorization.resolution)
      const entry = { app: app.name, at: deps.clock.now() }
      const proceed = (told: readonly HeaderPair[]) => {
        const plain = planFor(visit, told, scheme)
        go(holder === undefined ? plain : { ...plain, holder, entry })
      }
      const told = identity.of(authorization)
      if (!(told instanceof Promise)) return proceed(told)
      told.then(proceed).catch((error) => {
        const line = { event: 'request.error', outcome: 'error', err: error, ...visitForLog(visit) }
        deps.log.error(line, 'request failed')
        refuse(deps.denials.unavailable(visit))
      })
    }
    return {
      ...shared,
      forward: (visit, req, res, pass) =>
        withPlan(
          visit,
          pass,
          (plan) => forwarder(req, res, plan),
          (answer) => sendAnswer(res, answer, visit.method),
        ),
      upgrade: (visit, req, head, pass) => {
        const refuse = (answer: Answer) => sendAnswer(upgradeResponse(req), answer, visit.method)
        if (!allowsOrigin(visit)) return refuse(deps.denials.foreignOrigin(visit))
        withPlan(
          visit,
          pass,
          (plan) => {
            metrics.websocketOpened(app.name)
            upgrader(req, head, {
              ...plan,
              address: networkKey(visit.client.address),
              onDone: (stats) => {
                metrics.websocketClosed(app.name)
                onDone(stats)
              },
            })
          },
          refuse,
        )
      },
      deliver: (visit, req, res, { body, sender, scheme }) => {
        forwarder(req, res, { ...planFor(visit, identity.ofSender(sender), scheme), body })
      },
    }
  }
  const apps = new Map(settings.apps.map((app) => [app.name, gateApp(app)]))
  return {
    apps,
    sweep: async () => {
      for (const holder of live.holders()) {
        if (!(await deps.isGood(holder))) live.closeHolder(holder)
      }
      await deps.revocations?.refresh()
      // Also what was let in before and opened after the revocation was seen.
      for (const [app, at] of deps.revocations?.known() ?? []) live.closeApp(app, at)
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

/** Takes the app's own question for a name and a password (RFC 9110 11.6.1) off its answer. */
function withoutChallenge(list: [string, string][]): void {
  for (let i = list.length - 1; i >= 0; i--) {
    if (list[i]?.[0].toLowerCase() === 'www-authenticate') list.splice(i, 1)
  }
}
