import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { Secret } from '../../src/lib/secret.ts'
import type { UpstreamOptions } from '../../src/proxy/upstreams.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'
import { selfSigned } from './certificate.ts'
import {
  bodyOf,
  head,
  listen,
  rawClient,
  startApp,
  startPlainApp,
  startProxy,
  talk,
} from './wire.ts'

const GET = head('GET /', 'Connection: close')

function answer(text: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}

function urls(...apps: readonly { readonly port: number }[]): UpstreamOptions['urls'] {
  const [first = '', ...others] = apps.map(({ port }) => `http://127.0.0.1:${port}`)
  return [first, ...others]
}

/** A port that refuses connections, and keeps doing so. */
async function closedPort(): Promise<{ readonly port: number }> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return { port }
}

t.test('forward() tries the next place when no connection comes about, body and all', async (t) => {
  const bodies: string[] = []
  const app = await startApp(t, async ({ until, send, received, socket }) => {
    await until('!')
    bodies.push(bodyOf(received()))
    send(answer('there'))
    socket.end()
  })
  const upstream = { urls: urls(await closedPort(), await closedPort(), app), policy: 'first' }
  const proxy = await startProxy(t, { app: { upstream: upstream as UpstreamOptions } })
  const sent = `${head('POST /', 'Content-Length: 6', 'Connection: close')}hello!`
  t.equal(bodyOf(await talk(t, proxy.port, sent)), 'there')
  const chunked = `${head('POST /', 'Transfer-Encoding: chunked', 'Connection: close')}6\r\nhello!\r\n0\r\n\r\n`
  t.equal(bodyOf(await talk(t, proxy.port, chunked)), 'there')
  t.strictSame(bodies, ['hello!', 'hello!'])
  t.strictSame(proxy.problems, [])
  t.match(proxy.changes.join(), /down,.* down$/)
})

t.test('forward() sends nothing twice: a place that broke off is not replaced (D16)', async (t) => {
  const breaking = await startApp(t, async ({ until, socket }) => {
    await until('\r\n\r\n')
    socket.destroy()
  })
  const other = await startPlainApp(t, answer('other'))
  const upstream = { urls: urls(breaking, other), policy: 'first' } as const
  const proxy = await startProxy(t, { app: { upstream } })
  for (const request of [
    GET,
    `${head('POST /', 'Content-Length: 5', 'Connection: close')}hello`,
    `${head('PUT /', 'Content-Length: 0', 'Connection: close')}`,
  ]) {
    t.match(await talk(t, proxy.port, request), /^HTTP\/1\.1 502/)
  }
  t.equal(breaking.connections.length, 3)
  t.strictSame(other.heads, [])
})

t.test('forward() tries one place when all are known to be down, and then says so', async (t) => {
  const clock = fakeClock(Date.UTC(2026, 0, 1))
  const [a, b] = [await closedPort(), await closedPort()]
  const upstream = { urls: urls(a, b), policy: 'first' } as const
  const proxy = await startProxy(t, { app: { upstream }, clock })
  for (let i = 0; i < 3; i++) t.equal(bodyOf(await talk(t, proxy.port, GET)), 'unreachable')
  const server = createServer((socket) => {
    socket.on('data', () => socket.write(answer('back'))).on('error', () => {})
  })
  t.teardown(() => server.close())
  server.listen(a.port, '127.0.0.1')
  await once(server, 'listening')
  t.equal(bodyOf(await talk(t, proxy.port, GET)), 'back')
  t.equal(proxy.changes.at(-1), `http://127.0.0.1:${a.port} up`)
})

t.test('forward() goes round among places, each connection kept to its own', async (t) => {
  const apps = await Promise.all(['a', 'b', 'c'].map((name) => startPlainApp(t, answer(name))))
  const upstream = { urls: urls(...apps), policy: 'round_robin' } as const
  const proxy = await startProxy(t, { app: { upstream } })
  let seen = ''
  for (let i = 0; i < 6; i++) seen += bodyOf(await talk(t, proxy.port, GET))
  t.equal(seen, 'abcabc')
  t.strictSame(
    apps.map(({ connections }) => connections.length),
    [1, 1, 1],
  )
})

t.test('a place whose health check fails gets no requests until it is well again', async (t) => {
  let well = false
  const checks: string[] = []
  const sick = await startPlainApp(t, (text) => {
    if (!text.startsWith('GET /healthz?full=1 ')) return answer('first')
    checks.push(text)
    return well ? answer('ok') : 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'
  })
  const other = await startPlainApp(t, answer('other'))
  const upstream: UpstreamOptions = {
    urls: urls(sick, other),
    policy: 'first',
    health: { path: '/healthz?full=1', every: 20, timeout: 10_000 },
  }
  const proxy = await startProxy(t, { app: { upstream } })
  const until = async (change: string) => {
    while (proxy.changes.at(-1) !== change) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await until(`http://127.0.0.1:${sick.port} down`)
  t.equal(bodyOf(await talk(t, proxy.port, GET)), 'other')
  well = true
  await until(`http://127.0.0.1:${sick.port} up`)
  t.equal(bodyOf(await talk(t, proxy.port, GET)), 'first')
  t.match(checks[0], /\r\nhost: 127\.0\.0\.1:\d+\r\n/i)
})

t.test(
  'a health check that is not answered in time, or with an endless body, is settled',
  async (t) => {
    const silent = await startApp(t, () => {})
    const endless = await startApp(t, async ({ until, send }) => {
      await until('\r\n\r\n')
      send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    })
    const upstream: UpstreamOptions = {
      urls: urls(silent, endless),
      policy: 'first',
      health: { path: '/', every: 50, timeout: 100 },
    }
    const proxy = await startProxy(t, { app: { upstream } })
    while (proxy.changes.length === 0 || endless.connections.length < 3) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    t.strictSame(proxy.changes, [`http://127.0.0.1:${silent.port} down`])
    const [first] = endless.connections
    if (first?.socket.destroyed === false) await once(first.socket, 'close')
  },
)

t.test('a WebSocket goes to the next place too, and to a Unix socket', async (t) => {
  const dir = tempDir()
  t.teardown(dir.remove)
  const path = dir.at('app.sock')
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  const { createServer: createHttpServer } = await import('node:http')
  const http = createHttpServer((req, res) => res.end(`unix ${req.headers.host}`))
  http.on('upgrade', (req, socket, rest) =>
    sockets.handleUpgrade(req, socket, rest, (open) => {
      open.on('message', (data) => open.send(data))
    }),
  )
  http.listen(path)
  await once(http, 'listening')
  t.teardown(() => {
    for (const open of sockets.clients) open.terminate()
    http.closeAllConnections()
    http.close()
    server.close()
  })
  const [closed] = urls(await closedPort())
  const upstream: UpstreamOptions = { urls: [closed, `unix:${path}`], policy: 'first' }
  const proxy = await startProxy(t, { app: { upstream } })
  const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`)
  await once(client, 'open')
  client.send('bonjour')
  t.equal(String((await once(client, 'message'))[0]), 'bonjour')
  client.close()
  await once(client, 'close')
  t.strictSame(proxy.changes, [`${closed} down`])
  t.equal(bodyOf(await talk(t, proxy.port, GET)), 'unix wiki.example.fr')

  const gone: UpstreamOptions = { urls: [`unix:${dir.at('none.sock')}`], policy: 'first' }
  const nothing = await startProxy(t, { app: { upstream: gone } })
  t.equal(bodyOf(await talk(t, nothing.port, GET)), 'unreachable')
})

/** An app over TLS that tells who asks; `ca`: it wants a certificate that this one signed. */
async function startTlsApp(t: Test, certificate: object, ca?: string): Promise<number> {
  const mutual = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }
  const server = createTlsServer({ ...certificate, ...mutual }, (req, res) => {
    // The connections of a TLS server are such sockets.
    const socket = req.socket as TLSSocket
    const { subject } = socket.getPeerCertificate()
    res.end(`sni=${socket.servername} by=${subject?.CN}`)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // A listening TCP server has such an address.
  return (server.address() as AddressInfo).port
}

t.test('an https app is held to the configured name, and shown our certificate', async (t) => {
  const app = selfSigned('app.internal')
  const us = selfSigned('sallyport')
  const port = await startTlsApp(t, app, us.cert)
  const at = async (tls: NonNullable<UpstreamOptions['tls']>) => {
    const upstream: UpstreamOptions = { urls: [`https://127.0.0.1:${port}`], policy: 'first', tls }
    const proxy = await startProxy(t, { app: { upstream } })
    return bodyOf(await talk(t, proxy.port, GET))
  }
  const ours = { certificate: us.cert, key: new Secret(us.key) }
  const right = { ca: app.cert, serverName: 'app.internal' }
  t.equal(await at({ ...right, ...ours }), 'sni=app.internal by=sallyport')
  t.equal(await at({ ...right, ...ours, serverName: 'other.internal' }), 'unreachable')
  t.equal(await at({ ca: app.cert, ...ours }), 'unreachable', 'the address is not in it')
  t.equal(await at({ ...ours, serverName: 'app.internal' }), 'unreachable', 'unknown issuer')
  t.match(await at(right), /^(unreachable|broken)$/, 'without our certificate')
})

t.test('one that is stopped while places are being tried leaves nothing behind', async (t) => {
  const upstream = { urls: urls(await closedPort(), await closedPort()), policy: 'first' } as const
  const proxy = await startProxy(t, { app: { upstream } })
  const client = await rawClient(t, proxy.port)
  client.send(`${head('POST /', 'Content-Length: 9')}half`)
  client.socket.destroy()
  const [stats] = await proxy.whenDone()
  t.match(stats?.outcome, /client_gone|problem/)
})
