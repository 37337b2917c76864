import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Api } from './api/api.ts'
import { API } from './api/api-paths.ts'
import type { Contract } from './check/contract.ts'
import type { ReportEndpoint } from './csp/report-endpoint.ts'
import type { AddressGuard, Arrival } from './gate/address-guard.ts'
import type { CorsGate } from './gate/cors-gate.ts'
import type { Denials } from './gate/denials.ts'
import type { ForwardAuth } from './gate/forward-auth.ts'
import type { GateApp } from './gate/gate-app.ts'
import { ALLOWED_METHODS, isLimited, type Judge, type Passage } from './gate/judge.ts'
import { JWKS_PATH, type JwksEndpoint } from './gate/jwks-endpoint.ts'
import type { WebhookGate } from './gate/webhook-gate.ts'
import { type Answer, plainAnswer, sendAnswer } from './http/answer.ts'
import type { ClientLocator } from './http/client.ts'
import { REPORT_PATH } from './http/content-policy.ts'
import { cookieName, readCookie } from './http/cookies.ts'
import { newRequestId } from './http/exchange.ts'
import { type Host, parseHost } from './http/host.ts'
import { peerOf, UNIX_PEER } from './http/peer.ts'
import { firstHeader, type RawHeaders, singleHeader } from './http/raw-headers.ts'
import { RELATED_ORIGINS_PATH } from './http/related-origins.ts'
import { readRequestPath } from './http/request-path.ts'
import type { Site } from './http/site.ts'
import type { Visit } from './http/visit.ts'
import { SECOND } from './lib/duration.ts'
import type { Budget } from './limits/limiter.ts'
import type { Portal } from './portal/portal.ts'
import { discardRest } from './proxy/request-body.ts'
import { upgradeResponse } from './proxy/upgrade.ts'
import type { Sessions } from './sessions/sessions.ts'

/** What the pipeline is made of. */
export type PipelineDeps = {
  /** Called first for each request: what others have changed is looked up once for all there are. */
  readonly arrived: () => void
  readonly locate: ClientLocator
  readonly guard: AddressGuard
  readonly siteOf: (host: Host) => Site
  readonly health: (path: string) => Promise<Answer> | undefined
  readonly contracts: readonly Contract[]
  readonly forwardAuth: ForwardAuth
  readonly portal: Portal
  readonly api: Api
  /** What programs pay for calls of the API. */
  readonly apiBudget: Budget
  readonly cspReports: ReportEndpoint
  readonly portalHost: string
  readonly portalBudget: Budget
  readonly sessions: Pick<Sessions, 'familiar'>
  readonly appOf: (host: string) => GateApp | undefined
  readonly judge: Judge
  readonly denials: Denials
  readonly cors?: CorsGate | undefined
  readonly webhooks?: WebhookGate | undefined
  /** The related origins file of passkeys, on the hosts that have one. */
  readonly relatedOrigins?: (host: Host) => Answer | undefined
  /** The keys that apps verify assertions with, on every host. */
  readonly jwks: JwksEndpoint
}

/** The request handlers of a listener. Neither ever throws or leaves a request unanswered. */
export type Pipeline = {
  readonly request: (req: IncomingMessage, res: ServerResponse) => void
  readonly upgrade: (req: IncomingMessage, head: Buffer) => void
}

/** Everything of ours is below this path, on every host. */
export const RESERVED = '/.sallyport/'
const CHECK = '/.sallyport/check/'

type Question = { readonly contract: Contract; readonly wantsPage: boolean }

/**
 * Raw request → client → route → (budget → path → decision, in `gate/judge`) → forward or answer.
 * Read this first: it is the way every request takes, to the proxy, to forward-auth, to the portal.
 */
export function createPipeline(deps: PipelineDeps): Pipeline {
  const { denials, judge } = deps
  /** What a proxy may ask: `/.sallyport/check/nginx`, and with `/page` for the visitor's page. */
  const questions = new Map<string, Question>(
    deps.contracts
      .filter((contract) => contract.appendsTarget !== true)
      .flatMap((contract) => [
        [`${CHECK}${contract.name}`, { contract, wantsPage: false }],
        [`${CHECK}${contract.name}/page`, { contract, wantsPage: true }],
      ]),
  )
  /** Those that put the path they ask about behind their own: `/.sallyport/check/envoy/x?y=1`. */
  const appending = deps.contracts
    .filter((contract) => contract.appendsTarget === true)
    .map((contract) => ({ contract, prefix: `${CHECK}${contract.name}` }))

  /** What is asked, by whom. `undefined`: the host makes no sense. */
  const open = (req: IncomingMessage): Visit | undefined => {
    const headers = req.rawHeaders
    const field = singleHeader(headers, 'host')
    const host = field.kind === 'one' ? parseHost(field.value) : undefined
    if (host === undefined) return undefined
    return {
      requestId: newRequestId(),
      client: deps.locate(peerOf(req.socket), headers),
      host,
      site: deps.siteOf(host),
      method: req.method ?? '',
      target: req.url ?? '',
      headers,
    }
  }

  /** Judges, then goes on; whatever goes wrong on the way is an answer, never a pass. */
  const decide = (
    visit: Visit,
    req: IncomingMessage,
    answer: (answer: Answer) => void,
    pass: (passage: Extract<Passage, { kind: 'pass' }>) => void,
  ) => {
    const proceed = (passage: Passage) => {
      if (!isLimited(passage)) deps.cors?.meet(visit, 'note')
      return passage.kind === 'answer' ? answer(passage.answer) : pass(passage)
    }
    const fail = (error: unknown) => answer(judge.failed(visit, error))
    try {
      const passage = judge.judge(visit)
      if (passage instanceof Promise) {
        passage
          .then(proceed)
          .catch(fail)
          .catch(() => req.socket.destroy())
      } else proceed(passage)
    } catch (error) {
      fail(error)
    }
  }

  const route = (req: IncomingMessage, res: ServerResponse) => {
    // SECURITY: Node loses what arrived behind an upgrade that was not taken, so the next bytes
    // on this connection could start in the middle of a request.
    if (firstHeader(req.rawHeaders, 'upgrade') !== undefined) res.shouldKeepAlive = false
    if (req.httpVersionMajor !== 1) return reply(res, BAD_VERSION)
    if (req.rawHeaders.length > MAX_HEADER_FIELDS * 2) return reply(res, TOO_MANY_FIELDS)
    const path = pathOf(req.url)
    const visit = open(req)
    const probe = deps.health(path)
    const go = () => enter(visit, path, probe, req, res)
    // The machine itself may ask for its health, whatever the network lists say.
    if (probe !== undefined && isProbe(req, path, visit) && isLocal(req)) return go()
    welcome(req, visit, (answer) => reply(res, answer), go)
  }

  /** Turns away whom the network lists or a ban keep out; whatever goes wrong there is no pass. */
  const welcome = (
    req: IncomingMessage,
    visit: Visit | undefined,
    answer: (answer: Answer) => void,
    go: () => void,
  ) => {
    const refusal = deps.guard(visit ?? arrival(req))
    if (refusal === undefined) return go()
    if (!(refusal instanceof Promise)) return answer(refusal)
    refusal
      .then((late) => (late === undefined ? go() : answer(late)))
      .catch(() => req.socket.destroy())
  }

  /** As much as can be said of a request whose host makes no sense. */
  const arrival = (req: IncomingMessage): Arrival => ({
    requestId: newRequestId(),
    client: deps.locate(peerOf(req.socket), req.rawHeaders),
    method: req.method ?? '',
    headers: req.rawHeaders,
  })

  /** Past the guard. */
  const enter = (
    visit: Visit | undefined,
    path: string,
    probe: Promise<Answer> | undefined,
    req: IncomingMessage,
    res: ServerResponse,
  ) => {
    if (probe !== undefined && isProbe(req, path, visit)) {
      probe.then(
        (answer) => reply(res, answer),
        () => reply(res, plainAnswer(503, 'error\n')),
      )
      return
    }
    if (visit === undefined) return reply(res, BAD_HOST)
    const question = questions.get(path)
    if (question !== undefined) return ask(visit, question, res)
    const about = path.startsWith(CHECK)
      ? appending.find(({ prefix }) => path.startsWith(`${prefix}/`))
      : undefined
    if (about !== undefined) {
      const target = visit.target.slice(about.prefix.length)
      return ask({ ...visit, target }, { contract: about.contract, wantsPage: false }, res)
    }
    if (path === REPORT_PATH) return take(visit, req, res)
    const origins = path === RELATED_ORIGINS_PATH ? deps.relatedOrigins?.(visit.host) : undefined
    if (origins !== undefined) return reply(res, judge.spend(visit, deps.portalBudget) ?? origins)
    if (path === JWKS_PATH) {
      return reply(res, judge.spend(visit, deps.portalBudget) ?? deps.jwks(visit))
    }
    if (path.startsWith(RESERVED)) return ours(visit, path, req, res)
    if (visit.method === 'OPTIONS' && visit.target === '*') return reply(res, OPTIONS)
    const isPortalHome = path === '/' && visit.host.name === deps.portalHost
    if (path === '/.sallyport' || (isPortalHome && deps.appOf(visit.host.name) === undefined)) {
      return reply(res, TO_APPS)
    }
    if (path === CHANGE_PASSWORD && visit.host.name === deps.portalHost) {
      return reply(res, TO_CHANGE_PASSWORD)
    }
    if (deps.webhooks?.take(visit, req, res) === true) return
    const met = meet(visit)
    if (met !== undefined) return reply(res, met)
    decide(
      visit,
      req,
      (answer) => reply(res, answer),
      (passage) => {
        const { app } = passage
        if (app.forward === undefined) return reply(res, denials.notFound(visit))
        app.forward(visit, req, res, passage)
      },
    )
  }

  /** A preflight is paid for by who asks, like any request that nobody is signed in for. */
  const meet = (visit: Visit): Answer | undefined => {
    const { cors } = deps
    if (cors?.asks(visit) !== true) return undefined
    return judge.spend(visit, deps.portalBudget) ?? cors.meet(visit, 'answer')
  }

  const ask = (visit: Visit, { contract, wantsPage }: Question, res: ServerResponse) => {
    const answer = deps.forwardAuth(visit, contract, wantsPage)
    if (!(answer instanceof Promise)) return reply(res, answer)
    answer.then(
      (late) => reply(res, late),
      (error) => reply(res, judge.failed(visit, error)),
    )
  }

  /** What a browser reports of an app's policy. */
  const take = (visit: Visit, req: IncomingMessage, res: ServerResponse) => {
    deps.cspReports(visit, req).then(
      (answer) => reply(res, answer),
      (error) => reply(res, judge.failed(visit, error)),
    )
  }

  /** A page or a form of our own. */
  const ours = (visit: Visit, path: string, req: IncomingMessage, res: ServerResponse) => {
    // Its description for people is a page like others.
    const isApi = path.startsWith(`${API}/`) && path !== `${API}/`
    const limited = isApi
      ? judge.spend(visit, deps.apiBudget)
      : judge.spend(visit, deps.portalBudget, familiarSession(visit))
    if (limited !== undefined) return reply(res, limited)
    if (deps.appOf(visit.host.name) === undefined && visit.host.name !== deps.portalHost) {
      return reply(res, denials.decided(visit, { kind: 'unknown_host' }))
    }
    if (readRequestPath(visit.target).kind === 'ambiguous' || path.includes('//')) {
      return reply(res, denials.ambiguous(visit, 'path'))
    }
    const late = setTimeout(() => req.destroy(), FORM_TIME)
    req.once('close', () => clearTimeout(late))
    if (isApi) {
      deps.api(visit, req).then(
        (answer) => reply(res, answer),
        (error) => reply(res, judge.failed(visit, error)),
      )
      return
    }
    deps.portal(visit, req, res).catch((error) => reply(res, judge.failed(visit, error)))
  }

  /** Pages of the portal are paid for by the session where there is one. */
  const familiarSession = (visit: Visit): string | undefined => {
    const token = readCookie(visit.headers, cookieName('session', visit.site.binding))
    return token === undefined ? undefined : deps.sessions.familiar(token)
  }

  /** Health is for whoever runs the machine: on no app's host, or asked from the machine itself. */
  const isProbe = (req: IncomingMessage, path: string, visit: Visit | undefined): boolean => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return false
    if (path.startsWith(RESERVED)) return true
    if (visit === undefined || deps.appOf(visit.host.name) === undefined) return true
    return isLocal(req) && !visit.client.throughProxy
  }

  const connect = (req: IncomingMessage, head: Buffer) => {
    const refuse = (answer: Answer) => sendAnswer(upgradeResponse(req), answer, req.method)
    if (req.rawHeaders.length > MAX_HEADER_FIELDS * 2) return refuse(TOO_MANY_FIELDS)
    const visit = open(req)
    welcome(req, visit, refuse, () => {
      if (visit === undefined) return refuse(BAD_HOST)
      join(visit, req, head, refuse)
    })
  }

  const join = (
    visit: Visit,
    req: IncomingMessage,
    head: Buffer,
    refuse: (answer: Answer) => void,
  ) => {
    decide(visit, req, refuse, (passage) => {
      const { app } = passage
      if (app.upgrade === undefined) return refuse(denials.notFound(visit))
      app.upgrade(visit, req, head, passage)
    })
  }

  return {
    request: (req, res) => {
      deps.arrived()
      lastResort(req, () => route(req, res))
    },
    upgrade: (req, head) => {
      deps.arrived()
      lastResort(req, () => connect(req, head))
    },
  }
}

const MAX_HEADER_FIELDS = 200
/** A form of ours is small: who takes longer to send it is not a person. */
const FORM_TIME = 20 * SECOND
// The parser takes `HTTP/0.9` and `HTTP/2.0` for names of what it speaks (RFC 9110 15.6.6).
const BAD_VERSION = plainAnswer(505, 'HTTP/1.1 is spoken here.\n')
const TOO_MANY_FIELDS = plainAnswer(431, 'Too many header fields.\n')
const BAD_HOST = plainAnswer(400, 'The Host header is missing, repeated or malformed.\n')
const OPTIONS: Answer = { status: 204, headers: [['Allow', ALLOWED_METHODS]], body: '' }
const TO_APPS: Answer = {
  status: 302,
  headers: [
    ['Location', RESERVED],
    ['Cache-Control', 'no-store'],
  ],
  body: '',
}
/** Where password managers ask (W3C, A Well-Known URL for Changing Passwords). */
const CHANGE_PASSWORD = '/.well-known/change-password'
const TO_CHANGE_PASSWORD: Answer = {
  ...TO_APPS,
  headers: [
    ['Location', `${RESERVED}password/change`],
    ['Cache-Control', 'no-store'],
  ],
}

/** A bug that even the rendering of an error met ends this connection, not the process. */
function lastResort(req: IncomingMessage, work: () => void): void {
  try {
    work()
  } catch {
    req.socket.destroy()
  }
}

/** Answers, and takes no more of a body than it takes to let the client read the answer. */
function reply(res: ServerResponse, answer: Answer): void {
  sendAnswer(res, answer, res.req.method)
  if (!res.req.complete) discardRest(res.req)
}

function pathOf(url = ''): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

/** Sent by a program on this machine, and for nobody else as far as it says. */
function isLocal(req: IncomingMessage): boolean {
  return isLoopback(peerOf(req.socket)) && !isForwarded(req.rawHeaders)
}

/**
 * What is answered over plain HTTP where everything else is sent to HTTPS: proxies' questions, and
 * probes of the machine's own.
 */
export function isForPlainHttp(req: IncomingMessage): boolean {
  const path = pathOf(req.url)
  if (path.startsWith(CHECK)) return true
  if (req.method !== 'GET' && req.method !== 'HEAD') return false
  if (path === `${RESERVED}livez` || path === `${RESERVED}readyz`) return true
  return (path === '/livez' || path === '/readyz' || path === JWKS_PATH) && isLocal(req)
}

function isLoopback(peer: string | undefined): boolean {
  return peer === UNIX_PEER || (peer !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(peer))
}

function isForwarded(headers: RawHeaders): boolean {
  return (
    singleHeader(headers, 'x-forwarded-for').kind !== 'absent' ||
    singleHeader(headers, 'forwarded').kind !== 'absent'
  )
}
