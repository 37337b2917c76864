import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'
import type { SessionId } from '../../src/identity/principal.ts'
import { bodyOf, head, rawClient, startApp, startProxy, talk } from './wire.ts'

const GET = head('GET /', 'Connection: close')
const SESSION = 'ses_0123456789012345678901' as SessionId
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n'

t.test('forward() answers 504 when the whole takes longer than `total`', async (t) => {
  const silent = await startApp(t, () => {})
  const proxy = await startProxy(t, { app: silent, timeouts: { total: 100 } })
  const answer = await talk(t, proxy.port, GET)
  t.match(answer, /^HTTP\/1\.1 504/)
  t.equal(bodyOf(answer), 'timeout')
  t.strictSame(proxy.problems, ['timeout'])
  const [connection] = silent.connections
  if (connection?.socket.destroyed === false) await once(connection.socket, 'close')
})

t.test('forward() cuts an answer under way when the whole takes longer than `total`', async (t) => {
  const app = await startApp(t, async ({ until, send, socket }) => {
    await until('\r\n\r\n')
    send(`${CHUNKED}\r\n`)
    const timer = setInterval(() => send('1\r\nx\r\n'), 10)
    socket.on('close', () => clearInterval(timer))
  })
  const proxy = await startProxy(t, { app, timeouts: { total: 200 } })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  await client.until('x')
  await client.ended
  t.notMatch(client.text(), /\r\n0\r\n\r\n/)
  t.equal((await proxy.whenDone())[0]?.outcome, 'cut')
  const [connection] = app.connections
  if (connection?.socket.destroyed === false) await once(connection.socket, 'close')
})

t.test('forward() leaves `total` behind with the answer', async (t) => {
  const app = await startApp(t, ({ socket }) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  const proxy = await startProxy(t, { app, timeouts: { total: 150 } })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  await client.until('ok')
  await new Promise((resolve) => setTimeout(resolve, 300))
  client.send(head('GET /', 'Connection: close'))
  await client.ended
  t.equal(client.text().match(/200 OK/g)?.length, 2)
  t.strictSame(proxy.problems, [])
})

t.test('forward() gives up on connecting, also where others would be tried', async (t) => {
  // An address of TEST-NET-1 (RFC 5737), where nobody is; some networks refuse at once.
  const upstream = { urls: ['http://192.0.2.1:9'], policy: 'first' } as const
  const proxy = await startProxy(t, { app: { upstream }, timeouts: { connect: 200 } })
  t.match(await talk(t, proxy.port, GET), /^HTTP\/1\.1 50[24]/)
})

t.test('forward() lets any answer stand still no longer than `idle`, when it is set', async (t) => {
  const app = await startApp(t, async ({ until, send }) => {
    await until('\r\n\r\n')
    send(`${CHUNKED}Content-Type: text/event-stream\r\n\r\n5\r\nhello\r\n`)
  })
  const proxy = await startProxy(t, { app, timeouts: { idle: 80 } })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  await client.until('hello')
  await client.ended
  t.notMatch(client.text(), /\r\n0\r\n\r\n/)
  t.equal((await proxy.whenDone())[0]?.outcome, 'cut')
})

t.test('forward() counts what moves in either direction against `idle`', async (t) => {
  const app = await startApp(t, async ({ until, send }) => {
    await until('\r\n\r\n')
    send(`${CHUNKED}\r\n5\r\nhello\r\n`)
    await until('done')
    send('0\r\n\r\n')
  })
  const proxy = await startProxy(t, { app, timeouts: { idle: 1_000 } })
  const client = await rawClient(t, proxy.port)
  client.send(`${head('POST /', 'Transfer-Encoding: chunked', 'Connection: close')}1\r\nx\r\n`)
  await client.until('hello')
  const from = Date.now()
  while (Date.now() - from < 1_600) {
    client.send('1\r\nx\r\n')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  client.send('4\r\ndone\r\n0\r\n\r\n')
  await client.ended
  t.match(client.text(), /\r\n0\r\n\r\n$/)
})

t.test('forward() lets go of a client that stops within its own request', async (t) => {
  const app = await startApp(t, () => {})
  const proxy = await startProxy(t, { app, stalls: { client: 80, app: 10_000 } })
  const client = await rawClient(t, proxy.port)
  client.send(`${head('POST /', 'Content-Length: 9')}half`)
  await client.ended
  t.equal((await proxy.whenDone())[0]?.outcome, 'client_gone')
  const [connection] = app.connections
  if (connection?.socket.destroyed === false) await once(connection.socket, 'close')
})

t.test('forward() ends an event stream in good order when its session ends', async (t) => {
  const app = await startApp(t, ({ socket }) => {
    socket.on('data', () => {
      socket.write(`${CHUNKED}content-type: Text/Event-Stream; charset=utf-8\r\n\r\n`)
      socket.write('9\r\ndata: 1\n\n\r\n')
    })
  })
  const proxy = await startProxy(t, { app, session: SESSION })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  await client.until('data: 1\n\n')
  t.equal(proxy.live.closeHolder(SESSION), 1)
  await client.until(/\r\n0\r\n\r\n$/)
  t.equal((await proxy.whenDone())[0]?.outcome, 'ended')
  const [connection] = app.connections
  if (connection?.socket.destroyed === false) await once(connection.socket, 'close')
  // The connection to the client is in step.
  client.send(head('GET /'))
  await client.until(/\r\n0\r\n\r\nHTTP\/1\.1 200 OK/)
  await client.until(/data: 1\n\n\r\n$/)
  t.equal(proxy.live.closeHolder(SESSION), 1)
  await client.until(/\r\n0\r\n\r\nHTTP[\s\S]*\r\n0\r\n\r\n$/)
  t.equal(proxy.live.size(), 0)
})

t.test('a server that stops ends event streams and lets other answers finish', async (t) => {
  for (const [type, last] of [
    ['text/event-stream', '\r\n0\r\n\r\n'],
    ['text/html', 'the rest\r\n0\r\n\r\n'],
  ] as const) {
    const go = Promise.withResolvers<void>()
    const app = await startApp(t, ({ socket }) => {
      socket.once('data', async () => {
        socket.write(`${CHUNKED}content-type: ${type}\r\n\r\n6\r\nbegun \r\n`)
        await go.promise
        if (!socket.destroyed) socket.write('8\r\nthe rest\r\n0\r\n\r\n')
      })
    })
    const proxy = await startProxy(t, { app })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /'))
    await client.until('begun ')
    t.equal(proxy.live.closeAll(), 1, 'nobody is signed in, and it is known all the same')
    if (type === 'text/html') go.resolve()
    await client.until(last)
    t.equal((await proxy.whenDone())[0]?.outcome, type === 'text/html' ? 'sent' : 'ended')
    go.resolve()
  }
})

t.test('a ban of its address ends a stream that nobody is signed in for', async (t) => {
  const app = await startApp(t, ({ socket }) => {
    socket.on('data', () => {
      socket.write(`${CHUNKED}content-type: text/event-stream\r\n\r\n9\r\ndata: 1\n\n\r\n`)
    })
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  await client.until('data: 1\n\n')
  t.equal(proxy.live.closeAddress('192.0.2.7'), 1)
  await client.until(/\r\n0\r\n\r\n$/)
})

t.test('forward() cuts an event stream that its client does not read', async (t) => {
  const piece = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  const app = await startApp(t, async ({ until, socket }) => {
    await until('\r\n\r\n')
    socket.write(`${CHUNKED}Content-Type: text/event-stream\r\n\r\n`)
    for (let i = 0; i < 2_000; i++) socket.write(piece)
  })
  const proxy = await startProxy(t, { app, session: SESSION })
  const client = request({ port: proxy.port, host: '127.0.0.1', agent: false })
  client.end()
  const [response] = await once(client, 'response')
  response.pause()
  response.on('error', () => {})
  await new Promise((resolve) => setTimeout(resolve, 200))
  proxy.live.closeHolder(SESSION)
  t.equal((await proxy.whenDone())[0]?.outcome, 'client_gone')
})

t.test(
  'forward() cuts what is no event stream, and any for HTTP/1.0, with its session',
  async (t) => {
    const app = await startApp(t, async ({ until, send, received }) => {
      await until('\r\n\r\n')
      const kind = received().includes('/log') ? 'text/plain' : 'text/event-stream'
      send(`${CHUNKED}Content-Type: ${kind}\r\n\r\n5\r\nhello\r\n`)
    })
    for (const bytes of [head('GET /log'), 'GET / HTTP/1.0\r\nHost: wiki.example.fr\r\n\r\n']) {
      const proxy = await startProxy(t, { app, session: SESSION })
      const client = await rawClient(t, proxy.port)
      client.send(bytes)
      await client.until('hello')
      proxy.live.closeHolder(SESSION)
      await client.ended
      t.notMatch(client.text(), /\r\n0\r\n\r\n/)
      t.equal((await proxy.whenDone())[0]?.outcome, 'cut')
    }
  },
)
