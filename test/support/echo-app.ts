import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'

/** A request as it reached the app. */
export type RecordedRequest = {
  readonly method: string
  /** Request target, undecoded. */
  readonly url: string
  readonly httpVersion: string
  /** Name, value, name, value…, as sent. */
  readonly rawHeaders: readonly string[]
  /** Values sent under this name, whatever its case. */
  readonly all: (name: string) => readonly string[]
  /** First 64 KiB, as UTF-8. */
  readonly body: string
  readonly bodyLength: number
  /** SHA-256 of the whole body, hexadecimal. */
  readonly bodyHash: string
  /** The body ended as it should; `false` when the connection broke first. */
  readonly complete: boolean
  readonly upgrade: boolean
}

export type EchoApp = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Every request that came, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** The newest request; throws when none came. */
  readonly last: () => RecordedRequest
  readonly reset: () => void
  /** How many connections are open. */
  readonly connections: () => Promise<number>
  /** Requests whose client went away before the answer was complete. */
  readonly aborted: () => number
  readonly close: () => Promise<void>
}

/**
 * An app that answers every request with a JSON copy of it, and on some paths otherwise:
 * `/status/N` answers N · `/set?name=value` answers with those headers (repeatable) ·
 * `/sse?n=3&every=10` sends n events · `/slow?ms=500` waits first · `/stall` sends headers and half
 * a body, then nothing · `/large?bytes=N` sends N bytes · `/cut` breaks the connection mid-body ·
 * `/drop` breaks it before any answer. A WebSocket on any path echoes; `/ws-refuse` answers 403,
 * `/ws-close?code=N` closes with that code.
 */
export async function startEchoApp(): Promise<EchoApp> {
  const requests: RecordedRequest[] = []
  let aborted = 0
  const server = createServer((request, response) => {
    response.once('close', () => {
      if (!response.writableFinished) aborted += 1
    })
    answer(request, response, requests).catch(() => response.destroy())
  })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://app')
    requests.push({ ...describe(request, Buffer.alloc(0), true), upgrade: true })
    socket.on('error', () => socket.destroy())
    if (url.pathname === '/ws-refuse') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\nConnection: close\r\n\r\nrefused')
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => echo(client, url))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')

  const close = async (): Promise<void> => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    requests,
    last: () => {
      const request = requests.at(-1)
      if (request === undefined) throw new Error('no request reached the app')
      return request
    },
    reset: () => {
      requests.length = 0
      aborted = 0
    },
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    aborted: () => aborted,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  requests: RecordedRequest[],
): Promise<void> {
  const hash = createHash('sha256')
  const kept: Buffer[] = []
  let length = 0
  let complete = true
  try {
    for await (const chunk of request) {
      if (length < 65_536) kept.push(chunk)
      hash.update(chunk)
      length += chunk.length
    }
  } catch {
    complete = false
  }
  const recorded = {
    ...describe(request, Buffer.concat(kept), complete),
    bodyLength: length,
    bodyHash: hash.digest('hex'),
  }
  requests.push(recorded)
  const url = new URL(request.url ?? '/', 'http://app')
  const number = (name: string, fallback: number): number =>
    Number(url.searchParams.get(name) ?? fallback)
  const [, route = '', argument = ''] = url.pathname.split('/')
  const json = JSON.stringify(recorded)

  switch (route) {
    case 'status':
      response.writeHead(Number(argument), { 'content-type': 'application/json' })
      response.end(json)
      return
    case 'set':
      for (const [name, value] of url.searchParams) response.appendHeader(name, value)
      response.end(json)
      return
    case 'sse': {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.flushHeaders()
      for (let n = 1; n <= number('n', 3) && !response.destroyed; n += 1) {
        response.write(`id: ${n}\ndata: event ${n}\n\n`)
        await delay(number('every', 10))
      }
      response.end()
      return
    }
    case 'slow':
      await delay(number('ms', 500))
      response.end(json)
      return
    case 'stall':
      response.writeHead(200, { 'content-length': '10' })
      response.write('12345')
      return
    case 'large': {
      const bytes = number('bytes', 1_048_576)
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': bytes,
      })
      await sendBytes(response, bytes)
      return
    }
    case 'cut':
      response.writeHead(200, { 'content-length': '1000' })
      response.write('half of it', () => response.destroy())
      return
    case 'drop':
      response.destroy()
      return
    default:
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(json)
  }
}

function describe(request: IncomingMessage, body: Buffer, complete: boolean): RecordedRequest {
  const { rawHeaders } = request
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    httpVersion: request.httpVersion,
    rawHeaders,
    all: (name) =>
      rawHeaders.filter(
        (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase(),
      ),
    body: body.toString('utf8'),
    bodyLength: body.length,
    bodyHash: createHash('sha256').update(body).digest('hex'),
    complete,
    upgrade: false,
  }
}

async function sendBytes(response: ServerResponse, bytes: number): Promise<void> {
  const block = Buffer.alloc(65_536, 'x')
  for (let left = bytes; left > 0 && !response.destroyed; left -= block.length) {
    const sent = response.write(left < block.length ? block.subarray(0, left) : block)
    if (!sent) await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  response.end()
}

function echo(client: WebSocket, url: URL): void {
  client.on('error', () => client.terminate())
  if (url.pathname === '/ws-close') {
    client.close(Number(url.searchParams.get('code') ?? 1000))
    return
  }
  client.on('message', (data, binary) => client.send(data, { binary }))
}
