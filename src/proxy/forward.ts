import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import { networkKey } from '../lib/network.ts'
import { relayHints } from './early-hints.ts'
import type { AppEntry, EndReason, LiveConnections } from './live-connections.ts'
import { errorCode, type ProblemKind, problemOf, TimedOut } from './problem.ts'
import { RequestBody } from './request-body.ts'
import type { RequestContext, RequestHeaders } from './request-headers.ts'
import {
  type HeaderList,
  type ReceivedFields,
  type ResponseHeaders,
  writableFields,
} from './response-headers.ts'
import type { StallWatch, Watched } from './stall-watch.ts'
import type { Upstream, UpstreamSet } from './upstreams.ts'

/** How a request that was let through is to be carried out. */
export type ForwardPlan = {
  readonly upstreams: UpstreamSet
  /** The request target that was judged; sent byte for byte. */
  readonly path: string
  readonly headers: RequestHeaders
  readonly context: RequestContext
  /**
   * Whose it is. When the session ends, so does an answer without announced length: an event
   * stream in good order, anything else with a cut.
   */
  readonly holder?: string
  /** What the holder was let in to; when its access is taken back, the same happens. */
  readonly entry?: AppEntry
  /** The request's body, where it was read already. */
  readonly body?: Buffer
  /** Works the security headers into the app's; called once, before anything is sent. */
  readonly dress?: (headers: HeaderList, status: number) => void
  /** Answers in the app's stead. Called at most once, and only when nothing was sent yet. */
  readonly onProblem: (kind: ProblemKind, error: unknown, res: ServerResponse) => void
  /** Called exactly once, when the response is over in whatever way. Must not throw. */
  readonly onDone?: (stats: ForwardStats) => void
}

/**
 * How it ended. `sent`: whole; `problem`: answered by `onProblem`; `cut`: after the head was sent
 * the app broke off, stood still or ran out of time, or the session ended; `ended`: an event stream
 * whose session did; `client_gone`: the client left, or stopped reading or sending.
 */
export type ForwardStats = {
  readonly outcome: 'sent' | 'problem' | 'cut' | 'ended' | 'client_gone'
  /** The app's status; 0 when there was none. */
  readonly status: number
  /** Body bytes handed to the client. */
  readonly bytes: number
  /** Milliseconds from our sending to the app's head; `undefined` when there was none. */
  readonly waited: number | undefined
}

/**
 * Carries requests to apps and their answers back, as they come and with back-pressure in both
 * directions. It decides nothing: whoever calls it has an allow in hand.
 *
 * Where no connection comes about, so that no byte was sent, the app's next place is tried. A
 * request is never sent twice, with one exception: a bodyless `GET` or `HEAD` that met a kept
 * connection the app was just closing, and of whose answer no byte came (RFC 9112 9.3.1).
 */
export type Forwarder = (req: IncomingMessage, res: ServerResponse, plan: ForwardPlan) => void

export function createForwarder(deps: {
  readonly clock: Clock
  readonly responseHeaders: ResponseHeaders
  readonly stalls: StallWatch
  readonly live: LiveConnections
}): Forwarder {
  return (req, res, plan) => {
    const { fields, framing } = plan.headers.plain(req.rawHeaders, plan.context)
    const body = framing === 'none' ? null : (plan.body ?? new RequestBody(req))
    new Forwarding(deps, req, res, plan, {
      path: plan.path,
      method: req.method ?? 'GET',
      headers: fields,
      body,
      headersTimeout: plan.upstreams.timeouts.firstByte,
    }).start()
  }
}

/** Interim answers that an app may send before the final one; more is a fault or a flood. */
const MAX_INTERIM = 16

/** Bodies up to this go out together with their head, in bytes. */
const SMALL_BODY = 8_192

/** How long the orderly end of an event stream may take. */
const FAREWELL: Milliseconds = 2 * SECOND

class ClientGone extends Error {}
class SessionEnded extends Error {}

/** One request on its way. An object with methods, so that a request costs one closure. */
class Forwarding implements Dispatcher.DispatchHandler, Watched {
  readonly #deps: Parameters<typeof createForwarder>[0]
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #plan: ForwardPlan
  readonly #request: Dispatcher.DispatchOptions
  #controller: Dispatcher.DispatchController | undefined
  readonly #sentAt: number
  #upstream: Upstream | undefined
  #tried: Set<Upstream> | undefined
  #timer: NodeJS.Timeout | undefined
  #started = false
  #opened = 0
  /** The request went out over a connection that was open before. */
  #reused = false
  #retried = false
  /** A byte of an answer came. */
  #touched = false
  #interim = 0
  #status = 0
  #waited: number | undefined
  /** The announced length of the body; -1 when there is none. */
  #length = -1
  #isEvents = false
  #bytes = 0
  #flushed = false
  #watched = false
  #leave: (() => void) | undefined
  #paused = false
  #drains = 0
  #cutOff = false
  #over = false
  #outcome: ForwardStats['outcome'] = 'client_gone'

  constructor(
    deps: Parameters<typeof createForwarder>[0],
    req: IncomingMessage,
    res: ServerResponse,
    plan: ForwardPlan,
    request: Dispatcher.DispatchOptions,
  ) {
    this.#deps = deps
    this.#req = req
    this.#res = res
    this.#plan = plan
    this.#request = request
    this.#sentAt = deps.clock.now()
  }

  start(): void {
    const req = this.#req
    const res = this.#res
    if (res.destroyed || req.socket.destroyed) {
      this.#closed()
      return
    }
    res.on('close', () => this.#closed())
    const { total } = this.#plan.upstreams.timeouts
    if (total !== undefined) this.#timer = setTimeout(() => this.#expired(total), total)
    if (res.socket !== null) {
      this.#dispatch(this.#plan.upstreams.pick())
      return
    }
    // Pipelined behind another request: it waits its turn, so that one connection never has more
    // than one request at the app. Until then only `req` hears of the connection's end.
    res.once('socket', () => this.#dispatch(this.#plan.upstreams.pick()))
    req.once('close', () => {
      if (!this.#started) this.#closed()
    })
  }

  #dispatch(upstream: Upstream): void {
    if (this.#over || this.#answered) return
    this.#started = true
    this.#upstream = upstream
    this.#opened = upstream.opened()
    upstream.dispatch(this.#request, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const upstream = this.#upstream
    this.#controller = controller
    this.#reused = upstream?.opened() === this.#opened
    upstream?.standing.reached()
    if (this.#over || this.#answered) controller.abort(new ClientGone())
    else if (this.#request.body !== null) this.#watch()
  }

  /** Whether it was answered in the app's stead. */
  get #answered(): boolean {
    return this.#outcome === 'problem'
  }

  #watch(): void {
    this.#watched = true
    this.#deps.stalls.add(this, this.#plan.upstreams.timeouts.idle)
  }

  onResponseStarted(): void {
    this.#touched = true
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason?: string,
  ): void {
    const res = this.#res
    if (status < 200) {
      if (++this.#interim > MAX_INTERIM) controller.abort(new Error('too many interim answers'))
      else if (status === 103 && !this.#over) relayHints(receivedFields(controller), res)
      return
    }
    if (this.#over) {
      controller.abort(new ClientGone())
      return
    }
    this.#status = status
    this.#waited = this.#deps.clock.now() - this.#sentAt
    const list = this.#deps.responseHeaders(receivedFields(controller), status)
    this.#plan.dress?.(list, status)
    this.#length = announcedLength(list)
    this.#isEvents = this.#length < 0 && isEventStream(list)
    try {
      res.writeHead(status, reason ?? '', list)
    } catch {
      // A reason or a field that Node will not write: rare enough to be tried first.
      res.writeHead(status, STATUS_CODES[status] ?? '', writableFields(list))
    }
    if (this.#req.method !== 'HEAD' && status !== 204 && status !== 304) {
      process.nextTick(afterHead, this)
    }
  }

  /**
   * The head goes out at once even when the body takes its time, as an event stream's does; with
   * a body at hand both go out together.
   */
  afterHead(): void {
    const res = this.#res
    if (this.#over || (res.writableEnded && res.writableLength === 0)) return
    if (!this.#flushed) res.flushHeaders()
    if (!this.#watched) this.#watch()
    const { holder, entry, context } = this.#plan
    if (this.#length < 0 && !res.writableEnded) {
      const address = networkKey(context.address)
      const owner = { address, holder, entry }
      this.#leave = this.#deps.live.follow(owner, (why) => this.#leaveNow(why))
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over || this.#cutOff) return
    this.#flushed = true
    this.#bytes += chunk.length
    if (this.#bytes === this.#length) {
      // Text goes out in one write with the head; bytes would need a gathering one, which for a
      // small body is the dearer of the two. Latin-1 is each byte as it is.
      if (chunk.length <= SMALL_BODY) this.#res.end(chunk.toString('latin1'), 'latin1')
      else this.#res.end(chunk)
      return
    }
    if (this.#res.write(chunk)) return
    if (!this.#paused && this.#drains === 0) this.#res.on('drain', () => this.#drained())
    this.#paused = true
    controller.pause()
  }

  #drained(): void {
    this.#drains++
    this.#paused = false
    this.#controller?.resume()
  }

  onResponseEnd(): void {
    if (this.#over || this.#cutOff) return
    this.#outcome = 'sent'
    if (!this.#res.writableEnded) this.#res.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const elsewhere = this.#controller === undefined ? this.#unreachable(error) : undefined
    if (this.#over || this.#cutOff || this.#outcome === 'sent' || this.#answered) return
    const again = elsewhere ?? this.#retry(error)
    if (again !== undefined) {
      // Not within the closing of the connection that failed, which is still being cleared away.
      process.nextTick(() => this.#dispatch(again))
      return
    }
    if (this.#res.headersSent) this.#cut('cut')
    else this.#answerProblem(error)
  }

  /** Takes note that nothing could be sent; gives the place to try next. */
  #unreachable(error: Error): Upstream | undefined {
    const upstream = this.#upstream
    if (upstream === undefined || problemOf(error, false) === 'refused') return undefined
    upstream.standing.unreachable()
    if (this.#over || this.#answered) return undefined
    this.#tried ??= new Set()
    return this.#plan.upstreams.next(this.#tried.add(upstream))
  }

  /** The same place once more, where that is sure not to ask the app twice. */
  #retry(error: Error): Upstream | undefined {
    const { method, body } = this.#request
    const code = errorCode(error)
    const mayRetry =
      this.#reused &&
      !this.#retried &&
      !this.#touched &&
      body === null &&
      (method === 'GET' || method === 'HEAD') &&
      (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
    if (!mayRetry) return undefined
    this.#retried = true
    this.#controller = undefined
    return this.#upstream
  }

  #answerProblem(error: Error): void {
    const connected = this.#controller !== undefined
    this.#outcome = 'problem'
    try {
      this.#plan.onProblem(problemOf(error, connected), error, this.#res)
    } catch {
      this.#cut('problem')
    }
  }

  /** What is left of the request's body is of no use any more; nothing when it was read whole. */
  #dropBody(): void {
    const { body } = this.#request
    if (body instanceof RequestBody) body.destroy()
  }

  /** Ends the client's connection so that it sees the answer is not whole (RFC 9112 8). */
  #cut(outcome: 'problem' | 'cut' | 'client_gone'): void {
    this.#outcome = outcome
    this.#cutOff = true
    const { socket } = this.#req
    // SECURITY: where the body is all that comes before the end, a clean end would be a lie.
    if (this.#length < 0 && this.#req.httpVersionMinor === 0) reset(socket)
    else socket.destroy()
  }

  /**
   * Nothing more of this goes to its client. A server that stops ends event streams, which would
   * never end by themselves, and lets every other answer finish.
   */
  #leaveNow(why: EndReason): void {
    if (why === 'shutdown' && !this.#isEvents) return
    // SECURITY: only where the client can tell a whole answer from a part (RFC 9112 6.3, 7.1), and
    // where every part is whole in itself, may it end in order.
    if (!this.#isEvents || this.#req.httpVersionMinor === 0) {
      this.#cut('cut')
      return
    }
    const res = this.#res
    this.#outcome = 'ended'
    this.#cutOff = true
    this.#controller?.abort(new SessionEnded())
    res.end()
    const timer = setTimeout(() => this.#req.socket.destroy(), FAREWELL)
    res.once('close', () => clearTimeout(timer))
  }

  /** The whole took too long. */
  #expired(limit: Milliseconds): void {
    if (this.#over || this.#cutOff || this.#answered) return
    if (this.#res.headersSent) this.#cut('cut')
    else this.#answerProblem(new TimedOut(`not done within ${limit} ms`))
    this.#controller?.abort(new TimedOut())
  }

  #closed(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    if (this.#watched) this.#deps.stalls.remove(this)
    this.#leave?.()
    // NOTE: an error costs a stack trace, so none is made where the exchange is whole.
    if (this.#outcome !== 'sent') this.#controller?.abort(new ClientGone())
    const isWhole = this.#outcome === 'sent' || this.#outcome === 'ended'
    if (isWhole && !this.#res.writableFinished) this.#outcome = 'client_gone'
    if (this.#outcome !== 'sent') this.#dropBody()
    this.#plan.onDone?.({
      outcome: this.#outcome,
      status: this.#status,
      bytes: this.#bytes,
      waited: this.#waited,
    })
  }

  moved(): number {
    const { body } = this.#request
    const sent = body instanceof RequestBody ? body.passed : 0
    return sent + this.#bytes + this.#drains - this.#res.writableLength
  }

  waitsFor(): 'client' | 'app' | 'nobody' {
    if (this.#paused || this.#res.writableEnded) return 'client'
    if (this.#status > 0) return this.#length < 0 ? 'nobody' : 'app'
    // An app that reads nothing, or has read all, is waited for as long as `firstByte` says.
    return this.#req.complete || this.#req.isPaused() ? 'nobody' : 'client'
  }

  stalled(): void {
    const waitsFor = this.waitsFor()
    if (this.#status === 0 && waitsFor !== 'client') this.#answerProblem(new TimedOut('idle'))
    else this.#cut(waitsFor === 'client' ? 'client_gone' : 'cut')
    this.#controller?.abort(new TimedOut())
  }
}

function afterHead(forwarding: Forwarding): void {
  forwarding.afterHead()
}

/** Ends a connection with a reset where there is such a thing, as there is over TCP. */
function reset(socket: Socket): void {
  try {
    socket.resetAndDestroy()
  } catch {
    socket.destroy()
  }
}

function receivedFields(controller: Dispatcher.DispatchController): ReceivedFields {
  const raw = controller.rawHeaders
  // Over HTTP/1 undici gives the fields as received; `allowH2` is off.
  return Array.isArray(raw) ? raw : []
}

function announcedLength(list: HeaderList): number {
  for (const [name, value] of list) {
    if (name === 'Content-Length') return Number(value)
  }
  return -1
}

function isEventStream(list: HeaderList): boolean {
  return list.some(
    ([name, value]) =>
      name.toLowerCase() === 'content-type' && /^text\/event-stream\s*(?:;|$)/i.test(value),
  )
}
