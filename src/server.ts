import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { AppError } from './lib/app-error.ts'
import { MINUTE, SECOND } from './lib/duration.ts'
import type { Pipeline } from './pipeline.ts'

/** A listener that is up. */
export type Listener = {
  readonly host: string
  readonly port: number
  /**
   * Stops accepting, lets requests under way finish for at most `grace` milliseconds, then cuts
   * what is left. Resolves when every socket is closed.
   */
  readonly drain: (grace: number) => Promise<void>
}

export type ListenOptions = {
  readonly host: string
  readonly port: number
  /** Whether this upgrade is a WebSocket for an app; any other is answered as a plain request. */
  readonly isUpgrade: (req: IncomingMessage) => boolean
}

const MAX_HEADER_BYTES = 16 * 1024

/** @throws AppError `listen_failed` */
export async function listen(pipeline: Pipeline, options: ListenOptions): Promise<Listener> {
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
      shouldUpgradeCallback: options.isUpgrade,
    },
    pipeline.request,
  )
  // NOTE: a limit here would drop the excess without a word; the pipeline answers 431 instead.
  server.maxHeadersCount = 0
  server.timeout = 0
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, MINUTE)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (req, _socket, head) => pipeline.upgrade(req, head))
  server.on('connect', (_req, socket) => {
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || socket.destroyed) return socket.destroy()
    const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    return
  })
  await start(server, options)
  const { address, port } = server.address() as AddressInfo
  return { host: address, port, drain: (grace) => drain(server, sockets, grace) }
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function start(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === 'EADDRINUSE'
          ? 'something else listens there already'
          : cause.code === 'EACCES'
            ? 'ports below 1024 need a privilege'
            : cause.message
      reject(
        new AppError('listen_failed', `Cannot listen on ${host}:${port}: ${reason}.`, { cause }),
      )
    })
    server.listen({ host, port }, resolve)
  })
}

async function drain(server: Server, sockets: ReadonlySet<Socket>, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
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
