import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import { isOwnCookie } from '../../src/http/cookies.ts'
import { expectContinue } from '../../src/http/expect-continue.ts'
import { firstHeader } from '../../src/http/raw-headers.ts'
import { type HeaderPair, identityHeaders } from '../../src/identity/identity-headers.ts'
import type { Principal, SessionId } from '../../src/identity/principal.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { Secret } from '../../src/lib/secret.ts'
import { createForwarder, type ForwardPlan, type ForwardStats } from '../../src/proxy/forward.ts'
import { createLiveConnections } from '../../src/proxy/live-connections.ts'
import { createRequestHeaders } from '../../src/proxy/request-headers.ts'
import { createResponseHeaders } from '../../src/proxy/response-headers.ts'
import { createStallWatch } from '../../src/proxy/stall-watch.ts'
import { createUpgrader } from '../../src/proxy/upgrade.ts'
import {
  createUpstreams,
  type UpstreamOptions,
  type UpstreamSet,
  type Upstreams,
  type UpstreamTimeouts,
} from '../../src/proxy/upstreams.ts'
import { asksForWebSocket } from '../../src/proxy/websocket-request.ts'

/** The proxy under test between clients and apps that say exactly the bytes a test wants. */

export const NAMES = {
  user: 'Remote-User',
  groups: 'Remote-Groups',
  name: 'Remote-Name',
  email: 'Remote-Email',
} as const

/** One connection to an app whose every byte the test sees and sends. */
export type AppConnection = {
  readonly socket: Socket
  /** Everything received so far, Latin-1. */
  readonly received: () => string
  readonly send: (bytes: string | Buffer) => void
  /** Resolves when `received` contains the text. */
  readonly until: (text: string) => Promise<void>
}

export type App = { readonly port: number; readonly connections: AppConnection[] }

/** An app made of bytes. `serve` is called for each connection; its failures end the connection. */
export async function startApp(
  t: Test,
  serve: (connection: AppConnection, count: number) => unknown,
): Promise<App> {
  const connections: AppConnection[] = []
  const server = createServer((socket) => {
    const connection = watch(socket)
    connections.push(connection)
    void (async () => serve(connection, connections.length))().catch(() => socket.destroy())
  })
  t.teardown(() => {
    for (const { socket } of connections) socket.destroy()
    server.close()
  })
  return { port: await listen(server), connections }
}

/** An app that gives every request (head complete) the same answer and keeps the connection. */
export async function startPlainApp(
  t: Test,
  answer: string | ((head: string, count: number) => string),
): Promise<App & { readonly heads: string[] }> {
  const heads: string[] = []
  const app = await startApp(t, ({ socket }) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        heads.push(text.slice(0, end + 2))
        text = text.slice(end + 4)
        const said = typeof answer === 'string' ? answer : answer(heads.at(-1) ?? '', heads.length)
        socket.write(said, 'latin1')
      }
    })
  })
  return { ...app, heads }
}

/** A client made of bytes. */
export type RawClient = {
  readonly socket: Socket
  readonly text: () => string
  readonly send: (bytes: string | Buffer) => void
  readonly until: (text: string | RegExp) => Promise<string>
  /** How the connection ended: `end` in good order, else the error's code. */
  readonly ended: Promise<string>
}

export async function rawClient(t: Test, port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  t.teardown(() => socket.destroy())
  const { received, send } = watch(socket)
  const ended = new Promise<string>((resolve) => {
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    socket.on('end', () => resolve('end'))
    socket.on('close', () => resolve('close'))
  })
  await once(socket, 'connect')
  return {
    socket,
    text: received,
    send,
    ended,
    until: async (text) => {
      const found = () =>
        typeof text === 'string' ? received().includes(text) : text.test(received())
      while (!found()) await changed(socket, String(text))
      return received()
    },
  }
}

/** Sends the bytes and gives everything that came until the connection ended. */
export async function talk(t: Test, port: number, bytes: string): Promise<string> {
  const client = await rawClient(t, port)
  client.send(bytes)
  await client.ended
  return client.text()
}

export type Proxy = {
  readonly port: number
  readonly done: ForwardStats[]
  readonly problems: string[]
  readonly live: ReturnType<typeof createLiveConnections>
  readonly upstreams: Upstreams
  readonly places: UpstreamSet
  /** `URL up` or `URL down`, as it became known. */
  readonly changes: readonly string[]
  /** The first request has arrived; its client has left. */
  readonly arrived: Promise<void>
  readonly left: Promise<void>
  /** Resolves with what was read from clients so far, once nothing more is. */
  readonly whenHeldBack: () => Promise<number>
  /** All that is done, once it is so many. */
  readonly whenUpgradesDone: (count?: number) => Promise<readonly number[]>
  readonly whenDone: (count?: number) => Promise<readonly ForwardStats[]>
}

export type ProxyOptions = {
  readonly app:
    | { readonly port: number }
    | { readonly origin: string }
    | { readonly upstream: UpstreamOptions }
  readonly principal?: Principal
  /** The same, of each request. */
  readonly principalOf?: (req: IncomingMessage) => Principal | undefined
  readonly session?: SessionId
  readonly requestHeaders?: ReadonlyMap<string, Secret<string>>
  readonly dress?: ForwardPlan['dress']
  readonly timeouts?: Partial<UpstreamTimeouts>
  /** Of the upstreams alone. */
  readonly clock?: Clock
  readonly stalls?: { readonly client?: number; readonly app?: number }
  readonly perSession?: number
  readonly perAddress?: number
  readonly ca?: string
  readonly identity?: readonly HeaderPair[]
  /** What a request waits for before it is forwarded, as it does for its session. */
  readonly hold?: () => Promise<void>
}

/** A listener that lets every request through to the app. */
export async function startProxy(t: Test, options: ProxyOptions): Promise<Proxy> {
  const changes: string[] = []
  const upstreams = createUpstreams({
    clock: options.clock ?? systemClock,
    onChange: (url, up) => changes.push(`${url} ${up ? 'up' : 'down'}`),
  })
  const live = createLiveConnections({
    perSession: options.perSession ?? 100,
    perAddress: options.perAddress ?? 200,
  })
  const responseHeaders = createResponseHeaders({ isOwnCookie })
  const forward = createForwarder({
    clock: systemClock,
    responseHeaders,
    live,
    stalls: createStallWatch(options.stalls),
  })
  const upgrade = createUpgrader({ responseHeaders, live })
  const timeouts = { connect: 2_000, firstByte: 10_000, ...options.timeouts }
  const places = upstreams.get(optionsOf(options), timeouts)
  const headers = createRequestHeaders({
    identity: NAMES,
    requestHeaders: options.requestHeaders ?? new Map(),
    isOwnCookie,
  })
  const done: ForwardStats[] = []
  const problems: string[] = []
  const upgradesDone: number[] = []
  const waiting = new Set<() => void>()
  const arrived = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const tell = <T>(list: T[], item: T) => {
    list.push(item)
    for (const wake of waiting) wake()
  }
  const atLeast = async <T>(list: T[], count: number): Promise<readonly T[]> => {
    while (list.length < count) await new Promise<void>((resolve) => waiting.add(resolve))
    return list
  }
  const plan = (req: IncomingMessage) => ({
    upstreams: places,
    headers,
    path: req.url ?? '/',
    context: {
      address: '192.0.2.7',
      scheme: 'https' as const,
      host: firstHeader(req.rawHeaders, 'host') ?? '',
      requestId: '7F3K-2Q9D',
      ours: false,
      identity:
        options.identity ?? identityHeaders(options.principalOf?.(req) ?? options.principal, NAMES),
    },
    ...(options.dress === undefined ? {} : { dress: options.dress }),
    ...(options.session === undefined ? {} : { holder: options.session }),
    onProblem: (kind: string, _error: unknown, res: ServerResponse) => {
      problems.push(kind)
      res.writeHead(kind === 'timeout' ? 504 : 502, ['Content-Length', String(kind.length)])
      res.end(kind)
    },
  })
  const serve = async (req: IncomingMessage, res: ServerResponse) => {
    arrived.resolve()
    await options.hold?.()
    forward(req, res, {
      ...plan(req),
      onDone: (stats) => tell(done, stats),
    })
  }
  const server = createHttpServer({ shouldUpgradeCallback: asksForWebSocket }, serve)
  server.on('checkContinue', (req, res) => {
    expectContinue(req, res)
    void serve(req, res)
  })
  const sockets: Socket[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('close', () => left.resolve())
  })
  server.on('upgrade', (req, _socket, head) =>
    upgrade(req, head, {
      ...plan(req),
      address: '192.0.2.7',
      onDone: ({ status }) => tell(upgradesDone, status),
    }),
  )
  t.teardown(async () => {
    server.closeAllConnections()
    live.closeAll()
    server.close()
    await upstreams.destroy()
  })
  return {
    port: await listen(server),
    done,
    problems,
    live,
    upstreams,
    places,
    changes,
    arrived: arrived.promise,
    left: left.promise,
    whenHeldBack: async () => {
      const read = () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
      let before = -1
      while (before !== read()) {
        before = read()
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
      return before
    },
    whenDone: (count = 1) => atLeast(done, count),
    whenUpgradesDone: (count = 1) => atLeast(upgradesDone, count),
  }
}

function optionsOf({ app, ca }: ProxyOptions): UpstreamOptions {
  if ('upstream' in app) return app.upstream
  const url = 'origin' in app ? app.origin : `http://127.0.0.1:${app.port}`
  return { urls: [url], policy: 'first', ...(ca === undefined ? {} : { tls: { ca } }) }
}

/** A request head with the usual `Host`, closing unless told. */
export function head(line: string, ...fields: string[]): string {
  return [`${line} HTTP/1.1`, 'Host: wiki.example.fr', ...fields, '', ''].join('\r\n')
}

/** The values of a field in a head, whatever the case of its name. */
export function valuesOf(message: string, name: string): string[] {
  const values: string[] = []
  for (const line of (message.split('\r\n\r\n', 1)[0] ?? '').split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    if (line.slice(0, colon).toLowerCase() === name.toLowerCase()) {
      values.push(line.slice(colon + 1).trim())
    }
  }
  return values
}

/** The bytes of a message's body, chunks joined when it is chunked. */
export function bodyOf(message: string): string {
  const start = message.indexOf('\r\n\r\n') + 4
  const body = message.slice(start)
  if (!valuesOf(message, 'transfer-encoding').includes('chunked')) return body
  let joined = ''
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.slice(at, end), 16)
    if (!(size > 0)) break
    joined += body.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
  return joined
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server has such an address.
  return (server.address() as AddressInfo).port
}

function watch(socket: Socket): AppConnection {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  const received = () => Buffer.concat(chunks).toString('latin1')
  return {
    socket,
    received,
    send: (bytes) => {
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    },
    until: async (text) => {
      while (!received().includes(text)) await changed(socket, text)
    },
  }
}

async function changed(socket: Socket, text: string): Promise<void> {
  if (socket.destroyed || socket.readableEnded) throw new Error(`ended before ${text}`)
  await new Promise<void>((resolve) => {
    const wake = () => {
      socket.off('data', wake).off('close', wake).off('end', wake)
      resolve()
    }
    socket.on('data', wake).on('close', wake).on('end', wake)
  })
}
