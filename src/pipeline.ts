import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authorization, Authorize } from './access/authorize.ts'
import type { Contract } from './check/contract.ts'
import type { Denials } from './gate/denials.ts'
import type { GateApp } from './gate/gate-app.ts'
import { type Answer, sendAnswer } from './http/answer.ts'
import type { ClientLocator } from './http/client.ts'
import { cookieName, readCookie } from './http/cookies.ts'
import { newRequestId } from './http/exchange.ts'
import { type Host, parseHost } from './http/host.ts'
import { firstHeader, type RawHeaders, singleHeader } from './http/raw-headers.ts'
import { readRequestPath } from './http/request-path.ts'
import type { Site } from './http/site.ts'
import type { Visit } from './http/visit.ts'
import { AppError } from './lib/app-error.ts'
import { SECOND } from './lib/duration.ts'
import { networkKey } from './lib/network.ts'
import type { Budget, Limiter, Take } from './limits/limiter.ts'
import type { Log } from './log.ts'
import type { Portal } from './portal/portal.ts'
import { discardRest } from './proxy/request-body.ts'
import { upgradeResponse } from './proxy/upgrade.ts'
import type { Sessions } from './sessions/sessions.ts'

/** What the pipeline is made of. */
export type PipelineDeps = {
  readonly locate: ClientLocator
  readonly siteOf: (host: Host) => Site
  readonly authorize: Authorize
  readonly sessions: Pick<Sessions, 'familiar'>
  readonly limiter: Limiter
  readonly budgets: { readonly default: Budget; readonly session: Budget }
  /** Apps by the name their policy carries. */
  readonly apps: ReadonlyMap<string, GateApp>
  readonly appOf: (host: string) => GateApp | undefined
  readonly contracts: ReadonlyMap<string, Contract>
  readonly portal: Portal
  readonly portalHost: string
  readonly denials: Denials
  readonly health: (path: string) => Promise<Answer> | undefined
  readonly log: Log
}

/** The request handlers of a listener. Neither ever throws or leaves a request unanswered. */
export type Pipeline = {
  readonly request: (req: IncomingMessage, res: ServerResponse) => void
  readonly upgrade: (req: IncomingMessage, head: Buffer) => void
}

/** Everything of ours is below this path, on every host. */
export const RESERVED = '/.sallyport/'
const CHECK = '/.sallyport/check/'

/** What came of the stages before forwarding. */
type Passage =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'pass'; readonly app: GateApp; readonly authorization: Allowed }
type Allowed = Extract<Authorization, { kind: 'decided' }>

/**
 * Raw request → client → budget → route → target → decision → forward or answer. Read this first:
 * it is the order in which a request is judged, the same for proxy and forward-auth.
 */
export function createPipeline(deps: PipelineDeps): Pipeline {
  const { denials, limiter, budgets } = deps

  /** Stages 1 and 2: what is asked, by whom. `undefined`: the host makes no sense. */
  const open = (req: IncomingMessage): Visit | undefined => {
    const headers = req.rawHeaders
    const field = singleHeader(headers, 'host')
    const host = field.kind === 'one' ? parseHost(field.value) : undefined
    if (host === undefined) return undefined
    return {
      requestId: newRequestId(),
      client: deps.locate(req.socket.remoteAddress, headers),
      host,
      site: deps.siteOf(host),
      method: req.method ?? '',
      target: req.url ?? '',
      headers,
    }
  }

  /** Stages 3 and 5 to 8 for a request or for one asked about. */
  const judge = (visit: Visit): Passage | Promise<Passage> => {
    const token = readCookie(visit.headers, cookieName('session', visit.site.binding))
    const familiar = token === undefined ? undefined : deps.sessions.familiar(token)
    const limited =
      familiar === undefined
        ? spend(visit, budgets.default)
        : spend(visit, budgets.session, familiar)
    if (limited !== undefined) return { kind: 'answer', answer: limited }
    const app = deps.appOf(visit.host.name)
    if (visit.method === 'TRACE' || visit.method === 'CONNECT') {
      return { kind: 'answer', answer: methodNotAllowed(visit) }
    }
    const read = readRequestPath(visit.target, { encodedSlash: app?.allowEncodedSlash === true })
    if (read.kind === 'ambiguous') {
      deps.log.info(
        { event: 'authz.decision', outcome: 'deny', reason: read.reason, ...where(visit) },
        'path refused',
      )
      return { kind: 'answer', answer: denials.ambiguous(visit, 'path') }
    }
    const target = {
      host: visit.host.name,
      method: visit.method,
      readings: read.path.readings,
      address: visit.client.address,
    }
    const settle = (authorization: Authorization): Passage => {
      if (familiar === undefined && authorization.kind === 'decided') {
        const { resolution } = authorization
        if (resolution.kind === 'active') {
          // A session pays from its own budget, not from its network's.
          limiter.refund(budgets.default, networkKey(visit.client.address))
          const over = spend(visit, budgets.session, resolution.session.id)
          if (over !== undefined) return { kind: 'answer', answer: over }
        }
      }
      if (authorization.kind === 'decided' && authorization.decision.kind === 'allow') {
        const gateApp = deps.apps.get(authorization.app.name)
        if (gateApp !== undefined) return { kind: 'pass', app: gateApp, authorization }
      }
      logDenial(visit, authorization)
      return { kind: 'answer', answer: denials.decided(visit, authorization) }
    }
    const authorization = deps.authorize(target, token)
    return authorization instanceof Promise ? authorization.then(settle) : settle(authorization)
  }

  const spend = (visit: Visit, budget: Budget, key?: string): Answer | undefined => {
    const take: Take = limiter.take(budget, key ?? networkKey(visit.client.address))
    if (take.kind === 'taken') return undefined
    deps.log.info(
      { event: 'ratelimit.hit', outcome: 'deny', reason: budget.name, ...where(visit) },
      'rate limit',
    )
    return denials.limited(visit, budget, take)
  }

  const logDenial = (visit: Visit, authorization: Authorization) => {
    if (authorization.kind !== 'decided') return
    const { decision, app, resolution } = authorization
    const level = decision.kind === 'forbidden' ? 'info' : 'debug'
    deps.log[level](
      {
        event: 'authz.decision',
        outcome: 'deny',
        reason: decision.kind === 'forbidden' ? decision.reason : decision.kind,
        app: app.name,
        rule: decision.rule.name,
        ...(resolution.kind === 'none' ? {} : { user: resolution.account.name }),
        ...where(visit),
      },
      'refused',
    )
  }

  /** An error is never an allow: a missing store is 503, a bug 500, and both are logged. */
  const failed = (visit: Visit, error: unknown): Answer => {
    const code = error instanceof AppError ? error.code : 'bug'
    deps.log.error({ event: 'request.error', outcome: 'error', code, err: error, ...where(visit) })
    return denials.unavailable(visit)
  }

  const check = (visit: Visit, contract: Contract, wantsPage: boolean) => {
    if (!visit.client.throughProxy) {
      return plain(401, 'This address is not listed under trusted_proxies.\n')
    }
    const reading = contract.read(visit.headers)
    if (reading.kind === 'refused') {
      return plain(400, `${reading.header} is missing, blank, repeated or malformed.\n`)
    }
    const { asked } = reading
    const asking: Visit = {
      ...visit,
      method: asked.method,
      host: asked.host,
      target: asked.target,
      site: deps.siteOf(asked.host),
    }
    const render = (passage: Passage): Answer => {
      if (passage.kind === 'pass') {
        if (asked.websocket && !passage.app.allowsOrigin(asking)) {
          return contract.adapt(denials.foreignOrigin(asking))
        }
        // The page is fetched after a refusal: if it is allowed by now, ask for it again.
        if (wantsPage) return again(asking)
        return {
          status: 200,
          headers: passage.app.identify(passage.authorization.decision),
          body: '',
        }
      }
      return wantsPage ? passage.answer : contract.adapt(passage.answer)
    }
    const settle = (work: Passage | Promise<Passage>) =>
      work instanceof Promise
        ? work.then(render, (error) => contract.adapt(failed(asking, error)))
        : render(work)
    try {
      return settle(judge(asking))
    } catch (error) {
      return contract.adapt(failed(asking, error))
    }
  }

  const proxied = (visit: Visit, req: IncomingMessage, res: ServerResponse) => {
    const proceed = (passage: Passage) => {
      if (passage.kind === 'answer') return reply(res, passage.answer)
      const { app, authorization } = passage
      if (app.forward === undefined) return reply(res, denials.notFound(visit))
      app.forward(visit, req, res, authorization)
    }
    const fail = (error: unknown) => reply(res, failed(visit, error))
    try {
      const passage = judge(visit)
      if (passage instanceof Promise) passage.then(proceed).catch(fail)
      else proceed(passage)
    } catch (error) {
      fail(error)
    }
  }

  const ours = (visit: Visit, path: string, req: IncomingMessage, res: ServerResponse) => {
    const limited = spend(visit, budgets.default, portalKey(visit))
    if (limited !== undefined) return reply(res, limited)
    if (deps.appOf(visit.host.name) === undefined && visit.host.name !== deps.portalHost) {
      return reply(res, denials.decided(visit, { kind: 'unknown_host' }))
    }
    if (readRequestPath(visit.target).kind === 'ambiguous' || path.includes('//')) {
      return reply(res, denials.ambiguous(visit, 'path'))
    }
    const late = setTimeout(() => req.destroy(), FORM_TIME)
    req.once('close', () => clearTimeout(late))
    deps.portal(visit, req, res).catch((error) => reply(res, failed(visit, error)))
  }

  const request: Pipeline['request'] = (req, res) => {
    // SECURITY: Node loses what arrived behind an upgrade that was not taken, so the next bytes
    // on this connection could start in the middle of a request.
    if (firstHeader(req.rawHeaders, 'upgrade') !== undefined) res.shouldKeepAlive = false
    if (req.rawHeaders.length > MAX_HEADER_FIELDS * 2) {
      return reply(res, plain(431, 'Too many header fields.\n'))
    }
    const path = pathOf(req.url)
    const visit = open(req)
    const probe = deps.health(path)
    if (probe !== undefined && isProbe(req, path, visit)) {
      probe.then(
        (answer) => reply(res, answer),
        () => reply(res, plain(503, 'error\n')),
      )
      return
    }
    if (visit === undefined) {
      reply(res, plain(400, BAD_HOST))
      return
    }
    if (path.startsWith(CHECK)) {
      const [name = '', page, ...rest] = path.slice(CHECK.length).split('/')
      const contract = deps.contracts.get(name)
      if (contract === undefined || (page !== undefined && page !== 'page') || rest.length > 0) {
        return reply(res, denials.notFound(visit))
      }
      const answer = check(visit, contract, page === 'page')
      if (answer instanceof Promise) {
        answer.then(
          (late) => reply(res, late),
          (error) => reply(res, failed(visit, error)),
        )
      } else reply(res, answer)
      return
    }
    if (path.startsWith(RESERVED)) return ours(visit, path, req, res)
    if (visit.method === 'OPTIONS' && visit.target === '*') {
      return reply(res, { status: 204, headers: [['Allow', ALLOWED]], body: '' })
    }
    if (
      visit.host.name === deps.portalHost &&
      path === '/' &&
      deps.appOf(visit.host.name) === undefined
    ) {
      const headers = [['Location', `${RESERVED}account`] as const]
      return reply(res, { status: 302, headers, body: '' })
    }
    proxied(visit, req, res)
  }

  const upgrade: Pipeline['upgrade'] = (req, head) => {
    const refuse = (answer: Answer) => sendAnswer(upgradeResponse(req), answer, req.method)
    if (req.rawHeaders.length > MAX_HEADER_FIELDS * 2)
      return refuse(plain(431, 'Too many header fields.\n'))
    const visit = open(req)
    if (visit === undefined) return refuse(plain(400, BAD_HOST))
    const proceed = (passage: Passage) => {
      if (passage.kind === 'answer') return refuse(passage.answer)
      const { app, authorization } = passage
      if (app.upgrade === undefined) return refuse(denials.notFound(visit))
      app.upgrade(visit, req, head, authorization)
    }
    const fail = (error: unknown) => refuse(failed(visit, error))
    try {
      const passage = judge(visit)
      if (passage instanceof Promise) passage.then(proceed).catch(fail)
      else proceed(passage)
    } catch (error) {
      fail(error)
    }
  }

  /** Health is for whoever runs the machine: on no app's host, or asked from the machine itself. */
  const isProbe = (req: IncomingMessage, path: string, visit: Visit | undefined): boolean => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return false
    if (path.startsWith(RESERVED)) return true
    if (visit === undefined || deps.appOf(visit.host.name) === undefined) return true
    return (
      isLoopback(req.socket.remoteAddress) &&
      !visit.client.throughProxy &&
      !isForwarded(req.rawHeaders)
    )
  }

  /** Pages of the portal are paid for by the session where there is one. */
  const portalKey = (visit: Visit): string => {
    const token = readCookie(visit.headers, cookieName('session', visit.site.binding))
    const familiar = token === undefined ? undefined : deps.sessions.familiar(token)
    return familiar ?? networkKey(visit.client.address)
  }

  const methodNotAllowed = (visit: Visit): Answer => {
    const answer = denials.ambiguous(visit, 'request')
    return { ...answer, status: 405, headers: [...answer.headers, ['Allow', ALLOWED]] }
  }

  return { request, upgrade }
}

const BAD_HOST = 'The Host header is missing, repeated or malformed.\n'
const MAX_HEADER_FIELDS = 200
/** A form of ours is small: who takes longer to send it is not a person. */
const FORM_TIME = 20 * SECOND
const ALLOWED = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

/** Answers, and takes no more of a body than it takes to let the client read the answer. */
function reply(res: ServerResponse, answer: Answer): void {
  sendAnswer(res, answer, res.req.method)
  if (!res.req.complete) discardRest(res.req)
}

function pathOf(url = ''): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

function where(visit: Visit) {
  return {
    request_id: visit.requestId,
    client_ip: visit.client.address,
    method: visit.method,
    host: visit.host.name,
    path: visit.target.split('?', 1)[0]?.slice(0, 512),
  }
}

function plain(status: number, body: string): Answer {
  return {
    status,
    headers: [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body,
  }
}

function again(visit: Visit): Answer {
  return {
    status: 303,
    headers: [
      ['Location', `${visit.site.origin}${visit.target}`],
      ['Cache-Control', 'no-store'],
    ],
    body: '',
  }
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address)
}

function isForwarded(headers: RawHeaders): boolean {
  return (
    singleHeader(headers, 'x-forwarded-for').kind !== 'absent' ||
    singleHeader(headers, 'forwarded').kind !== 'absent'
  )
}
