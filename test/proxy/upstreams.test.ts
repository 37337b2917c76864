import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { systemClock } from '../../src/lib/clock.ts'
import { createUpstreams } from '../../src/proxy/upstreams.ts'
import { selfSigned } from './certificate.ts'
import { bodyOf, head, rawClient, startPlainApp, startProxy, talk } from './wire.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** An app over TLS that tells the server name it was asked for, and echoes WebSockets. */
async function startTlsApp(t: Test, certificate: ReturnType<typeof selfSigned>): Promise<number> {
  const server = createServer(certificate, (req, res) => {
    // The connections of a TLS server are such sockets.
    const { servername } = req.socket as TLSSocket
    res.end(`sni=${servername === false ? '' : servername} ${req.headers.host}`)
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
  })
  // A listening TCP server has such an address.
  return (server.address() as AddressInfo).port
}

t.test(
  'an https app is reached when its certificate is for the configured name or address',
  async (t) => {
    const certificate = selfSigned('localhost', '127.0.0.1')
    const port = await startTlsApp(t, certificate)
    for (const [hostname, sni] of [
      ['localhost', 'localhost'],
      ['127.0.0.1', ''],
    ]) {
      const app = { origin: `https://${hostname}:${port}` }
      const proxy = await startProxy(t, { app, ca: certificate.cert })
      for (let i = 0; i < 2; i++) {
        const answer = await talk(t, proxy.port, head('GET /', 'Connection: close'))
        t.equal(bodyOf(answer), `sni=${sni} wiki.example.fr`)
      }
      const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`)
      await once(client, 'open')
      client.send('bonjour')
      t.equal(String((await once(client, 'message'))[0]), 'bonjour')
      client.close()
      await once(client, 'close')
    }
  },
)

t.test(
  'an https app is asked over one connection, whatever the Host of the requests',
  async (t) => {
    const certificate = selfSigned('localhost')
    const port = await startTlsApp(t, certificate)
    const app = { origin: `https://localhost:${port}` }
    const proxy = await startProxy(t, { app, ca: certificate.cert })
    const client = await rawClient(t, proxy.port)
    for (const host of ['a.example.fr', 'b.example.fr', 'a.example.fr']) {
      const before = client.text().length
      client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      while (!client.text().slice(before).includes(`sni=localhost ${host}`)) {
        await once(client.socket, 'data')
      }
    }
    t.equal(proxy.places.pick().opened(), 1)
  },
)

t.test('an https app with any other certificate is unreachable, for WebSockets too', async (t) => {
  const trusted = selfSigned('wiki.example.fr', '127.0.0.9')
  const handshake = head(
    'GET /',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  )
  for (const [what, ca] of [
    // The certificate is for the `Host` of the request, which is the client's to choose.
    ['another name', trusted.cert],
    ['an unknown issuer', undefined],
  ] as const) {
    for (const hostname of ['localhost', '127.0.0.1']) {
      const app = { origin: `https://${hostname}:${await startTlsApp(t, trusted)}` }
      const proxy = await startProxy(t, { app, ...(ca === undefined ? {} : { ca }) })
      const answer = await talk(t, proxy.port, head('GET /', 'Connection: close'))
      t.equal(bodyOf(answer), 'unreachable', `${what}, ${hostname}`)
      t.match(await talk(t, proxy.port, handshake), /unreachable$/, `${what}, ${hostname}`)
    }
  }
})

t.test('an app that accepts no TLS is not reached in the clear', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, {
    app: { origin: `https://127.0.0.1:${app.port}` },
    timeouts: { connect: 200 },
  })
  const answer = await talk(t, proxy.port, head('GET /', 'Connection: close'))
  t.match(bodyOf(answer), /^(unreachable|timeout|broken)$/)
  t.strictSame(app.heads, [])
})

t.test('get() keeps one pool for an origin, and connections are used again', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  for (let i = 1; i <= 5; i++) {
    client.send(head('GET /'))
    while (client.text().split('ok').length <= i) await once(client.socket, 'data')
  }
  t.equal(app.connections.length, 1)
  const origin = `http://127.0.0.1:${app.port}`
  const get = (url: string, connect: number) =>
    proxy.upstreams.get({ urls: [url], policy: 'first' }, { connect, firstByte: 1 }).pick()
  const again = get(origin, 2_000)
  t.equal(again.opened(), 1)
  t.equal(again.timeouts.firstByte, 1)
  t.equal(get(origin, 3_000).opened(), 0)
})

t.test('close() lets what is on its way end and takes no more', async (t) => {
  let answer = () => {}
  const app = await startPlainApp(t, '')
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  while (app.heads.length === 0) await new Promise(setImmediate)
  answer = () => app.connections[0]?.send(OK)
  const closed = proxy.upstreams.close()
  t.equal(bodyOf(await talk(t, proxy.port, head('GET /', 'Connection: close'))), 'unreachable')
  answer()
  await closed
  await client.until('\r\n\r\nok')
})

t.test('get() reads the parts of an origin', async (t) => {
  const upstreams = createUpstreams({ clock: systemClock })
  t.teardown(() => upstreams.destroy())
  const at = (origin: string) => {
    const set = upstreams.get({ urls: [origin], policy: 'first' }, { connect: 1, firstByte: 1 })
    const { protocol, hostname, port, tls } = set.pick()
    return { protocol, hostname, port, servername: tls.servername }
  }
  t.strictSame(at('http://app'), {
    protocol: 'http:',
    hostname: 'app',
    port: 80,
    servername: 'app',
  })
  t.strictSame(at('https://[::1]'), {
    protocol: 'https:',
    hostname: '::1',
    port: 443,
    servername: '',
  })
  t.strictSame(at('https://10.0.0.5:8443').servername, '')
})
