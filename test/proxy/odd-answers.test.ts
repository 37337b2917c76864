import { once } from 'node:events'
import t from 'tap'
import {
  bodyOf,
  head,
  rawClient,
  startApp,
  startPlainApp,
  startProxy,
  talk,
  valuesOf,
} from './wire.ts'

const GET = head('GET /', 'Connection: close')

t.test('forward() reads an answer without reason, and one with bare line feeds not', async (t) => {
  for (const [what, bytes, status] of [
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 200],
    ['an empty reason', 'HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nok', 404],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 502],
    ['one bare line feed', 'HTTP/1.1 200 OK\r\nX: 1\nContent-Length: 2\r\n\r\nok', 502],
    ['a bare carriage return', 'HTTP/1.1 200 OK\r\nX: a\rY: b\r\nContent-Length: 2\r\n\r\nok', 502],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok', 502],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 2\r\n\r\nok', 502],
    ['another protocol', 'HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 502],
    ['HTTP/0.9', '<html>hello</html>', 502],
  ] as const) {
    const app = await startApp(t, async ({ until, socket }) => {
      await until('\r\n\r\n')
      socket.end(bytes, 'latin1')
    })
    const proxy = await startProxy(t, { app })
    const answer = await talk(t, proxy.port, GET)
    t.equal(answer.slice(0, 12), `HTTP/1.1 ${status}`, what)
    t.equal(bodyOf(answer), status === 502 ? 'broken' : 'ok', what)
  }
})

t.test('forward() leaves a part of a resource as it is', async (t) => {
  const app = await startPlainApp(
    t,
    'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nAccept-Ranges: bytes\r\n' +
      'ETag: "x"\r\nContent-Length: 3\r\n\r\n234',
  )
  const proxy = await startProxy(t, { app })
  const asked = head('GET /', 'Range: bytes=2-4', 'If-Range: "x"', 'Connection: close')
  const answer = await talk(t, proxy.port, asked)
  t.strictSame(valuesOf(app.heads[0] ?? '', 'range'), ['bytes=2-4'])
  t.strictSame(valuesOf(app.heads[0] ?? '', 'if-range'), ['"x"'])
  t.match(answer, /^HTTP\/1\.1 206 Partial Content\r\n/)
  t.strictSame(valuesOf(answer, 'content-range'), ['bytes 2-4/10'])
  t.strictSame(valuesOf(answer, 'content-length'), ['3'])
  t.equal(bodyOf(answer), '234')
})

t.test(
  'forward() never takes a body that must not be there for the next answer (D14)',
  async (t) => {
    const alien = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalien'
    for (const [what, line, bytes] of [
      [
        'HEAD with a body',
        'HEAD',
        `HTTP/1.1 200 OK\r\nContent-Length: ${alien.length}\r\n\r\n${alien}`,
      ],
      [
        '204 with a body',
        'GET',
        `HTTP/1.1 204 No\r\nContent-Length: ${alien.length}\r\n\r\n${alien}`,
      ],
      ['204 with bytes behind it', 'GET', `HTTP/1.1 204 No\r\n\r\n${alien}`],
      [
        '204 in chunks',
        'GET',
        'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nalien\r\n0\r\n\r\n',
      ],
      [
        '304 with a body',
        'GET',
        `HTTP/1.1 304 No\r\nContent-Length: ${alien.length}\r\n\r\n${alien}`,
      ],
      [
        'HEAD in chunks',
        'HEAD',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nalien\r\n0\r\n\r\n',
      ],
    ] as const) {
      const app = await startApp(t, ({ socket }) => {
        socket.on('data', (chunk) => {
          const isOdd = chunk.includes('/odd')
          socket.write(isOdd ? bytes : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright')
        })
      })
      const proxy = await startProxy(t, { app })
      const client = await rawClient(t, proxy.port)
      client.send(head(`${line} /odd`))
      await client.until('\r\n\r\n')
      const before = client.text().length
      client.send(head('GET /next', 'Connection: close'))
      await client.ended
      t.equal(bodyOf(client.text().slice(before)), 'right', what)
      t.notMatch(client.text(), /alien/, what)
      t.equal(app.connections.length, 2, `${what}: on a fresh connection`)
    }
  },
)

t.test('forward() ends a head of 10 MB early, and keeps what it took small', async (t) => {
  const line = `X-Filler: ${'a'.repeat(1_000)}\r\n`
  let sent = 0
  const app = await startApp(t, async ({ until, socket }) => {
    await until('\r\n\r\n')
    socket.write('HTTP/1.1 200 OK\r\n')
    while (sent < 10_000_000 && !socket.destroyed) {
      sent += line.length
      if (!socket.write(line)) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
    }
  })
  const proxy = await startProxy(t, { app })
  t.match(await talk(t, proxy.port, GET), /^HTTP\/1\.1 502/)
  t.strictSame(proxy.problems, ['broken'])
  const [connection] = app.connections
  if (connection?.socket.destroyed === false) await once(connection.socket, 'close')
  t.ok(sent < 10_000_000, `${sent} bytes were taken by the two sockets`)
})

t.test('forward() drops the trailers of an answer and what announces them', async (t) => {
  const app = await startPlainApp(
    t,
    'HTTP/1.1 200 OK\r\nTrailer: X-T, Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '2\r\nok\r\n0\r\nX-T: 1\r\nSet-Cookie: __Host-sallyport=evil\r\n\r\n',
  )
  const proxy = await startProxy(t, { app })
  const answer = await talk(t, proxy.port, GET)
  t.match(answer, /\r\n0\r\n\r\n$/)
  t.notMatch(answer, /X-T|Set-Cookie|Trailer/i)
})

t.test('forward() follows no redirect, whatever it says (D5)', async (t) => {
  const elsewhere = await startPlainApp(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const location = `http://127.0.0.1:${elsewhere.port}/`
  const app = await startPlainApp(
    t,
    `HTTP/1.1 307 Elsewhere\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
  )
  const proxy = await startProxy(t, { app })
  const answer = await talk(t, proxy.port, head('GET /', 'Authorization: x', 'Connection: close'))
  t.match(answer, /^HTTP\/1\.1 307/)
  t.strictSame(valuesOf(answer, 'location'), [location])
  t.equal(elsewhere.connections.length, 0)
})

t.test('forward() makes no tunnel of an upgrade that was not asked for (D9)', async (t) => {
  for (const status of ['101 Switching Protocols', '200 OK', '426 Upgrade Required']) {
    const app = await startPlainApp(
      t,
      `HTTP/1.1 ${status}\r\nUpgrade: x\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok`,
    )
    const proxy = await startProxy(t, { app })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /', 'Upgrade: x', 'Connection: Upgrade'))
    await client.until(/\r\n\r\n(ok|broken)$/)
    client.send(head('GET /second', 'Connection: close'))
    await client.ended
    t.notMatch(client.text(), /101|\r\nUpgrade/i, status)
    t.ok(app.heads.every((text) => !/\r\nupgrade/i.test(text)))
    t.equal(client.text().match(/HTTP\/1\.1/g)?.length, 2)
  }
})

t.test(
  'forward() answers for 1,000 requests that an app lets hang, and for others meanwhile (L14)',
  async (t) => {
    const app = await startApp(t, ({ socket }) => {
      socket.on('data', (chunk) => {
        if (chunk.includes('/fast')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const proxy = await startProxy(t, { app, timeouts: { firstByte: 1_500 } })
    const stuck = await rawClients(t, proxy.port, 1_000)
    for (const client of stuck) client.send(GET)
    const took: number[] = []
    for (let i = 0; i < 20; i++) {
      const from = performance.now()
      t.match(await talk(t, proxy.port, head('GET /fast', 'Connection: close')), /ok$/)
      took.push(performance.now() - from)
    }
    t.comment(`the slowest of 20 others took ${Math.max(...took).toFixed(0)} ms`)
    await Promise.all(stuck.map((client) => client.ended))
    t.equal(stuck.filter((client) => /^HTTP\/1\.1 504/.test(client.text())).length, 1_000)
  },
)

async function rawClients(
  test: typeof t | Parameters<typeof rawClient>[0],
  port: number,
  count: number,
) {
  const clients: Awaited<ReturnType<typeof rawClient>>[] = []
  for (let i = 0; i < count; i++) clients.push(await rawClient(test, port))
  return clients
}
