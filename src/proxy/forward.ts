import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { SessionId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { LiveConnections } from './live-connections.ts'
import { errorCode, type ProblemKind, problemOf } from './problem.ts'
import { RequestBody } from './request-body.ts'
import type { RequestContext, RequestHeaders } from './request-headers.ts'
import {
  type HeaderList,
  type ReceivedFields,
  type ResponseHeaders,
  writableFields,
} from './response-headers.ts'
import type { StallWatch, Watched } from './stall-watch.ts'
import type { Upstream } from './upstreams.ts'

/** How a request that was let through is to be carried out. */
export type ForwardPlan = {
  readonly upstream: Upstream
  /** The request target that was judged; sent byte for byte. */
  readonly path: string
  readonly headers: RequestHeaders
  readonly context: RequestContext
  /** Whose it is; an answer without announced length is cut when the session ends. */
  readonly session?: SessionId
  /** Works the security headers into the app's; called once, before anything is sent. */
  readonly dress?: (headers: HeaderList, status: number) => void
  /** Answers in the app's stead. Called at most once, and only when nothing was sent yet. */
  readonly onProblem: (kind: ProblemKind, error: unknown, res: ServerResponse) => void
  /** Called exactly once, when the response is over in whatever way. Must not throw. */
  readonly onDone?: (stats: ForwardStats) => void
}

/**
 * How it ended. `sent`: whole; `problem`: answered by `onProblem`; `cut`: the app broke off or
 * stood still after the head was sent; `client_gone`: the client left or stopped reading.
 */
export type ForwardStats = {
  readonly outcome: 'sent' | 'problem' | 'cut' | 'client_gone'
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
 * A request is never sent twice, with one exception: a bodyless `GET` or `HEAD` that met a kept
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
    const body = framing === 'none' ? null : new RequestBody(req)
    new Forwarding(deps, req, res, plan, {
      path: plan.path,
      method: req.method ?? 'GET',
      headers: fields,
      body,
      headersTimeout: plan.upstream.timeouts.firstByte,
    }).start()
  }
}

/** Interim answers that an app may send before the final one; more is a fault or a flood. */
const MAX_INTERIM = 16

/** Bodies up to this go out together with their head, in bytes. */
const SMALL_BODY = 8_192

class ClientGone extends Error {}
class Stalled extends Error {}

/** One request on its way. An object with methods, so that a request costs one closure. */
class Forwarding implements Dispatcher.DispatchHandler, Watched {
  readonly #deps: Parameters<typeof createForwarder>[0]
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #plan: ForwardPlan
  readonly #request: Dispatcher.DispatchOptions
  #controller: Dispatcher.DispatchController | undefined
  readonly #sentAt: number
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
    if (res.socket !== null) {
      this.#dispatch()
      return
    }
    // Pipelined behind another request: it waits its turn, so that one connection never has more
    // than one request at the app. Until then only `req` hears of the connection's end.
    res.once('socket', () => this.#dispatch())
    req.once('close', () => {
      if (!this.#started) this.#closed()
    })
  }

  #dispatch(): void {
    const { upstream } = this.#plan
    if (this.#over) return
    this.#started = true
    this.#opened = upstream.opened()
    upstream.dispatch(this.#request, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#reused = this.#plan.upstream.opened() === this.#opened
    if (this.#over) controller.abort(new ClientGone())
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
    if (status < 200) {
      if (++this.#interim > MAX_INTERIM) controller.abort(new Error('too many interim answers'))
      return
    }
    const res = this.#res
    if (this.#over) {
      controller.abort(new ClientGone())
      return
    }
    this.#status = status
    this.#waited = this.#deps.clock.now() - this.#sentAt
    const list = this.#deps.responseHeaders(receivedFields(controller), status)
    this.#plan.dress?.(list, status)
    this.#length = announcedLength(list)
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
    this.#watched = true
    this.#deps.stalls.add(this)
    const { session } = this.#plan
    if (session !== undefined && this.#length < 0 && !res.writableEnded) {
      this.#leave = this.#deps.live.follow(session, () => this.#cut('cut'))
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
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
    if (this.#over) return
    this.#outcome = 'sent'
    if (!this.#res.writableEnded) this.#res.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over || this.#cutOff || this.#outcome === 'sent') return
    if (this.#mayRetry(error)) {
      this.#retried = true
      this.#controller = undefined
      // Not within the closing of the connection that failed, which is still being cleared away.
      process.nextTick(() => this.#dispatch())
      return
    }
    if (this.#res.headersSent) this.#cut('cut')
    else this.#answerProblem(error)
  }

  #mayRetry(error: Error): boolean {
    const { method, body } = this.#request
    const code = errorCode(error)
    return (
      this.#reused &&
      !this.#retried &&
      !this.#touched &&
      body === null &&
      (method === 'GET' || method === 'HEAD') &&
      (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
    )
  }

  #answerProblem(error: Error): void {
    this.#outcome = 'problem'
    const connected = this.#controller !== undefined
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

  #closed(): void {
    if (this.#over) return
    this.#over = true
    if (this.#watched) this.#deps.stalls.remove(this)
    this.#leave?.()
    // NOTE: an error costs a stack trace, so none is made where the exchange is whole.
    if (this.#outcome !== 'sent') this.#controller?.abort(new ClientGone())
    else if (!this.#res.writableFinished) this.#outcome = 'client_gone'
    if (this.#outcome !== 'sent') this.#dropBody()
    this.#plan.onDone?.({
      outcome: this.#outcome,
      status: this.#status,
      bytes: this.#bytes,
      waited: this.#waited,
    })
  }

  moved(): number {
    return this.#bytes + this.#drains - this.#res.writableLength
  }

  waitsFor(): 'client' | 'app' | 'nobody' {
    if (this.#paused || this.#res.writableEnded) return 'client'
    return this.#length < 0 ? 'nobody' : 'app'
  }

  stalled(): void {
    this.#cut(this.waitsFor() === 'client' ? 'client_gone' : 'cut')
    this.#controller?.abort(new Stalled())
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
