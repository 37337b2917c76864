import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { singleHeader } from '../http/raw-headers.ts'
import { MINUTE, type Milliseconds } from '../lib/duration.ts'
import type { ForwardPlan } from './forward.ts'
import type { EndReason, LiveConnections } from './live-connections.ts'
import { type ProblemKind, problemOf, TimedOut } from './problem.ts'
import { type ResponseHeaders, writableFields } from './response-headers.ts'
import { type Farewell, type Spliced, splice } from './splice.ts'
import type { Upstream } from './upstreams.ts'
import { acceptFor } from './websocket-request.ts'

/** How a WebSocket handshake that was let through is to be carried out. */
export type UpgradePlan = Omit<ForwardPlan, 'onDone'> & {
  /** Whose it is: it is closed with the session, and counts against what one may have open. */
  readonly holder?: string
  /** The network its client counts as; that too bounds how many it may have open. */
  readonly address: string
  /**
   * Called exactly once, when all is over. `status`: the app's, 101 for a WebSocket that was
   * open; 0 when there was none.
   */
  readonly onDone?: (stats: { readonly status: number }) => void
}

/**
 * Carries a WebSocket handshake to the app and, when both agree, makes one connection of the two.
 * `req` must satisfy `asksForWebSocket` and have been let through, origin included; `head` is
 * what the listener's `upgrade` event gave. Any other answer of the app than a right 101 is
 * passed on as a plain response and never becomes a tunnel.
 */
export type Upgrader = (req: IncomingMessage, head: Buffer, plan: UpgradePlan) => void

export function createUpgrader(deps: {
  readonly responseHeaders: ResponseHeaders
  readonly live: LiveConnections
}): Upgrader {
  return (req, head, plan) => new Upgrading(deps, req, plan).start(head)
}

/**
 * A response on a connection that the listener has given away for an upgrade; the connection is
 * closed after it.
 */
export function upgradeResponse(req: IncomingMessage): ServerResponse {
  const { socket } = req
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.assignSocket(socket)
  res.on('finish', () => socket.destroySoon())
  // Who refuses an upgrade does not want what was sent after it.
  socket.resume()
  return res
}

/** A client waits for the answer to its handshake; what it sends before is kept up to this. */
const MAX_EARLY_BYTES = 65_536
const MAX_HEAD_BYTES = 65_536
/** How long the body of a plain answer may stand still. */
const IDLE: Milliseconds = 2 * MINUTE

/** 4401 is ours, after the status of the same meaning; a page can tell it from a fault. */
const FAREWELLS = {
  session: { code: 4401, reason: 'session ended' },
  address: { code: 4403, reason: 'address refused' },
  shutdown: { code: 1001, reason: 'server is going away' },
} as const satisfies Readonly<Record<EndReason, Farewell>>

class Upgrading {
  readonly #deps: Parameters<typeof createUpgrader>[0]
  readonly #req: IncomingMessage
  readonly #socket: Socket
  readonly #plan: UpgradePlan
  readonly #early: Buffer[] = []
  #earlyBytes = 0
  #request: ClientRequest | undefined
  #app: Socket | undefined
  #spliced: Spliced | undefined
  #timer: NodeJS.Timeout | undefined
  #leave: (() => void) | undefined
  #tried: Set<Upstream> | undefined
  #connected = false
  #settled = false
  #status = 0

  constructor(deps: Parameters<typeof createUpgrader>[0], req: IncomingMessage, plan: UpgradePlan) {
    this.#deps = deps
    this.#req = req
    this.#socket = req.socket
    this.#plan = plan
  }

  start(head: Buffer): void {
    const socket = this.#socket
    const { holder, entry, address } = this.#plan
    if (socket.destroyed) {
      this.#over()
      return
    }
    socket.on('error', ignore)
    socket.on('close', this.#onClientClosed)
    const owner = { address, holder, entry }
    const entered = this.#deps.live.add(owner, (why) => this.#end(why))
    if (entered.kind === 'crowded') {
      this.#problem('crowded', new Error(`too many of one ${entered.by}`))
      return
    }
    this.#leave = entered.leave
    if (head.length > 0) this.#onEarly(head)
    socket.on('data', this.#onEarly)
    socket.on('end', this.#onClientEnd)
    socket.resume()
    try {
      this.#ask(this.#plan.upstreams.pick())
    } catch (error) {
      this.#problem(problemOf(error, false), error)
    }
  }

  #ask(upstream: Upstream): void {
    const { headers, context, path } = this.#plan
    const { protocol, hostname, port, socketPath, tls, timeouts } = upstream
    const secure = protocol === 'https:'
    const request = (secure ? httpsRequest : httpRequest)({
      ...(secure ? { ...tls, ALPNProtocols: ['http/1.1'] } : {}),
      protocol,
      hostname,
      port,
      ...(socketPath === undefined ? {} : { socketPath }),
      path,
      method: 'GET',
      headers: headers.websocket(this.#req.rawHeaders, context),
      setHost: false,
      agent: false,
      maxHeaderSize: MAX_HEAD_BYTES,
    })
    this.#request = request
    this.#wait(timeouts.connect)
    request.on('socket', (app) => {
      app.once(secure ? 'secureConnect' : 'connect', () => {
        this.#connected = true
        upstream.standing.reached()
        this.#wait(timeouts.firstByte)
      })
    })
    request.on('upgrade', (answer, app, head) => this.#upgraded(answer, asSocket(app), head))
    request.on('response', (answer) => this.#answered(answer))
    request.on('error', (error) => {
      if (!this.#connected) this.#elsewhere(upstream, error)
      else this.#problem(problemOf(error, true), error)
    })
    request.end()
  }

  /** No connection came about, so nothing was sent: the next place, where there is one. */
  #elsewhere(upstream: Upstream, error: Error): void {
    if (this.#settled) return
    upstream.standing.unreachable()
    this.#tried ??= new Set()
    const next = this.#plan.upstreams.next(this.#tried.add(upstream))
    if (next === undefined) this.#problem(problemOf(error, false), error)
    else this.#ask(next)
  }

  #wait(limit: Milliseconds): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const error = new TimedOut(`no answer within ${limit} ms`)
      if (this.#connected) this.#problem('timeout', error)
      this.#request?.destroy(error)
    }, limit)
  }

  #upgraded(answer: IncomingMessage, app: Socket, head: Buffer): void {
    app.on('error', ignore)
    if (this.#settled) {
      app.destroy()
      return
    }
    if (!isRightAnswer(this.#req, answer)) {
      app.destroy()
      this.#problem('broken', new Error('a 101 that is no answer to the handshake'))
      return
    }
    this.#settle()
    this.#status = 101
    this.#app = app
    const socket = this.#socket
    socket.off('data', this.#onEarly)
    socket.off('end', this.#onClientEnd)
    socket.off('close', this.#onClientClosed)
    let text = `HTTP/1.1 101 ${STATUS_CODES[101]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
    const list = this.#deps.responseHeaders(answer.rawHeaders, 101)
    for (const [name, value] of writableFields(list)) text += `${name}: ${value}\r\n`
    socket.write(`${text}\r\n`, 'latin1')
    const early = { client: [...this.#early], app: head.length > 0 ? [head] : [] }
    // A WebSocket may be open for days; what the handshake needed is let go of.
    this.#early.length = 0
    this.#request = undefined
    this.#spliced = splice(socket, app, () => this.#over(), early)
  }

  #answered(answer: IncomingMessage): void {
    if (this.#settled) {
      answer.destroy()
      return
    }
    if (answer.statusCode === undefined || answer.statusCode < 200) {
      this.#problem('broken', new Error('a 101 without upgrade'))
      answer.destroy()
      return
    }
    this.#settle()
    this.#status = answer.statusCode
    const list = this.#deps.responseHeaders(answer.rawHeaders, this.#status)
    this.#plan.dress?.(list, this.#status)
    const socket = this.#socket
    const res = this.#response()
    res.writeHead(this.#status, STATUS_CODES[this.#status] ?? '', writableFields(list))
    answer.setTimeout(IDLE, () => answer.destroy())
    answer.on('data', (chunk) => {
      if (!res.write(chunk)) answer.pause()
    })
    socket.on('drain', () => answer.resume())
    answer.on('error', ignore)
    answer.on('close', () => {
      if (answer.complete) res.end()
      else socket.destroy()
    })
  }

  #problem(kind: ProblemKind, error: unknown): void {
    if (this.#settled) return
    this.#settle()
    try {
      this.#plan.onProblem(kind, error, this.#response())
    } catch {
      this.#socket.destroy()
    }
  }

  #response(): ServerResponse {
    this.#socket.off('data', this.#onEarly)
    this.#socket.off('end', this.#onClientEnd)
    return upgradeResponse(this.#req)
  }

  #settle(): void {
    this.#settled = true
    clearTimeout(this.#timer)
  }

  #end(why: EndReason): void {
    if (this.#spliced === undefined) this.#destroy()
    else this.#spliced.end(FAREWELLS[why])
  }

  #destroy(): void {
    this.#request?.destroy()
    this.#app?.destroy()
    this.#socket.destroy()
  }

  readonly #onEarly = (chunk: Buffer): void => {
    this.#early.push(chunk)
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#socket.pause()
  }

  readonly #onClientEnd = (): void => {
    this.#socket.destroy()
  }

  readonly #onClientClosed = (): void => {
    this.#settle()
    this.#request?.destroy()
    this.#over()
  }

  #over(): void {
    this.#leave?.()
    this.#plan.onDone?.({ status: this.#status })
  }
}

/** A 101 to this very handshake; a server that merely passes on a status is no WebSocket. */
function isRightAnswer(req: IncomingMessage, answer: IncomingMessage): boolean {
  const key = singleHeader(req.rawHeaders, 'sec-websocket-key')
  const upgrade = singleHeader(answer.rawHeaders, 'upgrade')
  const accept = singleHeader(answer.rawHeaders, 'sec-websocket-accept')
  return (
    answer.statusCode === 101 &&
    upgrade.kind === 'one' &&
    upgrade.value.toLowerCase() === 'websocket' &&
    key.kind === 'one' &&
    accept.kind === 'one' &&
    accept.value === acceptFor(key.value)
  )
}

/** Node gives the connection that the request was made on, which is a `Socket`. */
function asSocket(stream: unknown): Socket {
  return stream as Socket
}

function ignore(): void {}
