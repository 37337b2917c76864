import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Contract } from './check/contract.ts'
import type { Denials } from './gate/denials.ts'
import type { ForwardAuth } from './gate/forward-auth.ts'
import type { GateApp } from './gate/gate-app.ts'
import { ALLOWED_METHODS, type Judge, type Passage } from './gate/judge.ts'
import { type Answer, plainAnswer, sendAnswer } from './http/answer.ts'
import type { ClientLocator } from './http/client.ts'
import { cookieName, readCookie } from './http/cookies.ts'
import { newRequestId } from './http/exchange.ts'
import { type Host, parseHost } from './http/host.ts'
import { firstHeader, type RawHeaders, singleHeader } from './http/raw-headers.ts'
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
  readonly locate: ClientLocator
  readonly siteOf: (host: Host) => Site
  readonly health: (path: string) => Promise<Answer> | undefined
  readonly contracts: readonly Contract[]
  readonly forwardAuth: ForwardAuth
  readonly portal: Portal
  readonly portalHost: string
  readonly portalBudget: Budget
  readonly sessions: Pick<Sessions, 'familiar'>
  readonly appOf: (host: string) => GateApp | undefined
  readonly judge: Judge
  readonly denials: Denials
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
    deps.contracts.flatMap((contract) => [
      [`${CHECK}${contract.name}`, { contract, wantsPage: false }],
      [`${CHECK}${contract.name}/page`, { contract, wantsPage: true }],
    ]),
  )

  /** What is asked, by whom. `undefined`: the host makes no sense. */
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

  /** Judges, then goes on; whatever goes wrong on the way is an answer, never a pass. */
  const decide = (
    visit: Visit,
    req: IncomingMessage,
    answer: (answer: Answer) => void,
    pass: (passage: Extract<Passage, { kind: 'pass' }>) => void,
  ) => {
    const proceed = (passage: Passage) =>
      passage.kind === 'answer' ? answer(passage.answer) : pass(passage)
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
    if (req.rawHeaders.length > MAX_HEADER_FIELDS * 2) return reply(res, TOO_MANY_FIELDS)
    const path = pathOf(req.url)
    const visit = open(req)

    const probe = deps.health(path)
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
    if (path.startsWith(RESERVED)) return ours(visit, path, req, res)
    if (visit.method === 'OPTIONS' && visit.target === '*') return reply(res, OPTIONS)
    const isPortalHome = path === '/' && visit.host.name === deps.portalHost
    if (path === '/.sallyport' || (isPortalHome && deps.appOf(visit.host.name) === undefined)) {
      return reply(res, TO_ACCOUNT)
    }
    decide(
      visit,
      req,
      (answer) => reply(res, answer),
      ({ app, authorization }) => {
        if (app.forward === undefined) return reply(res, denials.notFound(visit))
        app.forward(visit, req, res, authorization)
      },
    )
  }

  const ask = (visit: Visit, { contract, wantsPage }: Question, res: ServerResponse) => {
    const answer = deps.forwardAuth(visit, contract, wantsPage)
    if (!(answer instanceof Promise)) return reply(res, answer)
    answer.then(
      (late) => reply(res, late),
      (error) => reply(res, judge.failed(visit, error)),
    )
  }

  /** A page or a form of our own. */
  const ours = (visit: Visit, path: string, req: IncomingMessage, res: ServerResponse) => {
    const limited = judge.spend(visit, deps.portalBudget, familiarSession(visit))
    if (limited !== undefined) return reply(res, limited)
    if (deps.appOf(visit.host.name) === undefined && visit.host.name !== deps.portalHost) {
      return reply(res, denials.decided(visit, { kind: 'unknown_host' }))
    }
    if (readRequestPath(visit.target).kind === 'ambiguous' || path.includes('//')) {
      return reply(res, denials.ambiguous(visit, 'path'))
    }
    const late = setTimeout(() => req.destroy(), FORM_TIME)
    req.once('close', () => clearTimeout(late))
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
    return (
      isLoopback(req.socket.remoteAddress) &&
      !visit.client.throughProxy &&
      !isForwarded(req.rawHeaders)
    )
  }

  const connect = (req: IncomingMessage, head: Buffer) => {
    const refuse = (answer: Answer) => sendAnswer(upgradeResponse(req), answer, req.method)
    if (req.rawHeaders.length > MAX_HEADER_FIELDS * 2) return refuse(TOO_MANY_FIELDS)
    const visit = open(req)
    if (visit === undefined) return refuse(BAD_HOST)
    decide(visit, req, refuse, ({ app, authorization }) => {
      if (app.upgrade === undefined) return refuse(denials.notFound(visit))
      app.upgrade(visit, req, head, authorization)
    })
  }

  return {
    request: (req, res) => lastResort(req, () => route(req, res)),
    upgrade: (req, head) => lastResort(req, () => connect(req, head)),
  }
}

const MAX_HEADER_FIELDS = 200
/** A form of ours is small: who takes longer to send it is not a person. */
const FORM_TIME = 20 * SECOND
const TOO_MANY_FIELDS = plainAnswer(431, 'Too many header fields.\n')
const BAD_HOST = plainAnswer(400, 'The Host header is missing, repeated or malformed.\n')
const OPTIONS: Answer = { status: 204, headers: [['Allow', ALLOWED_METHODS]], body: '' }
const TO_ACCOUNT: Answer = {
  status: 302,
  headers: [['Location', `${RESERVED}account`]],
  body: '',
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

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address)
}

function isForwarded(headers: RawHeaders): boolean {
  return (
    singleHeader(headers, 'x-forwarded-for').kind !== 'absent' ||
    singleHeader(headers, 'forwarded').kind !== 'absent'
  )
}
