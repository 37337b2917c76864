import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { sendAnswer } from './http/answer.ts'
import { expectContinue } from './http/expect-continue.ts'
import { AppError } from './lib/app-error.ts'
import { SECOND } from './lib/duration.ts'
import type { NetworkSet } from './lib/network.ts'
import { type ConnectionLimits, createAdmission } from './listen/admission.ts'
import type { CertificateNews, CertificateOptions } from './listen/certificates.ts'
import { createEntrance, type Entrance } from './listen/entrance.ts'
import type { HttpsOnly } from './listen/https-only.ts'
import { type ListenAddress, listenUrl, type TcpAddress } from './listen/listen-address.ts'
import type { Refusal } from './listen/refusals.ts'
import { listenOnSocket } from './listen/unix-socket.ts'
import type { Pipeline } from './pipeline.ts'
import { discardRest } from './proxy/request-body.ts'

/** The listeners, while they are up. */
export type Listeners = {
  /** e.g. `http://127.0.0.1:9091`, or `unix:/run/sallyport.sock` */
  readonly http: string
  readonly https?: string
  /**
   * Stops accepting, lets requests under way finish for at most `grace` milliseconds, then cuts
   * what is left. Resolves when every socket is closed.
   */
  readonly drain: (grace: number) => Promise<void>
}

export type ListenDeps = {
  readonly pipeline: Pipeline
  /** Who may send a PROXY header, and is not counted. */
  readonly trusted: NetworkSet
  /** Whether this upgrade is a WebSocket for an app; any other is answered as a plain request. */
  readonly isUpgrade: (req: IncomingMessage) => boolean
  /** Asked first about what comes over plain HTTP; absent: all of it is served. */
  readonly httpsOnly?: HttpsOnly
  readonly refused: (reason: Refusal, address: string) => void
  readonly certificateNews: (news: CertificateNews) => void
}

export type ListenOptions = {
  readonly http: ListenAddress
  readonly https?: TcpAddress & CertificateOptions
  /** Every connection starts with a PROXY header (haproxy.org, versions 1 and 2). */
  readonly proxyProtocol: boolean
  readonly limits: ConnectionLimits
}

const MAX_HEADER_BYTES = 16 * 1024

/** @throws AppError `listen_failed`; nothing listens then */
export async function listen(deps: ListenDeps, options: ListenOptions): Promise<Listeners> {
  const { pipeline, trusted, refused, httpsOnly } = deps
  const { http, https, proxyProtocol } = options
  const admission = createAdmission({ trusted }, options.limits)
  const shared = { admission, trusted, refused }
  // TLS is loaded by those who serve it.
  const tls =
    https === undefined
      ? undefined
      : await (await import('./listen/tls-entry.ts')).createTlsEntry(
          { report: deps.certificateNews },
          https,
        )
  const up: Opened[] = []
  const open = async (
    handlers: Handlers,
    entrance: Entrance,
    address: ListenAddress,
    scheme: 'http' | 'https',
  ): Promise<string> => {
    const one = serverFor(handlers, entrance, refused)
    await start(one.server, address)
    up.push(one)
    return listenUrl(boundTo(one.server, address), scheme)
  }
  try {
    const plain: Handlers = { ...pipeline, isUpgrade: deps.isUpgrade }
    const entrance = createEntrance(shared, { proxyProtocol, isUnix: 'path' in http })
    const handlers = httpsOnly === undefined ? plain : askingFirst(plain, httpsOnly)
    const httpUrl = await open(handlers, entrance, http, 'http')
    const httpsUrl =
      https === undefined || tls === undefined
        ? undefined
        : await open(
            plain,
            createEntrance({ ...shared, tls }, { proxyProtocol, isUnix: false }),
            https,
            'https',
          )
    return {
      http: httpUrl,
      ...(httpsUrl === undefined ? {} : { https: httpsUrl }),
      drain: async (grace) => {
        tls?.close()
        await Promise.all(up.map((one) => drain(one, grace)))
      },
    }
  } catch (error) {
    tls?.close()
    await Promise.all(up.map((one) => drain(one, 0)))
    throw error
  }
}

type Handlers = Pipeline & Pick<ListenDeps, 'isUpgrade'>
type Opened = {
  readonly server: Server
  readonly sockets: ReadonlySet<Socket>
  readonly entrance: Entrance
}

function serverFor(handlers: Handlers, entrance: Entrance, refused: ListenDeps['refused']): Opened {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      // A client that drips its header is cut off after this; checked every second.
      headersTimeout: 10 * SECOND,
      connectionsCheckingInterval: SECOND,
      // NOTE: uploads of any length pass; an app's own limits apply.
      requestTimeout: 0,
      keepAliveTimeout: 75 * SECOND,
      insecureHTTPParser: false,
      joinDuplicateHeaders: false,
      requireHostHeader: true,
      shouldUpgradeCallback: handlers.isUpgrade,
    },
    handlers.request,
  )
  // NOTE: a limit here would drop the excess without a word; the pipeline answers 431 instead.
  server.maxHeadersCount = 0
  server.timeout = 0
  const sockets = new Set<Socket>()
  // What speaks HTTP stands behind the entrance, which hands it connections that are ready for it.
  const [speak] = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    entrance.admit(socket, (ready) => {
      speak?.call(server, ready)
    })
  })
  server.on('upgrade', (req, _socket, head) => handlers.upgrade(req, head))
  server.on('checkContinue', (req, res) => {
    expectContinue(req, res)
    handlers.request(req, res)
  })
  server.on('connect', (_req, socket) => {
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || socket.destroyed) return socket.destroy()
    const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    return
  })
  // A connection that cannot be accepted for want of descriptors is one refused; the next may do.
  server.on('error', () => {
    if (server.listening) refused('no_resources', '')
  })
  return { server, sockets, entrance }
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** What is not served is answered as a plain request, upgrades too, and ends its connection. */
function askingFirst(handlers: Handlers, httpsOnly: HttpsOnly): Handlers {
  return {
    ...handlers,
    isUpgrade: (req) => httpsOnly(req) === undefined && handlers.isUpgrade(req),
    request: (req, res) => {
      const answer = httpsOnly(req)
      if (answer === undefined) return handlers.request(req, res)
      res.shouldKeepAlive = false
      sendAnswer(res, answer, req.method)
      if (!req.complete) discardRest(req)
    },
  }
}

async function start(server: Server, address: ListenAddress): Promise<void> {
  if ('path' in address) {
    try {
      return await listenOnSocket(server, address)
    } catch (cause) {
      throw cause instanceof AppError ? cause : cannotListen(address.path, cause)
    }
  }
  const { host, port } = address
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error) => reject(cannotListen(`${host}:${port}`, cause))
    server.once('error', fail)
    server.listen({ host, port }, () => {
      server.off('error', fail)
      resolve()
    })
  })
}

function cannotListen(where: string, cause: unknown): AppError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const reason =
    code === 'EADDRINUSE'
      ? 'something else listens there already'
      : code === 'EACCES'
        ? 'ports below 1024 need a privilege, sockets a folder that can be written to'
        : cause instanceof Error
          ? cause.message
          : 'unknown error'
  return new AppError('listen_failed', `Cannot listen on ${where}: ${reason}.`, { cause })
}

/** The port is known once the server listens. */
function boundTo(server: Server, address: ListenAddress): ListenAddress {
  if ('path' in address) return address
  // A server that listens on a port has such an address.
  const bound = server.address() as AddressInfo
  return { host: bound.address, port: bound.port }
}

async function drain({ server, sockets, entrance }: Opened, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  entrance.abandon()
  server.closeIdleConnections()
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, grace)
  // Connections that turn idle while draining have nothing left to wait for.
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  await closed
  clearTimeout(cut)
  clearInterval(sweep)
}
