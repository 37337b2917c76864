import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import type { SessionId } from '../../src/identity/principal.ts'
import { createLiveConnections } from '../../src/proxy/live-connections.ts'
import { splice } from '../../src/proxy/splice.ts'
import {
  acceptFor,
  asksForWebSocket,
  websocketOriginAllowed,
} from '../../src/proxy/websocket-request.ts'
import {
  bodyOf,
  head,
  listen,
  rawClient,
  startApp,
  startPlainApp,
  startProxy,
  talk,
  valuesOf,
} from './wire.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
] as const
const ACCEPTED = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(KEY)}\r\n`
const session = 'ses_0123456789012345678901' as SessionId

/** The two ends of one connection. */
async function connectedSockets(t: Test): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  const far = connect(await listen(server), '127.0.0.1')
  const [near]: Socket[] = await once(server, 'connection')
  server.close()
  t.teardown(() => {
    far.destroy()
    near?.destroy()
  })
  if (near === undefined) throw new Error('no connection')
  return [near, far]
}

/** An app that speaks WebSocket through the `ws` package and echoes. */
async function startEchoApp(t: Test): Promise<{ port: number; server: WebSocketServer }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  // A listening TCP server has such an address.
  return { port: (server.address() as AddressInfo).port, server }
}

t.test(
  'upgrade() carries a WebSocket: text, 1 MiB messages, and the closing with its code',
  async (t) => {
    const app = await startEchoApp(t)
    const proxy = await startProxy(t, { app })
    const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat?room=1`)
    await once(client, 'open')
    client.send('bonjour')
    t.equal(String((await once(client, 'message'))[0]), 'bonjour')
    const large = Buffer.alloc(1024 * 1024, 'sallyport ')
    for (let i = 0; i < 8; i++) client.send(large)
    for (let i = 0; i < 8; i++) {
      const [message] = await once(client, 'message')
      t.ok(large.equals(message as Buffer), `message ${i}`)
    }
    client.close(4001, 'enough')
    const [code, reason] = await once(client, 'close')
    t.equal(code, 4001)
    t.equal(String(reason), 'enough')
    t.strictSame(await proxy.whenUpgradesDone(), [101])
  },
)

t.test('upgrade() passes the app’s closing on', async (t) => {
  const app = await startEchoApp(t)
  app.server.on('connection', (socket) => socket.close(1001, 'restart'))
  const proxy = await startProxy(t, { app })
  const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`)
  const [code] = await once(client, 'close')
  t.equal(code, 1001)
})

t.test('upgrade() sends the handshake with our identity and none of the client’s', async (t) => {
  const app = await startPlainApp(
    t,
    `${ACCEPTED}Sec-WebSocket-Protocol: chat\r\nSet-Cookie: sallyport=x\r\nSet-Cookie: a=1\r\nKeep-Alive: 5\r\n\r\n`,
  )
  const proxy = await startProxy(t, { app, identity: [['Remote-User', 'bob']] })
  const client = await rawClient(t, proxy.port)
  client.send(
    head(
      'GET /%2e/x?y',
      'Connection: Upgrade, Remote-User, X-Forwarded-For',
      ...HANDSHAKE.slice(1),
      'Sec-WebSocket-Protocol: chat',
      'remote_user: admin',
      'Remote-User: admin',
      'X-Forwarded-For: 203.0.113.9',
      'Cookie: a=1; __Host-sallyport=secret',
    ),
  )
  const answer = await client.until('\r\n\r\n')
  const [seen = ''] = app.heads
  t.equal(seen.split('\r\n')[0], 'GET /%2e/x?y HTTP/1.1')
  t.strictSame(valuesOf(seen, 'host'), ['wiki.example.fr'])
  t.strictSame(valuesOf(seen, 'connection'), ['Upgrade'])
  t.strictSame(valuesOf(seen, 'upgrade'), ['websocket'])
  t.strictSame(valuesOf(seen, 'sec-websocket-key'), [KEY])
  t.strictSame(valuesOf(seen, 'remote-user'), ['bob'])
  t.strictSame(valuesOf(seen, 'x-forwarded-for'), ['192.0.2.7'])
  t.strictSame(valuesOf(seen, 'cookie'), ['a=1'])
  t.notMatch(seen, /admin|secret|203\.0\.113/)
  t.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  t.strictSame(valuesOf(answer, 'connection'), ['Upgrade'])
  t.strictSame(valuesOf(answer, 'upgrade'), ['websocket'])
  t.strictSame(valuesOf(answer, 'sec-websocket-protocol'), ['chat'])
  t.strictSame(valuesOf(answer, 'set-cookie'), ['a=1'])
  t.notMatch(answer, /keep-alive/i)
})

t.test('upgrade() loses no byte that comes with either head', async (t) => {
  const app = await startApp(t, async ({ until, send }) => {
    await until('\r\n\r\n')
    send(`${ACCEPTED}\r\nfrom-app`)
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(`${head('GET /', ...HANDSHAKE)}from-client`)
  await client.until('from-app')
  await app.connections[0]?.until('from-client')
  t.match(app.connections[0]?.received(), /\r\n\r\nfrom-client$/)
})

t.test('upgrade() relays a refusal as a plain answer and opens no tunnel', async (t) => {
  for (const [answer, body] of [
    ['HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: no\r\n\r\nno', 'no'],
    [
      'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok',
      'ok',
    ],
    ['HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n', ''],
    ['HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n', 'no'],
  ] as const) {
    const app = await startPlainApp(t, answer)
    const proxy = await startProxy(t, { app, dress: (list) => void list.push(['X-Dressed', '1']) })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /', ...HANDSHAKE))
    await client.until('\r\n\r\n')
    client.send(head('GET /admin'))
    t.equal(await client.ended, 'end')
    t.equal(client.text().slice(9, 12), answer.slice(9, 12))
    t.equal(bodyOf(client.text()), body)
    t.strictSame(valuesOf(client.text(), 'connection'), ['close'])
    t.strictSame(valuesOf(client.text(), 'x-dressed'), ['1'])
    t.notMatch(app.connections[0]?.received(), /\/admin/)
    t.equal(app.heads.length, 1)
  }
})

t.test('a `ws` client sees a refused handshake as refused', async (t) => {
  const server = createHttpServer()
  server.on('upgrade', (_req, socket) =>
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const proxy = await startProxy(t, { app: { port: (server.address() as AddressInfo).port } })
  const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`)
  client.on('open', () => t.fail('it opened'))
  const [, response] = await once(client, 'unexpected-response')
  t.equal(response.statusCode, 403)
  response.resume()
})

t.test('upgrade() takes a 101 that answers no handshake for a broken answer', async (t) => {
  for (const answer of [
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    ACCEPTED.replace('websocket', 'h2c').concat('\r\n'),
    ACCEPTED.replace(acceptFor(KEY), acceptFor('x')).concat('\r\n'),
    ACCEPTED.concat(`Sec-WebSocket-Accept: ${acceptFor(KEY)}\r\n\r\n`),
    'garbage\r\n\r\n',
  ]) {
    const app = await startPlainApp(t, answer)
    const proxy = await startProxy(t, { app })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /', ...HANDSHAKE))
    await client.until('broken')
    client.send(head('GET /admin'))
    await client.ended
    t.match(client.text(), /^HTTP\/1\.1 502/)
    t.strictSame(proxy.problems, ['broken'])
    t.notMatch(app.connections[0]?.received(), /\/admin/)
  }
})

t.test('upgrade() answers for an app that is down, or too slow', async (t) => {
  const silent = await startApp(t, () => {})
  const slow = await startProxy(t, { app: silent, timeouts: { firstByte: 50 } })
  t.match(await talk(t, slow.port, head('GET /', ...HANDSHAKE)), /^HTTP\/1\.1 504[\s\S]*timeout$/)
  const down = await startProxy(t, { app: { port: 1 } })
  t.match(
    await talk(t, down.port, head('GET /', ...HANDSHAKE)),
    /^HTTP\/1\.1 502[\s\S]*unreachable$/,
  )
  t.strictSame(await down.whenUpgradesDone(), [0])
})

t.test('upgrade() closes both sides when either is gone', async (t) => {
  for (const who of ['client ends', 'client resets', 'app ends', 'app resets'] as const) {
    const app = await startApp(t, async ({ until, send }) => {
      await until('\r\n\r\n')
      send(`${ACCEPTED}\r\nhello`)
    })
    const proxy = await startProxy(t, { app, session })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /', ...HANDSHAKE))
    await client.until('hello')
    t.equal(proxy.live.size(), 1)
    const [connection] = app.connections
    const appClosed = connection && once(connection.socket, 'close')
    const clientClosed = once(client.socket, 'close')
    if (who === 'client ends') client.socket.end()
    else if (who === 'client resets') client.socket.resetAndDestroy()
    else if (who === 'app ends') connection?.socket.end()
    else connection?.socket.resetAndDestroy()
    const from = Date.now()
    await Promise.all([appClosed, clientClosed])
    t.ok(Date.now() - from < 2_000, `${who}: at once`)
    t.strictSame(await proxy.whenUpgradesDone(), [101], who)
    t.equal(proxy.live.size(), 0, who)
  }
})

t.test('splice() delivers what one side wrote before it left', async (t) => {
  const last = Buffer.alloc(32 * 1024 * 1024, 'x')
  const [near, client] = await connectedSockets(t)
  const [app] = await connectedSockets(t)
  const over = new Promise<void>((resolve) => splice(near, app, resolve))
  client.pause()
  app.emit('data', last)
  app.destroy()
  await once(app, 'close')
  let received = 0
  for await (const chunk of client) received += chunk.length
  t.equal(received, last.length)
  client.end()
  await over
})

t.test('upgrade() lets the client see that a refusal was cut off', async (t) => {
  const app = await startApp(t, async ({ until, send, socket }) => {
    await until('\r\n\r\n')
    send('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n')
    await until('go').catch(() => {})
    socket.destroy()
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /', ...HANDSHAKE))
  await client.until('no\r\n')
  app.connections[0]?.socket.emit('data', Buffer.from('go'))
  await client.ended
  t.notMatch(client.text(), /\r\n0\r\n/)
})

t.test('upgrade() holds one side back while the other does not read', async (t) => {
  const app = await startApp(t, async ({ until, send, socket }) => {
    await until('\r\n\r\n')
    send(`${ACCEPTED}\r\n`)
    socket.pause()
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /', ...HANDSHAKE))
  await client.until('\r\n\r\n')
  const before = process.memoryUsage().rss
  const piece = Buffer.alloc(1024 * 1024)
  for (let i = 0; i < 128; i++) client.socket.write(piece)
  t.ok((await proxy.whenHeldBack()) < 32 * 1024 * 1024)
  t.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
  app.connections[0]?.socket.resume()
  await once(client.socket, 'drain')
})

t.test('upgrade() tells the app that the client left before its answer', async (t) => {
  const app = await startApp(t, () => {})
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /', ...HANDSHAKE))
  while (app.connections.length === 0) await new Promise(setImmediate)
  const [connection] = app.connections
  await connection?.until('\r\n\r\n')
  const closed = connection && once(connection.socket, 'close')
  client.socket.end()
  await closed
  t.strictSame(proxy.problems, [])
  t.strictSame(await proxy.whenUpgradesDone(), [0])
})

t.test('upgrade() closes a session’s connections with it and bounds their number', async (t) => {
  const app = await startEchoApp(t)
  const proxy = await startProxy(t, { app, session, perSession: 2 })
  const clients = [1, 2].map(() => new WebSocket(`ws://127.0.0.1:${proxy.port}/`))
  await Promise.all(clients.map((client) => once(client, 'open')))
  const refused = await talk(t, proxy.port, head('GET /', ...HANDSHAKE))
  t.match(refused, /crowded$/)
  t.equal(app.server.clients.size, 2)
  const closed = clients.map((client) => once(client, 'close'))
  t.equal(proxy.live.closeHolder(session), 2)
  await Promise.all(closed)
  t.equal(proxy.live.size(), 0)
})

t.test('any other upgrade is a plain request whose Upgrade is not passed on', async (t) => {
  const app = await startPlainApp(t, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  const proxy = await startProxy(t, { app })
  for (const fields of [
    [
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'Connection: close, Upgrade, HTTP2-Settings',
    ],
    ['Upgrade: websocket, h2c', 'Connection: close, Upgrade', `Sec-WebSocket-Key: ${KEY}`],
    ['Upgrade: websocket', 'Connection: close, Upgrade'],
  ]) {
    t.match(await talk(t, proxy.port, head('GET /', ...fields)), /^HTTP\/1\.1 200/)
  }
  for (const seen of app.heads) t.notMatch(seen, /^(upgrade|http2-settings):/im)
  t.match(await talk(t, proxy.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /^HTTP\/1\.1 400/)
})

t.test('asksForWebSocket() accepts exactly a handshake without body', async (t) => {
  const asks = (fields: readonly string[], method = 'GET', httpVersion = '1.1') =>
    asksForWebSocket({
      method,
      httpVersion,
      rawHeaders: fields.flatMap((field) => field.split(': ')),
    })
  t.equal(asks(HANDSHAKE), true)
  t.equal(
    asks(['Connection: keep-alive, UPGRADE', 'upgrade: WebSocket', `sec-websocket-key: ${KEY}`]),
    true,
  )
  t.equal(asks([...HANDSHAKE, 'Content-Length: 0']), true)
  t.equal(asks(HANDSHAKE, 'POST'), false)
  t.equal(asks(HANDSHAKE, 'GET', '1.0'), false)
  t.equal(asks([...HANDSHAKE, 'Content-Length: 5']), false)
  t.equal(asks([...HANDSHAKE, 'Transfer-Encoding: chunked']), false)
  t.equal(asks([...HANDSHAKE, 'Upgrade: h2c']), false)
  t.equal(asks([...HANDSHAKE, `Sec-WebSocket-Key: ${KEY}`]), false)
  t.equal(asks(HANDSHAKE.slice(1)), false)
})

t.test(
  'websocketOriginAllowed() lets in pages of the app, its friends, and no browser',
  async (t) => {
    const own = 'https://wiki.example.fr'
    t.equal(websocketOriginAllowed(undefined, own, []), true)
    t.equal(websocketOriginAllowed(own, own, []), true)
    t.equal(
      websocketOriginAllowed('https://desk.example.fr', own, ['https://desk.example.fr']),
      true,
    )
    for (const origin of [
      '',
      'null',
      'http://wiki.example.fr',
      'https://wiki.example.fr:444',
      'https://wiki.example.fr.evil.test',
      'https://evil.test/https://wiki.example.fr',
      'HTTPS://WIKI.EXAMPLE.FR',
    ]) {
      t.equal(websocketOriginAllowed(origin, own, ['https://desk.example.fr']), false, origin)
    }
  },
)

t.test('createLiveConnections() forgets what is over, counts right and closes once', async (t) => {
  const live = createLiveConnections({ perSession: 2, perAddress: 3 })
  const closed: string[] = []
  const other = 'ses_other5678901234567890x' as SessionId
  const add = (name: string, address: string, session?: SessionId) => {
    const owner = session === undefined ? { address } : { address, holder: session }
    const entered = live.add(owner, (why) => closed.push(`${name} ${why}`))
    return entered.kind === 'entered' ? entered : `crowded by ${entered.by}`
  }
  const first = add('a', 'near', session)
  add('b', 'near', session)
  t.equal(add('c', 'near', session), 'crowded by holder')
  live.follow({ address: 'near', holder: session }, (why) => closed.push(`stream ${why}`))
  add('other', 'near', other)
  t.equal(add('nobody', 'near'), 'crowded by address')
  add('nobody', 'far')
  t.equal(live.size(), 5)
  if (typeof first === 'string') throw new Error(first)
  first.leave()
  first.leave()
  t.equal(live.size(), 4)
  t.type(add('d', 'far', session), 'object')
  t.equal(live.closeHolder(session), 3)
  t.strictSame(closed.splice(0), ['b session', 'stream session', 'd session'])
  t.equal(live.closeHolder(session), 0)
  t.strictSame(live.holders(), [other])
  t.strictSame(live.addresses(), ['near', 'far'])
  t.equal(live.closeAddress('far'), 1)
  t.strictSame(closed.splice(0), ['nobody address'])
  t.equal(live.closeAll(), 1)
  t.strictSame(closed, ['other shutdown'])
  t.equal(live.size(), 0)
  t.strictSame([live.holders(), live.addresses()], [[], []])
})
