import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { head, listen, rawClient, startApp, startProxy } from './wire.ts'

/**
 * Why the data plane is not built on `http-proxy` or its descendants: docs/decisions/0002. The
 * packages are no dependency; the environment's `HTTP_PROXY_PACKAGE` names a folder in which
 * they are installed.
 */
const FOLDER = process.env['HTTP_PROXY_PACKAGE']
const PACKAGES = ['http-proxy', 'http-proxy-3', 'httpxy'] as const

type Observed = {
  /** The requests an app counts that reads the bytes by the framing fields it is sent. */
  readonly requests: readonly string[]
  /** What the client sees when the app breaks off in the middle of an answer. */
  readonly cut: 'seen' | 'hangs'
  /** Whether a field that the client's `Connection` nominates reaches the app. */
  readonly nominated: 'passed on' | 'removed'
}

/** What each did when it was looked at; another version may have become better. */
const OBSERVED: Readonly<Record<string, Observed>> = {
  'http-proxy@1.18.1': {
    requests: ['DELETE /x', 'GET /admin'],
    cut: 'hangs',
    nominated: 'passed on',
  },
  'http-proxy-3@2.0.1': {
    requests: ['DELETE /x', 'GET /admin'],
    cut: 'hangs',
    nominated: 'passed on',
  },
  'httpxy@0.5.6': { requests: ['DELETE /x'], cut: 'seen', nominated: 'passed on' },
}

for (const name of PACKAGES) {
  const found = resolve(name)
  t.test(
    `${name} does what docs/decisions/0002 says`,
    { skip: found ? false : 'HTTP_PROXY_PACKAGE does not name a folder that has it' },
    async (t) => {
      if (found === undefined) return
      const observed = await observe(t, (port) => startPackage(t, found.entry, port))
      t.comment(`${name}@${found.version}: ${JSON.stringify(observed)}`)
      const expected = OBSERVED[`${name}@${found.version}`]
      if (expected === undefined) t.comment('not the version that was looked at')
      else t.strictSame(observed, expected)
    },
  )
}

t.test('forward() does none of it', async (t) => {
  const observed = await observe(t, async (port) => (await startProxy(t, { app: { port } })).port)
  t.strictSame(observed, { requests: ['DELETE /x'], cut: 'seen', nominated: 'removed' })
})

async function observe(t: Test, start: (port: number) => Promise<number>): Promise<Observed> {
  const smuggled = 'GET /admin HTTP/1.1\r\nHost: wiki.example.fr\r\n\r\n'
  const deleted = await startApp(t, () => {})
  const client = await rawClient(t, await start(deleted.port))
  const fields = ['Transfer-Encoding: chunked', 'Connection: keep-alive, X-Secret', 'X-Secret: 1']
  const size = smuggled.length.toString(16)
  client.send(`${head('DELETE /x', ...fields)}${size}\r\n${smuggled}\r\n0\r\n\r\n`)
  while (deleted.connections.length === 0) await new Promise(setImmediate)
  const [connection] = deleted.connections
  await connection?.until('GET /admin')
  const received = connection?.received() ?? ''
  t.comment(JSON.stringify(received))

  const cutting = await startApp(t, async ({ until, send }) => {
    await until('\r\n\r\n')
    send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
  })
  const reader = await rawClient(t, await start(cutting.port))
  reader.send(head('GET /'))
  await reader.until('hello')
  cutting.connections[0]?.socket.destroy()
  const cut = await Promise.race([
    reader.ended.then(() => 'seen' as const),
    new Promise<'hangs'>((resolve) => setTimeout(resolve, 2_000, 'hangs')),
  ])
  return {
    requests: requestsIn(received),
    cut,
    nominated: /^x-secret:/im.test(received) ? 'passed on' : 'removed',
  }
}

/** Reads bytes as an app does (RFC 9112 6.3): the first line of each request in them. */
function requestsIn(bytes: string): string[] {
  const requests: string[] = []
  for (let rest = bytes; rest.includes('\r\n\r\n'); ) {
    const end = rest.indexOf('\r\n\r\n') + 4
    const fields = rest.slice(0, end)
    requests.push(fields.split(' ').slice(0, 2).join(' '))
    rest = rest.slice(end)
    if (/^transfer-encoding: *chunked/im.test(fields))
      rest = rest.slice(rest.indexOf('0\r\n\r\n') + 5)
    else rest = rest.slice(Number(/^content-length: *(\d+)/im.exec(fields)?.[1] ?? 0))
  }
  return requests
}

function resolve(name: string): { entry: string; version: string } | undefined {
  if (FOLDER === undefined) return undefined
  const require = createRequire(join(FOLDER, 'package.json'))
  try {
    const [root] = require.resolve.paths(name) ?? []
    const manifest: unknown = require(join(root ?? '', name, 'package.json'))
    if (typeof manifest !== 'object' || manifest === null || !('version' in manifest))
      return undefined
    return { entry: require.resolve(name), version: String(manifest.version) }
  } catch {
    return undefined
  }
}

type PackageProxy = {
  readonly web: (
    req: IncomingMessage,
    res: ServerResponse,
    options: object,
    onError?: () => void,
  ) => unknown
  readonly on: (event: 'error', listener: () => void) => void
}
type Package = { readonly createProxyServer: (options: object) => PackageProxy }

async function startPackage(t: Test, entry: string, port: number): Promise<number> {
  const loaded: { default?: Package } & Package = await import(pathToFileURL(entry).href)
  const create = loaded.createProxyServer ?? loaded.default?.createProxyServer
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const proxy = create({ target: `http://127.0.0.1:${port}`, agent })
  proxy.on('error', () => {})
  const server = createServer((req, res) => {
    void Promise.resolve(proxy.web(req, res, {})).catch(() => res.destroy())
  })
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return listen(server)
}
