import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import type { Principal, UserId } from '../../src/identity/principal.ts'
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

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const bob: Principal = {
  userId: 'usr_0123456789012345678901' as UserId,
  name: 'bob',
  displayName: 'Bob Dupont',
  email: 'bob@example.fr',
  groups: [],
  level: 'one_factor',
  proved: [],
  secondFactorDue: undefined,
}

t.test('forward() sends the target byte for byte and one identity, ours', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, { app, principal: bob })
  const target = '//a/../%2e%2e/\\x;y=%00/%c3%28?q=a+b&r={"|^}'
  const answer = await talk(
    t,
    proxy.port,
    head(
      `GET ${target}`,
      'Remote-User: admin',
      'remote_user: admin',
      'Remote.User: admin',
      'REMOTE-GROUPS: admins',
      'X-Forwarded-User: admin',
      'X-Forwarded-For: 203.0.113.9',
      'Connection: close, Remote-User, remote-groups, X-Forwarded-For, X-Real-IP',
    ),
  )
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  t.equal(bodyOf(answer), 'ok')
  const [seen = ''] = app.heads
  t.equal(seen.split('\r\n')[0], `GET ${target} HTTP/1.1`)
  t.strictSame(valuesOf(seen, 'host'), ['wiki.example.fr'])
  t.strictSame(valuesOf(seen, 'remote-user'), ['bob'])
  t.strictSame(valuesOf(seen, 'remote-groups'), [''])
  t.strictSame(valuesOf(seen, 'remote-name'), ['Bob Dupont'])
  t.strictSame(valuesOf(seen, 'remote-email'), ['bob@example.fr'])
  t.strictSame(valuesOf(seen, 'x-forwarded-for'), ['192.0.2.7'])
  t.strictSame(valuesOf(seen, 'x-real-ip'), ['192.0.2.7'])
  t.strictSame(valuesOf(seen, 'x-forwarded-proto'), ['https'])
  t.notMatch(seen, /admin|[_.]user|203\.0\.113/i)
  t.strictSame(await proxy.whenDone(), [
    { outcome: 'sent', status: 200, bytes: 2, waited: proxy.done[0]?.waited },
  ])
})

t.test('forward() tells the app that nobody is asking', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, { app })
  await talk(t, proxy.port, head('GET /', 'Remote-User: admin', 'Connection: close'))
  for (const name of ['remote-user', 'remote-groups', 'remote-name', 'remote-email']) {
    t.strictSame(valuesOf(app.heads[0] ?? '', name), [''])
  }
})

t.test('forward() removes our cookies in both directions and nothing else of them', async (t) => {
  const app = await startPlainApp(
    t,
    'HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: __Host-sallyport=evil; Secure; Path=/\r\n' +
      'Set-Cookie: =__Host-sallyport=evil\r\nset-cookie: b="2"; HttpOnly\r\nContent-Length: 0\r\n\r\n',
  )
  const proxy = await startProxy(t, { app })
  const answer = await talk(
    t,
    proxy.port,
    head('GET /', 'Cookie: z=9; __Host-sallyport=secret; y="8"', 'Connection: close'),
  )
  t.strictSame(valuesOf(app.heads[0] ?? '', 'cookie'), ['z=9; y="8"'])
  t.strictSame(valuesOf(answer, 'set-cookie'), ['a=1; Path=/', 'b="2"; HttpOnly'])
})

t.test('forward() passes no hop-by-hop field on, in neither direction', async (t) => {
  const app = await startPlainApp(
    t,
    'HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=99\r\n' +
      'Proxy-Authenticate: Basic\r\nTrailer: X-T\r\nX-Kept: 1\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '2\r\nok\r\n0\r\nX-T: trailer\r\n\r\n',
  )
  const proxy = await startProxy(t, { app })
  const answer = await talk(
    t,
    proxy.port,
    head(
      'GET /',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'TE: trailers',
      'Keep-Alive: 300',
      'Proxy-Authorization: Basic eA==',
      'Connection: close, Upgrade, HTTP2-Settings',
    ),
  )
  t.strictSame(valuesOf(app.heads[0] ?? '', 'connection'), ['keep-alive'])
  t.notMatch(app.heads[0], /h2c|http2-settings|trailers|keep-alive: 300|proxy-/i)
  t.strictSame(valuesOf(answer, 'connection'), ['close'])
  t.notMatch(answer, /x-secret|keep-alive|proxy-|trailer/i)
  t.strictSame(valuesOf(answer, 'x-kept'), ['1'])
  t.equal(bodyOf(answer), 'ok')
})

t.test(
  'forward() frames every body anew, so that a chunked DELETE stays one request',
  async (t) => {
    const smuggled = 'GET /admin HTTP/1.1\r\nHost: wiki.example.fr\r\n\r\n'
    for (const method of ['DELETE', 'OPTIONS', 'GET', 'POST', 'PUT', 'PATCH']) {
      const app = await startApp(t, async ({ until, send, socket }) => {
        await until(smuggled)
        send(OK)
        socket.end()
      })
      const proxy = await startProxy(t, { app })
      const size = smuggled.length.toString(16)
      const answer = await talk(
        t,
        proxy.port,
        head(`${method} /x`, 'Transfer-Encoding: chunked', 'Connection: close') +
          `${size}\r\n${smuggled}\r\n0\r\nX-Trailer: admin\r\n\r\n`,
      )
      t.match(answer, /^HTTP\/1\.1 200/)
      const seen = app.connections[0]?.received() ?? ''
      const coded = valuesOf(seen, 'transfer-encoding')
      const sized = valuesOf(seen, 'content-length')
      t.equal(coded.length + sized.length, 1, `${method} is framed once`)
      t.equal(bodyOf(seen), smuggled, method)
      t.notMatch(seen, /X-Trailer/)
      t.equal(app.connections.length, 1)
    }
  },
)

t.test(
  'forward() passes a sized body on with one Content-Length, whatever the method',
  async (t) => {
    for (const method of ['DELETE', 'GET', 'POST']) {
      const app = await startApp(t, async ({ until, send }) => {
        await until('hello')
        send(OK)
      })
      const proxy = await startProxy(t, { app })
      const request = head(
        `${method} /`,
        'content-LENGTH: 005',
        'Connection: close, Content-Length',
      )
      t.match(await talk(t, proxy.port, `${request}hello`), /^HTTP\/1\.1 200/)
      const seen = app.connections[0]?.received() ?? ''
      t.strictSame(valuesOf(seen, 'content-length'), ['5'], method)
      t.equal(bodyOf(seen), 'hello')
    }
  },
)

t.test('forward() never lets two framings through (D3)', async (t) => {
  const app = await startPlainApp(t, OK)
  const proxy = await startProxy(t, { app })
  for (const fields of [
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Content-Length: 5', 'content-length: 6'],
    ['Content-Length: 5', 'content-length: 5'],
    ['Transfer-Encoding: chunked, identity'],
    ['Content-Length: +5'],
  ]) {
    const answer = await talk(t, proxy.port, `${head('POST /', ...fields)}hello`)
    t.match(answer, /^HTTP\/1\.1 400/, fields.join())
  }
  t.equal(app.connections.length, 0)
})

t.test('forward() answers Expect: 100-continue once the app is there for the body', async (t) => {
  const app = await startApp(t, ({ socket, send }) => {
    socket.on('data', (chunk) => {
      if (chunk.includes('hello')) send(OK)
    })
  })
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const proxy = await startProxy(t, { app, hold: () => held })
  const client = await rawClient(t, proxy.port)
  const request = head('POST /', 'Content-Length: 5', 'Expect: 100-continue')
  client.send(request)
  await proxy.arrived
  t.equal(client.text(), '', 'not before the request was let through')
  letGo()
  t.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
  client.send('hello')
  t.match(await client.until('\r\n\r\nok'), /\nHTTP\/1\.1 200 OK/)
  t.strictSame(valuesOf(app.connections[0]?.received() ?? '', 'expect'), [])
  const before = client.text().length
  client.send(head('GET /hello', 'Connection: close'))
  await client.ended
  t.equal(bodyOf(client.text().slice(before)), 'ok', 'the connection is kept and in step')

  const down = await startProxy(t, { app: { origin: 'http://127.0.0.1:1' } })
  const refused = await talk(t, down.port, request)
  t.match(refused, /^HTTP\/1\.1 502/, 'no body is asked for that nobody wants')
  t.strictSame(valuesOf(refused, 'connection'), ['close'])
})

t.test(
  'forward() relays the links of early hints, and takes many interim answers for a fault',
  async (t) => {
    const interim =
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: a=1\r\n\r\n'
    const others =
      'HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: no link\r\n\r\n'
    const few = await startPlainApp(t, `${interim}${others}HTTP/1.1 102 Processing\r\n\r\n${OK}`)
    const { port } = await startProxy(t, { app: few })
    const answer = await talk(t, port, head('GET /', 'Connection: close'))
    const [hints = '', final = ''] = answer.split(/\r\n\r\n(?=HTTP)/)
    t.equal(hints, 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload')
    t.match(final, /^HTTP\/1\.1 200 OK\r\n/)
    t.notMatch(answer, /102|Set-Cookie|X-A|no link/)
    const old = await talk(t, port, 'GET / HTTP/1.0\r\nHost: wiki.example.fr\r\n\r\n')
    t.match(old, /^HTTP\/1\.1 200 OK\r\n/, 'none for HTTP/1.0')
    const storm = await startProxy(t, { app: await startPlainApp(t, interim.repeat(1_000)) })
    const refused = await talk(t, storm.port, head('GET /', 'Connection: close'))
    t.equal(refused.match(/ 103 /g)?.length, 16)
    t.match(refused, /\r\nHTTP\/1\.1 502/)
    t.strictSame(storm.problems, ['broken'])
  },
)

t.test('forward() keeps answers without body right: HEAD, 204, 304 (D14)', async (t) => {
  const answers: Record<string, string> = {
    '/head': 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n',
    '/204': 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n',
    '/204-length': 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    '/204-coded': 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n',
    '/304': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: "x"\r\n\r\n',
  }
  const app = await startPlainApp(t, (text) => answers[text.split(' ')[1] ?? ''] ?? OK)
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('HEAD /head'))
  const headed = await client.until('\r\n\r\n')
  t.strictSame(valuesOf(headed, 'content-length'), ['99'])
  for (const path of ['/204', '/204-length', '/204-coded', '/304']) {
    const before = client.text().length
    client.send(head(`GET ${path}`))
    while (!client.text().slice(before).includes('\r\n\r\n')) await once(client.socket, 'data')
    const answer = client.text().slice(before)
    t.equal(answer.slice(9, 12), path.slice(1, 4))
    t.equal(answer.split('\r\n\r\n')[1], '', `${path} has no body`)
    t.strictSame(valuesOf(answer, 'transfer-encoding'), [], path)
    t.strictSame(valuesOf(answer, 'content-length'), path === '/304' ? ['99'] : [], path)
  }
  const before = client.text().length
  client.send(head('GET /after', 'Connection: close'))
  await client.ended
  t.equal(bodyOf(client.text().slice(before)), 'ok', 'the connection is still in step')
})

t.test('forward() frames for old clients by the end of the connection', async (t) => {
  const app = await startPlainApp(
    t,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  )
  const proxy = await startProxy(t, { app })
  const answer = await talk(t, proxy.port, 'GET / HTTP/1.0\r\nHost: wiki.example.fr\r\n\r\n')
  t.strictSame(valuesOf(answer, 'transfer-encoding'), [])
  t.equal(answer.split('\r\n\r\n')[1], 'ok')
})

t.test('forward() keeps the app’s Date, status, reason and field bytes', async (t) => {
  const app = await startPlainApp(
    t,
    'HTTP/1.1 299 Tr\xe8s bien\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\nX-Latin: caf\xe9 \xff\r\nX_Odd.Name: 1\r\nContent-Length: 0\r\n\r\n',
  )
  const proxy = await startProxy(t, { app })
  const answer = await talk(t, proxy.port, head('GET /', 'X-Latin: \xe9\xff', 'Connection: close'))
  t.match(answer, /^HTTP\/1\.1 299 /)
  t.strictSame(valuesOf(answer, 'date'), ['Mon, 01 Jan 2001 00:00:00 GMT'])
  t.strictSame(valuesOf(answer, 'x-latin'), ['caf\xe9 \xff'])
  t.strictSame(valuesOf(answer, 'x_odd.name'), ['1'])
  t.strictSame(valuesOf(app.heads[0] ?? '', 'x-latin'), ['\xe9\xff'])
})

t.test('forward() passes every byte of a body as it is, small or large', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  for (const times of [1, 32, 33, 1_000]) {
    const body = bytes.toString('latin1').repeat(times)
    const sized = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const proxy = await startProxy(t, { app: await startPlainApp(t, sized) })
    const answer = await talk(t, proxy.port, head('GET /', 'Connection: close'))
    t.ok(bodyOf(answer) === body, `${body.length} bytes`)
  }
})

t.test('forward() lets the security headers be worked in before anything is sent', async (t) => {
  const app = await startPlainApp(t, 'HTTP/1.1 200 OK\r\nServer: old\r\nContent-Length: 0\r\n\r\n')
  const proxy = await startProxy(t, {
    app,
    dress: (headers, status) => {
      const at = headers.findIndex(([name]) => name === 'Server')
      if (at >= 0) headers.splice(at, 1)
      headers.push(['X-Dressed', String(status)])
    },
  })
  const answer = await talk(t, proxy.port, head('GET /', 'Connection: close'))
  t.strictSame(valuesOf(answer, 'x-dressed'), ['200'])
  t.strictSame(valuesOf(answer, 'server'), [])
})

t.test(
  'forward() sends the head of an event stream at once, and each event as it comes',
  async (t) => {
    const app = await startApp(t, async ({ until, send, socket }) => {
      await until('\r\n\r\n')
      send(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      await until('never').catch(() => {})
      socket.destroy()
    })
    const proxy = await startProxy(t, { app })
    const client = await rawClient(t, proxy.port)
    client.send(head('GET /events'))
    await client.until('text/event-stream')
    const [connection] = app.connections
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      connection?.send(`${event.length.toString(16)}\r\n${event}\r\n`)
      await client.until(event)
    }
    t.notMatch(client.text(), /\r\n0\r\n\r\n$/)
    connection?.send('0\r\n\r\n')
    await client.until('\r\n0\r\n\r\n')
  },
)

t.test('forward() streams an upload while the client is still sending it', async (t) => {
  const app = await startApp(t, async ({ until, send }) => {
    await until('first')
    await until('second')
    send(OK)
  })
  const proxy = await startProxy(t, { app })
  const client = await rawClient(t, proxy.port)
  client.send(head('POST /', 'Transfer-Encoding: chunked'))
  client.send('5\r\nfirst\r\n')
  while (app.connections.length === 0) await new Promise(setImmediate)
  await app.connections[0]?.until('first')
  client.send('6\r\nsecond\r\n0\r\n\r\n')
  t.match(await client.until('\r\n\r\nok'), /HTTP\/1\.1 200/)
  const seen = app.connections[0]?.received() ?? ''
  t.strictSame(valuesOf(seen, 'transfer-encoding'), ['chunked'])
  t.strictSame(valuesOf(seen, 'content-length'), [])
  t.equal(bodyOf(seen), 'firstsecond')
})

t.test('forward() carries large bodies whole in both directions', async (t) => {
  const size = 8 * 1024 * 1024
  const bytes = Buffer.alloc(size, 'sallyport ')
  const digest = createHash('sha256').update(bytes).digest('hex')
  const app = await startApp(t, async ({ socket, send }) => {
    const hash = createHash('sha256')
    let seen = 0
    let started = false
    for await (const chunk of socket) {
      let data: Buffer = chunk
      if (!started) {
        started = true
        data = data.subarray(data.indexOf('\r\n\r\n') + 4)
      }
      hash.update(data)
      seen += data.length
      if (seen < size) continue
      send(`HTTP/1.1 200 OK\r\nX-Digest: ${hash.digest('hex')}\r\nContent-Length: ${size}\r\n\r\n`)
      send(bytes)
    }
  })
  const proxy = await startProxy(t, { app })
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { method: 'PUT', body: bytes })
  t.equal(response.headers.get('x-digest'), digest)
  const back = createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex')
  t.equal(back, digest)
})

t.test(
  'forward() keeps memory flat for 200 MB with a client that reads slowly (D13)',
  async (t) => {
    const size = 200 * 1024 * 1024
    const piece = Buffer.alloc(256 * 1024, 'x')
    const app = await startApp(t, async ({ socket, until }) => {
      await until('\r\n\r\n')
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      for (let sent = 0; sent < size; sent += piece.length) {
        if (!socket.write(piece)) await once(socket, 'drain')
      }
    })
    const proxy = await startProxy(t, { app })
    const client = connect({ port: proxy.port, host: '127.0.0.1' })
    t.teardown(() => client.destroy())
    const before = process.memoryUsage().rss
    let highest = 0
    let received = 0
    client.write(head('GET /', 'Connection: close'))
    for await (const chunk of client) {
      const megabytes = received >> 20
      received += chunk.length
      if (received >> 20 === megabytes || (received >> 20) % 10 !== 0) continue
      await new Promise((resolve) => setTimeout(resolve, 20))
      highest = Math.max(highest, process.memoryUsage().rss)
    }
    t.ok(received > size, 'it arrived whole')
    const growth = (highest - before) / 1024 / 1024
    t.ok(growth < 64, `grew by ${growth.toFixed(0)} MiB`)
  },
)

t.test('forward() keeps 200 parallel requests to two apps apart', async (t) => {
  const apps = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const app = await startApp(t, ({ socket }) => {
        socket.on('data', (chunk) => {
          const id = /\/(\d+) /.exec(chunk.toString('latin1'))?.[1] ?? ''
          const body = `${name}-${id}`
          setTimeout(() => {
            socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
          }, Number(id) % 7)
        })
      })
      return { name, proxy: await startProxy(t, { app }) }
    }),
  )
  const answers = await Promise.all(
    apps.flatMap(({ name, proxy }) =>
      Array.from({ length: 100 }, async (_, id) => {
        const response = await fetch(`http://127.0.0.1:${proxy.port}/${id}`)
        return { expected: `${name}-${id}`, body: await response.text() }
      }),
    ),
  )
  t.strictSame(
    answers.filter(({ expected, body }) => expected !== body),
    [],
  )
})
