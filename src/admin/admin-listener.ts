import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sendAnswer } from '../http/answer.ts'
import { AppError } from '../lib/app-error.ts'
import { SECOND } from '../lib/duration.ts'
import type { AdminRequests } from './admin-requests.ts'

/** The operator's listener, while it is up. */
export type AdminListener = {
  /** e.g. `http://127.0.0.1:9464` */
  readonly url: string
  /** Ends every connection. */
  readonly close: () => Promise<void>
}

/** Few ask, and each of them little. */
const MAX_CONNECTIONS = 64

/** @throws AppError `listen_failed` */
export async function listenForAdmin(
  requests: AdminRequests,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AdminListener> {
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5 * SECOND,
      requestTimeout: 10 * SECOND,
      keepAliveTimeout: 75 * SECOND,
      connectionsCheckingInterval: SECOND,
      insecureHTTPParser: false,
    },
    (req, res) => {
      // No request here has a body that anybody wants.
      if (!req.complete) res.shouldKeepAlive = false
      req.resume()
      const request = { method: req.method ?? '', target: req.url ?? '', headers: req.rawHeaders }
      requests(request).then(
        (answer) => sendAnswer(res, answer, req.method),
        () => res.destroy(),
      )
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  server.on('clientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === 'EADDRINUSE' ? 'something else listens there already' : cause.message
      const text = `Cannot listen on ${host}:${port} (listen.admin): ${reason}.`
      reject(new AppError('listen_failed', text, { cause }))
    })
    server.listen({ host, port }, resolve)
  })
  const address = server.address() as AddressInfo
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${shown}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
