import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import t from 'tap'
import type { SessionId } from '../../src/identity/principal.ts'
import { discardRest } from '../../src/proxy/request-body.ts'
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

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = head('GET /', 'Connection: close')

async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

t.test('forward() finds an app that is down unreachable, at once', async (t) => {
  const proxy = await startProxy(t, { app: { port: await closedPort() } })
  const from = Date.now()
  const answer = await talk(t, proxy.port, GET)
  t.match(answer, /^HTTP\/1\.1 502/)
  t.equal(bodyOf(answer), 'unreachable')
  t.ok(Date.now() - from < 1_000)
  t.strictSame(await proxy.whenDone(), [
    { outcome: 'problem', status: 0, bytes: 0, waited: undefined },
  ])
})

t.test('forward() keeps the connection usable after a problem, body sent or not', async (t) => {
  const proxy = await startProxy(t, { app: { port: await closedPort() } })
  const client = await rawClient(t, proxy.port)
  client.send(`${head('POST /', 'Content-Length: 200000')}${'x'.repeat(100_000)}`)
  await client.until('unreachable')
  client.send('x'.repeat(100_000))
  client.send(head('GET /', 'Connection: close'))
  await client.ended
  t.equal(client.text().match(/HTTP\/1\.1 502/g)?.length, 2)
})

t.test('forward() gives up on an app that never answers', async (t) => {
  const app = await startApp(t, () => {})
  const proxy = await startProxy(t, { app, timeouts: { firstByte: 100 } })
  const answer = await talk(t, proxy.port, GET)
  t.match(answer, /^HTTP\/1\.1 504/)
  t.equal(bodyOf(answer), 'timeout')
  const [connection] = app.connections
  if (connection?.socket.readableEnded === false) await once(connection.socket, 'end')
  t.pass('the app sees the connection closed')
})

t.test('forward() takes what is no HTTP for a broken answer', async (t) => {
  for (const [what, bytes] of [
    ['garbage', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['a space in a name', 'HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n'],
    ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'],
    ['no name', 'HTTP/1.1 200 OK\r\n: 1\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    [
      'length and coding',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      '101 unasked',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['100 unasked', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['status 99', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['an endless head', `HTTP/1.1 200 OK\r\n${'X-Filler: aaaaaaaaaaaaaaaa\r\n'.repeat(100_000)}`],
    ['nothing', ''],
  ] as const) {
    const app = await startApp(t, async ({ until, socket }) => {
      await until('\r\n\r\n')
      socket.end(bytes, 'latin1')
    })
    const proxy = await startProxy(t, { app })
    const answer = await talk(t, proxy.port, GET)
    t.match(answer, /^HTTP\/1\.1 502/, what)
    t.equal(bodyOf(answer), 'broken', what)
    t.strictSame(proxy.problems, ['broken'], what)
  }
})

t.test('forward() lets the client see that an answer was cut off', async (t) => {
  for (const [what, bytes] of [
    ['short of its length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
    ['between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n'],
  ] as const) {
    for (const reset of [false, true]) {
      const app = await startApp(t, async ({ until, send, socket }) => {
        await until('\r\n\r\n')
        send(bytes)
        if (what === 'a bad chunk') return
        await until('go').catch(() => {})
        if (reset) socket.resetAndDestroy()
        else socket.end()
      })
      const proxy = await startProxy(t, { app })
      const client = await rawClient(t, proxy.port)
      client.send(head('GET /'))
      await client.until(/\r\n\r\n/)
      app.connections[0]?.socket.emit('data', Buffer.from('go'))
      await client.ended
      t.notMatch(client.text(), /\r\n0\r\n/, `${what}: no last chunk`)
      t.ok(bodyOf(client.text()).length < 10, `${what}: not whole`)
      t.equal((await proxy.whenDone())[0]?.outcome, 'cut', what)
      t.strictSame(proxy.problems, [])
    }
  }
})

t.test('forward() resets an old client, whose answer would else seem whole', async (t) => {
  const app = await startApp(t, async ({ until, send, socket }) => {
    await until('\r\n\r\n')
    send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    await until('go').catch(() => {})
    socket.destroy()
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send('GET / HTTP/1.0\r\nHost: wiki.example.fr\r\n\r\n')
  await client.until('hello')
  app.connections[0]?.socket.emit('data', Buffer.from('go'))
  t.equal(await client.ended, 'ECONNRESET')
})

t.test('forward() never gives a second answer on a connection to the next request', async (t) => {
  for (const [what, stray] of [
    ['a second answer', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalien'],
    ['one byte', 'x'],
    ['a blank line and an answer', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalien'],
  ] as const) {
    for (const later of [false, true]) {
      const app = await startApp(t, ({ socket }) => {
        socket.on('data', (chunk) => {
          const id = /\/(\w+) /.exec(chunk.toString('latin1'))?.[1] ?? ''
          const right = `HTTP/1.1 200 OK\r\nContent-Length: ${id.length}\r\n\r\n${id}`
          if (!later) return socket.write(`${right}${stray}`)
          socket.write(right)
          return setImmediate(() => socket.write(stray))
        })
      })
      const proxy = await startProxy(t, { app })
      const client = await rawClient(t, proxy.port)
      for (const id of ['one', 'two', 'three', 'four']) {
        const before = client.text().length
        client.send(head(`GET /${id}`))
        while (!/\r\n\r\n\w/.test(client.text().slice(before))) await once(client.socket, 'data')
        const answer = client.text().slice(before)
        t.equal(bodyOf(answer), id, `${what}: ${id}`)
      }
      t.strictSame(proxy.problems, [])
      t.equal(app.connections.length, 4, `${what}: a fresh connection each time`)
    }
  }
})

t.test('forward() tells the app at once that the client has left', async (t) => {
  for (const when of ['before the answer', 'within the answer', 'within its own body'] as const) {
    const app = await startApp(t, async ({ until, send }) => {
      await until('\r\n\r\n')
      if (when === 'within the answer') send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    })
    const proxy = await startProxy(t, { app })
    const client = await rawClient(t, proxy.port)
    if (when === 'within its own body') client.send(`${head('POST /', 'Content-Length: 9')}half`)
    else client.send(head('GET /'))
    while (app.connections.length === 0) await new Promise(setImmediate)
    const [connection] = app.connections
    await connection?.until('\r\n\r\n')
    if (when === 'within the answer') await client.until('hello')
    const closed = connection && once(connection.socket, 'close')
    client.socket.destroy()
    await closed
    const [stats] = await proxy.whenDone()
    t.equal(stats?.outcome, 'client_gone', when)
    t.strictSame(proxy.problems, [], when)
  }
})

t.test('forward() does not bother the app for a client that left before', async (t) => {
  const app = await startPlainApp(t, OK)
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const proxy = await startProxy(t, { app, hold: () => held })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  await proxy.arrived
  client.socket.resetAndDestroy()
  await proxy.left
  letGo()
  t.strictSame(
    (await proxy.whenDone()).map(({ outcome }) => outcome),
    ['client_gone'],
  )
  t.equal(app.connections.length, 0)
})

t.test('forward() keeps pipelined answers in order', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(`${head('GET /1')}${head('GET /2')}${head('GET /3')}`)
  await client.until(/(ok[\s\S]*){3}/)
  t.strictSame(
    app.heads.map((text) => text.split(' ')[1]),
    ['/1', '/2', '/3'],
  )
})

t.test('forward() asks for pipelined requests one at a time', async (t) => {
  const app = await startApp(t, () => {})
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /').repeat(50))
  while (app.connections.length === 0) await new Promise(setImmediate)
  await app.connections[0]?.until('\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(app.connections.length, 1)
  client.socket.destroy()
  t.strictSame(
    (await proxy.whenDone(50)).map(({ outcome }) => outcome),
    Array(50).fill('client_gone'),
  )
  t.equal(app.connections.length, 1)
})

t.test('forward() repeats only a bodyless GET or HEAD that met a closing connection', async (t) => {
  for (const [method, repeated] of [
    ['GET', true],
    ['HEAD', true],
    ['POST', false],
    ['DELETE', false],
  ] as const) {
    // Keeps the connection after the first answer and drops it when the second request comes.
    const app = await startApp(t, ({ socket }, count) => {
      let requests = 0
      socket.on('data', () => {
        requests++
        if (count === 1 && requests === 2) socket.destroy()
        else socket.write(OK)
      })
    })
    const proxy = await startProxy(t, { app })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /first'))
    await client.until('ok')
    const before = client.text().length
    client.send(head(`${method} /second`, 'Connection: close'))
    await client.ended
    t.match(client.text().slice(before), repeated ? /^HTTP\/1\.1 200/ : /^HTTP\/1\.1 502/, method)
    t.equal(app.connections.length, repeated ? 2 : 1, method)
  }
})

t.test(
  'forward() repeats nothing of whose answer a byte came, nor on a new connection',
  async (t) => {
    const app = await startApp(t, ({ socket }, count) => {
      let requests = 0
      socket.on('data', () => {
        requests++
        if (requests === 2 && count === 1) socket.end('H')
        else if (count === 1) socket.write(OK)
        else socket.destroy()
      })
    })
    const proxy = await startProxy(t, { app })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /first'))
    await client.until('ok')
    client.send(head('GET /second'))
    await client.until('broken')
    t.equal(app.connections.length, 1)
    client.send(head('GET /third', 'Connection: close'))
    await client.ended
    t.equal(app.connections.length, 2)
    t.strictSame(proxy.problems, ['broken', 'broken'])
  },
)

t.test('forward() ends an exchange whose answer came before the request was whole', async (t) => {
  const app = await startApp(t, async ({ until, send }) => {
    await until('part')
    send('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(`${head('POST /', 'Content-Length: 100000')}part`)
  await client.until('\r\n\r\nbig')
  // The rest is taken and thrown away, and the connection stays in step.
  client.send('x'.repeat(99_996))
  client.send(`${head('POST /', 'Content-Length: 4', 'Connection: close')}part`)
  await client.ended
  t.equal(client.text().match(/HTTP\/1\.1 413/g)?.length, 2)
})

t.test(
  'forward() cuts an announced answer that stands still, and lets a stream rest',
  async (t) => {
    const app = await startApp(t, async ({ until, send, received }) => {
      await until('\r\n\r\n')
      const framing = received().includes('/stream')
        ? 'Transfer-Encoding: chunked'
        : 'Content-Length: 10'
      send(
        `HTTP/1.1 200 OK\r\n${framing}\r\n\r\n5\r\nhello\r\n`.slice(
          0,
          received().includes('/stream') ? 99 : -6,
        ),
      )
    })
    const proxy = await startProxy(t, { app, stalls: { app: 80, client: 80 } })
    const stream = await rawClient(t, proxy.port)
    stream.send(head('GET /stream'))
    await stream.until('hello')
    const sized = await rawClient(t, proxy.port)
    sized.send(head('GET /sized'))
    await sized.until('\r\n\r\n')
    await sized.ended
    t.equal((await proxy.whenDone())[0]?.outcome, 'cut')
    t.equal(
      stream.socket.destroyed || stream.socket.readableEnded,
      false,
      'the stream is still open',
    )
  },
)

t.test('forward() takes the rest of an upload that nobody reads any more', async (t) => {
  const large = 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig'
  const app = await startApp(t, async ({ until, send, socket }, count) => {
    await until('\r\n\r\n')
    socket.pause()
    if (count === 2) send(large)
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  const length = 32 * 1024 * 1024
  client.send(head('POST /', `Content-Length: ${length}`))
  client.send(Buffer.alloc(length))
  while (app.connections.length === 0) await new Promise(setImmediate)
  t.ok((await proxy.whenHeldBack()) < length)
  app.connections[0]?.send(large)
  await client.until('\r\n\r\nbig')
  client.send(head('GET /', 'Connection: close'))
  await client.ended
  t.equal(client.text().match(/HTTP\/1\.1 413/g)?.length, 2)
})

t.test('discardRest() ends the connection of a client that sends on and on', async (t) => {
  const server = createHttpServer((req, res) => {
    res.end('enough')
    discardRest(req, 50)
  })
  t.teardown(() => server.close())
  const client = await rawClient(t, await listen(server))
  client.send(head('POST /', 'Content-Length: 1000000'))
  await client.until('enough')
  client.send('more')
  t.equal(await client.ended, 'end')
})

t.test('discardRest() has nothing to wait for where no body was announced', async (t) => {
  const waiting: number[] = []
  const server = createHttpServer((req, res) => {
    const before = req.listenerCount('end')
    discardRest(req)
    waiting.push(req.listenerCount('end') - before)
    res.end('enough')
  })
  t.teardown(() => server.close())
  const client = await rawClient(t, await listen(server))
  client.send(head('GET /'))
  await client.until('enough')
  client.send(`${head('POST /', 'Transfer-Encoding: chunked')}0\r\n\r\n`)
  client.send(`${head('POST /', 'Content-Length: 4')}body`)
  client.send(head('GET /', 'Connection: close'))
  t.equal(await client.ended, 'end')
  t.equal(client.text().match(/HTTP\/1\.1 200/g)?.length, 4, 'each was answered')
  t.strictSame(waiting, [0, 1, 1, 0])
})

t.test('forward() holds an upload back while the app does not read', async (t) => {
  const app = await startApp(t, async ({ until, socket }) => {
    await until('\r\n\r\n')
    socket.pause()
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  const piece = Buffer.alloc(1024 * 1024)
  const before = process.memoryUsage().rss
  client.send(head('POST /', `Content-Length: ${128 * piece.length}`))
  for (let i = 0; i < 128; i++) client.socket.write(piece)
  t.ok((await proxy.whenHeldBack()) < 32 * piece.length)
  t.ok(process.memoryUsage().rss - before < 64 * piece.length, 'and we do not')
})

t.test('forward() lets go of a client that takes nothing', async (t) => {
  const app = await startApp(t, async ({ until, send }) => {
    await until('\r\n\r\n')
    send(`HTTP/1.1 200 OK\r\nContent-Length: ${32 * 1024 * 1024}\r\n\r\n`)
    send(Buffer.alloc(32 * 1024 * 1024))
  })
  const proxy = await startProxy(t, { app, stalls: { app: 10_000, client: 100 } })
  const client = await rawClient(t, proxy.port)
  client.socket.pause()
  client.send(head('GET /'))
  const [stats] = await proxy.whenDone()
  t.equal(stats?.outcome, 'client_gone')
  const [connection] = app.connections
  if (connection?.socket.destroyed === false) await once(connection.socket, 'close')
})

t.test('forward() cuts an event stream when its session ends', async (t) => {
  const session = 'ses_0123456789012345678901' as SessionId
  const app = await startApp(t, async ({ until, send }) => {
    await until('\r\n\r\n')
    send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  })
  const proxy = await startProxy(t, { app, session })
  const client = await rawClient(t, proxy.port)
  client.send(head('GET /'))
  await client.until('hello')
  t.equal(proxy.live.closeHolder(session), 1)
  await client.ended
  t.equal(proxy.live.size(), 0)
  t.equal((await proxy.whenDone())[0]?.outcome, 'cut')
})

t.test('forward() answers for itself when the dressing fails, and never twice', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, {
    app,
    dress: () => {
      throw new Error('a fault of ours')
    },
  })
  const answer = await talk(t, proxy.port, GET)
  t.match(answer, /^HTTP\/1\.1 502/)
  t.strictSame(proxy.problems, ['broken'])
  t.strictSame(valuesOf(answer, 'content-length'), ['6'])
})

t.test('forward() refuses what cannot be put into a request', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, { app })
  t.equal(bodyOf(await talk(t, proxy.port, head('OPTIONS *', 'Connection: close'))), 'refused')
  const odd = await talk(t, proxy.port, head('GET /', 'X-Odd: a\x7fb', 'Connection: close'))
  t.match(odd, /refused|400 Bad Request/)
  t.equal(app.connections.length, 0)
})
