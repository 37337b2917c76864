import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import t from 'tap'
import { type EchoApp, startEchoApp } from '../support/echo-app.ts'
import { startHaproxy } from '../support/haproxy.ts'
import { skipUnless } from '../support/packages.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { haproxyConfig } from '../support/recipes.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The Lua action and the lines around it, when what it asks is not Sallyport as we know it. */
const HOST = 'app.example.test'

t.test(
  'HAProxy, when the answer is not what it should be',
  { skip: skipUnless('haproxy') },
  async (t) => {
    await using echo = await startEchoApp()
    const get = (...headers: readonly string[]) =>
      [`GET /x HTTP/1.1`, `Host: ${HOST}`, ...headers, '\r\n'].join('\r\n')

    const answers: Readonly<Record<string, RequestListener>> = {
      'a 204': (_, res) => res.writeHead(204).end(),
      'a 206': (_, res) => res.writeHead(206).end('x'),
      'a 302 without Location': (_, res) => res.writeHead(302).end(),
      'a 200 of another server': (_, res) => res.writeHead(200).end(),
      'a page of another server': (_, res) =>
        res.writeHead(200, { 'remote-user': 'x' }).end('hello'),
      'a 500': (_, res) => res.writeHead(500).end(),
      'more than fits': (_, res) => res.writeHead(403).end('x'.repeat(200_000)),
      'more headers than fit': (_, res) => res.writeHead(200, manyHeaders(60)).end(),
      'a body that breaks off': (_, res) => {
        res.writeHead(200, { 'content-length': '100' }).write('x')
        setImmediate(() => res.destroy())
      },
      nothing: (_, res) => res.destroy(),
    }
    for (const [what, listener] of Object.entries(answers)) {
      await t.test(`${what}: nobody gets in`, async (t) => {
        await using asked = await listening(createServer(listener))
        await using haproxy = await startHaproxy(configFor(asked.port, echo))
        const answer = await rawAnswer({ port: haproxy.port }, get(), { patience: 60_000 })
        t.not(answer.status, 200)
        t.equal(echo.requests.length, 0)
      })
    }

    await t.test('what is no HTTP at all: nobody gets in', async (t) => {
      const garbage = createTcpServer((socket: Socket) => {
        socket.on('error', () => {})
        socket.end('HTTP/9.9 200 OK\r\n\r\nRemote-User: eve\r\n\r\n')
      })
      await using asked = await listening(garbage)
      await using haproxy = await startHaproxy(configFor(asked.port, echo))
      const answer = await rawAnswer({ port: haproxy.port }, get(), { patience: 60_000 })
      t.ok(answer.status >= 500, String(answer.status))
      t.equal(echo.requests.length, 0)
    })

    await t.test('the Lua action fails: the line behind it keeps the door shut', async (t) => {
      using dir = tempDir()
      const lua = dir.write(
        'broken.lua',
        'core.register_action("sallyport", { "http-req" }, function() error("broken") end, 1)\n',
      )
      const config = configFor(9, echo).replace(/lua-load \S+/, `lua-load ${lua}`)
      await using haproxy = await startHaproxy(config)
      const { status } = await rawAnswer({ port: haproxy.port }, get())
      t.equal(status, 503)
      t.equal(echo.requests.length, 0)
    })

    await t.test(
      'the question holds what HAProxy saw, and nothing else of the client',
      async (t) => {
        const seen: (readonly string[])[] = []
        await using asked = await listening(
          createServer((req, res) => {
            seen.push([req.method ?? '', req.url ?? '', ...req.rawHeaders])
            res.writeHead(200, { 'remote-user': 'ada' }).end()
          }),
        )
        await using haproxy = await startHaproxy(configFor(asked.port, echo))
        const lies = [
          'X-Forwarded-Uri: /public',
          'X-Forwarded-Method: GET',
          'X-Forwarded-For: 198.51.100.7',
          'X-Forwarded-Upgrade: websocket',
          'X-Original-URL: /public',
          'Remote-Groups: admins',
          'Connection: X-Forwarded-Host',
          'Cookie: a=1; __Host-sallyport=t; __Secure-sallyport-device=d; sallyport-form=f; b=2',
          'Cookie: sallyport=x',
        ]
        const bytes = [`POST /a%2Fb/../c//d?x=1&y=%20z HTTP/1.1`, `Host: ${HOST}:8443`, ...lies]
        const answer = await rawAnswer(
          { port: haproxy.port },
          `${[...bytes, 'Content-Length: 3'].join('\r\n')}\r\n\r\nabc`,
        )
        t.equal(answer.status, 200)
        const [method, url, ...headers] = seen[0] ?? []
        t.strictSame([method, url], ['GET', '/.sallyport/check/haproxy'])
        const all = (name: string) =>
          headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name)
        t.strictSame(all('x-forwarded-method'), ['POST'])
        t.strictSame(all('x-forwarded-uri'), ['/a%2Fb/../c//d?x=1&y=%20z'])
        t.strictSame(all('x-forwarded-host'), [`${HOST}:8443`])
        t.strictSame(all('x-forwarded-proto'), ['http'])
        t.strictSame(all('x-forwarded-for'), ['127.0.0.1'])
        t.strictSame(all('x-forwarded-upgrade'), [])
        t.strictSame(all('x-original-url'), [])
        t.strictSame(all('remote-groups'), [])
        t.match(all('cookie').join('; '), '__Host-sallyport=t')
        t.strictSame(echo.last().all('cookie'), ['a=1; b=2'])
        t.strictSame(echo.last().all('remote-user'), ['ada'])
        t.strictSame(
          echo.last().all('remote-groups'),
          [''],
          'what the answer does not say is empty',
        )
        t.equal(echo.last().body, 'abc')
      },
    )
  },
)

function configFor(sallyport: number, echo: EchoApp): string {
  return haproxyConfig([{ host: HOST, sallyport, app: echo.port }])
}

function manyHeaders(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`x-${i}`, 'x'.repeat(1000)] as const),
  )
}

async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
