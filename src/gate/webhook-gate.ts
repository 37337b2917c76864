import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AppSettings } from '../config/settings.ts'
import { type Answer, problemJson, sendAnswer } from '../http/answer.ts'
import { type Visit, visitForLog } from '../http/visit.ts'
import type { Clock } from '../lib/clock.ts'
import { networkKey } from '../lib/network.ts'
import type { SpentStore } from '../lib/spent.ts'
import type { Budget } from '../limits/limiter.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { discardRest } from '../proxy/request-body.ts'
import { createWebhookLane, type Delivery, type WebhookRoute } from '../webhook/lane.ts'
import { schemeOf } from '../webhook/scheme.ts'
import { type Credentials, schemeOf as howSaid } from './credentials.ts'
import type { Denials } from './denials.ts'
import type { GateApp } from './gate-app.ts'
import type { GateLog } from './gate-log.ts'
import type { Judge } from './judge.ts'

/** Signed messages for apps, past the sign-in. */
export type WebhookGate = {
  /**
   * Whether an app might take one of these readings of a path for one of the lane. Such a request
   * is for nobody: the lane is entered by the exact spelling, and what looks like it is no way
   * around the signature.
   */
  readonly covers: (host: string, readings: readonly { readonly path: string }[]) => boolean
  /**
   * Takes the request when its path is one of the lane, to the byte, and answers it in any case.
   * `false`: not one of these.
   */
  readonly take: (visit: Visit, req: IncomingMessage, res: ServerResponse) => boolean
}

/** `undefined` when no app has any, so that nobody pays for it. */
export function createWebhookGate(
  apps: readonly AppSettings[],
  deps: {
    readonly appOf: (host: string) => GateApp | undefined
    readonly judge: Pick<Judge, 'spend' | 'failed'>
    readonly credentials: Pick<Credentials, 'read'>
    readonly denials: Pick<Denials, 'maintenance'>
    readonly budget: Budget
    readonly spent: SpentStore
    readonly clock: Clock
    readonly log: GateLog
    readonly metrics: Pick<Metrics, 'webhook' | 'signatureChecked'>
  },
): WebhookGate | undefined {
  const routes = new Map(apps.map((app) => [app.name, routesOf(app)] as const))
  if (![...routes.values()].some(({ size }) => size > 0)) return undefined
  const folded = new Map(
    [...routes]
      .filter(([, paths]) => paths.size > 0)
      .map(([name, paths]) => [name, new Set([...paths.keys()].map((path) => path.toLowerCase()))]),
  )
  const { judge, metrics } = deps
  const lane = createWebhookLane({
    spent: deps.spent,
    clock: deps.clock,
    onChecked: metrics.signatureChecked,
  })

  const receive = async (
    visit: Visit,
    app: GateApp,
    route: WebhookRoute,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> => {
    const answer = (answer: Answer, outcome: string) => {
      metrics.webhook(app.name, outcome)
      sendAnswer(res, answer, visit.method)
      if (!req.complete) discardRest(req)
    }
    // By address and path: one sender that is too eager leaves the others alone.
    const key = `${networkKey(visit.client.address)} ${app.name} ${route.path}`
    const limited = judge.spend(visit, deps.budget, key)
    if (limited !== undefined) return answer(limited, 'limited')
    // Its sender tries again later.
    if (app.maintenance !== undefined)
      return answer(deps.denials.maintenance(visit, app), 'maintenance')
    const { delivery, done } = lane.receive(route, req, visit)
    res.once('close', done)
    let outcome: Delivery
    try {
      outcome = await delivery
    } catch (error) {
      return answer(judge.failed(visit, error), 'unavailable')
    } finally {
      // The answer may be over before the body is in.
      if (res.closed || req.socket.destroyed) done()
    }
    if (outcome.kind === 'gone') return metrics.webhook(app.name, 'gone')
    if (outcome.kind === 'accepted') {
      metrics.webhook(app.name, 'accepted')
      const { giveBack } = outcome
      // What the app did not take is not lost: its sender tries again with the same bytes.
      res.once('close', () => {
        if (res.headersSent && res.statusCode < 500) return
        giveBack().catch((error) => judge.failed(visit, error))
      })
      const scheme = howSaid(deps.credentials.read(visit.headers, undefined, app.basic))
      app.deliver?.(visit, req, res, { body: outcome.body, sender: route.identity, scheme })
      return
    }
    const reason = outcome.kind === 'refused' ? outcome.reason : outcome.kind
    deps.log.info(
      {
        event: 'webhook.refused',
        outcome: 'deny',
        reason,
        app: app.name,
        ...visitForLog(visit),
      },
      'webhook refused',
    )
    answer(answerTo(outcome.kind, visit), reason)
  }

  return {
    covers: (host, readings) => {
      const app = deps.appOf(host)
      const paths = app === undefined ? undefined : folded.get(app.name)
      // SECURITY: a plain path has one reading, its own; an app may ignore case all the same.
      return paths !== undefined && readings.some(({ path }) => paths.has(path.toLowerCase()))
    },
    take: (visit, req, res) => {
      const app = deps.appOf(visit.host.name)
      const [path = ''] = visit.target.split('?', 1)
      const route = app === undefined ? undefined : routes.get(app.name)?.get(path)
      if (app?.deliver === undefined || route === undefined) return false
      receive(visit, app, route, req, res).catch(() => req.socket.destroy())
      return true
    },
  }
}

function routesOf(app: AppSettings): ReadonlyMap<string, WebhookRoute> {
  const routes = (app.webhooks ?? []).map((webhook): WebhookRoute => {
    return {
      app: app.name,
      path: webhook.path,
      methods: new Set(webhook.methods),
      scheme: schemeOf(webhook.scheme),
      secrets: webhook.secrets,
      tolerance: webhook.tolerance,
      maxBody: webhook.maxBody,
      identity: webhook.identity,
    }
  })
  return new Map(routes.map((route) => [route.path, route]))
}

/** One answer for everything that is wrong with a signature: the log says which. */
function answerTo(kind: Exclude<Delivery['kind'], 'accepted' | 'gone'>, visit: Visit): Answer {
  const { status, title, code, headers = [] } = ANSWERS[kind]
  return problemJson({ status, title, code, headers, reference: visit.requestId })
}

const ANSWERS: Readonly<
  Record<
    Exclude<Delivery['kind'], 'accepted' | 'gone'>,
    {
      readonly status: number
      readonly title: string
      readonly code: string
      readonly headers?: readonly (readonly [string, string])[]
    }
  >
> = {
  refused: {
    status: 401,
    title: 'A valid signature is required',
    code: 'signature_required',
    headers: [['WWW-Authenticate', 'Signature']],
  },
  too_large: { status: 413, title: 'The body is too large', code: 'too_large' },
  slow: { status: 408, title: 'The body took too long', code: 'too_slow' },
  full: {
    status: 503,
    title: 'Too many bodies at a time',
    code: 'busy',
    headers: [['Retry-After', '5']],
  },
}
