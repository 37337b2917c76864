import { renameSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { selfSigned } from '../proxy/certificate.ts'
import { freePort } from '../support/free-port.ts'
import { openRaw } from '../support/raw-http.ts'
import { tempDir } from '../support/temp-dir.ts'
import { ask, HOST, request, startWorld } from './world.ts'

type Shake = {
  readonly name: string | undefined
  readonly protocol: string | null
  readonly alpn: string | false | null
  readonly error: string | undefined
}

/** One handshake, and what came of it. */
function shake(port: number, options: ConnectionOptions = {}): Promise<Shake> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    const end = (error?: Error) => {
      const { subjectaltname } = socket.getPeerCertificate() ?? {}
      resolve({
        name: subjectaltname,
        protocol: socket.getProtocol(),
        alpn: socket.alpnProtocol,
        error: error === undefined ? undefined : ((error as NodeJS.ErrnoException).code ?? ''),
      })
      socket.destroy()
    }
    socket.once('secureConnect', () => end())
    socket.once('error', end)
  })
}

t.test('with listeners for HTTPS and HTTP', async (t) => {
  const dir = tempDir()
  const put = (name: string, ...hosts: string[]) => {
    const pair = selfSigned(...hosts)
    dir.write(`${name}.pem`, pair.cert)
    dir.write(`${name}.key`, pair.key)
    return pair
  }
  const own = put('own', HOST)
  put('wild', '*.example.org', 'exact.example.net')
  const port = await freePort()
  const file = (name: string) =>
    `{certificate: "${dir.at(`${name}.pem`)}", key: "${dir.at(`${name}.key`)}"}`
  const world = await startWorld(
    `listen: {http: "127.0.0.1:{{port}}", https: "127.0.0.1:${port}"}
trusted_proxies: ["127.0.0.7/32"]
tls: {certificates: [${file('own')}, ${file('wild')}]}`,
    { portal: `https://${HOST}:${port}` },
  )
  t.teardown(async () => {
    await world[Symbol.asyncDispose]()
    dir.remove()
  })
  const https = { port, tls: { servername: HOST, ca: own.cert } }
  const http = { port: world.sallyport.port }

  await t.test('requests and WebSockets pass, and the app is told of https', async (t) => {
    t.equal((await ask(https)).status, 200)
    t.equal(world.app.last().all('x-forwarded-proto')[0], 'https')
    t.equal(world.told(), '127.0.0.1')
    using socket = await openRaw(https)
    socket.send(
      `GET /ws HTTP/1.1\r\nHost: ${HOST}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://${HOST}:${port}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    t.equal((await socket.response({ patience: 20_000 }))?.status, 101)
  })

  await t.test('the name asked for chooses the certificate, whatever it is (J2)', async (t) => {
    const names: Readonly<Record<string, RegExp>> = {
      [HOST]: /app\.example\.com/,
      [HOST.toUpperCase()]: /app\.example\.com/,
      'a.example.org': /\*\.example\.org/,
      'exact.example.net': /\*\.example\.org/,
      'a.b.example.org': /app\.example\.com/,
      'example.org': /app\.example\.com/,
      'unknown.test': /app\.example\.com/,
      localhost: /app\.example\.com/,
      [`${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.test`]: /app\.example\.com/,
      __proto__x: /app\.example\.com/,
    }
    for (const [servername, expected] of Object.entries(names)) {
      t.match((await shake(port, { servername })).name, expected, servername)
    }
    t.match((await shake(port)).name, /app\.example\.com/, 'none')
    for (const servername of ['*.example.org', '..', '-', 'a\0b', 'é.test', '%', 'a b', '[::1]']) {
      // Whatever becomes of the handshake, the server goes on (J2).
      await shake(port, { servername }).catch(() => {})
    }
    t.equal((await ask(https)).status, 200)
  })

  await t.test('TLS 1.2 with forward secrecy or newer, HTTP/1.1 alone (J2)', async (t) => {
    const last = (await shake(port)).protocol
    t.equal(last, 'TLSv1.3')
    t.equal((await shake(port, { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2')
    const weak = {
      ciphers: 'DEFAULT@SECLEVEL=0',
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
    } as const
    t.ok((await shake(port, weak)).error)
    for (const ciphers of [
      'AES128-SHA',
      'ECDHE-ECDSA-AES128-SHA256',
      'DHE-RSA-AES128-GCM-SHA256',
    ]) {
      t.ok((await shake(port, { ciphers, maxVersion: 'TLSv1.2' })).error, ciphers)
    }
    t.equal((await shake(port, { ALPNProtocols: ['h2', 'http/1.1'] })).alpn, 'http/1.1')
    t.ok((await shake(port, { ALPNProtocols: ['h2'] })).error, 'h2 is not offered')
  })

  await t.test('plain HTTP: GET is sent to https, anything else refused unheard', async (t) => {
    const from = world.app.requests.length
    const sent = await ask(http, '/a//b?c=d%20e')
    t.equal(sent.status, 308)
    t.equal(sent.header('location'), `https://${HOST}:${port}/a//b?c=d%20e`)
    t.equal(sent.header('connection'), 'close')
    t.equal(sent.header('cache-control'), 'no-store', 'C7')
    t.equal(sent.header('set-cookie'), undefined)
    t.equal(
      (await ask(http, '/', [], { host: `${HOST}:8080` })).header('location'),
      `https://${HOST}:${port}/`,
    )
    t.equal((await ask(http, '/.sallyport/login')).status, 308)
    t.equal((await ask(http, '/livez', [['X-Forwarded-For', '1.2.3.4']])).status, 308)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      t.equal((await ask(http, '/', [], { method })).status, 403, method)
    }
    const evil = await ask(http, '/', [], { host: 'evil.example' })
    t.equal(evil.header('location'), undefined, 'no redirect for hosts that are not ours')
    t.not(evil.status, 200)
    t.notMatch((await ask(http, `http://evil.example/`)).header('location') ?? '', /evil/)
    using socket = await openRaw(http)
    socket.send(
      `GET /ws HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    t.equal((await socket.response({ patience: 20_000 }))?.status, 403)
    t.equal(world.app.requests.length, from, 'nothing of it reached the app')
  })

  await t.test('plain HTTP still serves probes and trusted proxies', async (t) => {
    t.equal((await ask(http, '/.sallyport/readyz')).status, 200)
    t.equal((await ask(http, '/livez')).status, 200)
    t.equal((await ask({ ...http, from: '127.0.0.7' }, '/')).status, 200)
    const check = [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'asked.example.com'],
      ['X-Forwarded-Uri', '/'],
      ['X-Forwarded-For', '203.0.113.5'],
    ] as const
    const path = '/.sallyport/check/caddy'
    t.equal((await ask({ ...http, from: '127.0.0.7' }, path, check)).status, 200)
    t.equal((await ask(http, path, check)).status, 401)
  })

  await t.test('a certificate is renewed under connections, a wrong one never is', async (t) => {
    using kept = await openRaw(https)
    kept.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    t.equal((await kept.response({ patience: 20_000 }))?.status, 200)
    let handshakes = 0
    const failures: unknown[] = []
    let over = false
    const client = async () => {
      while (!over) {
        const { error } = await shake(port, { servername: HOST })
        handshakes++
        if (error !== undefined) failures.push(error)
        await delay(5)
      }
    }
    const clients = Promise.all([client(), client()])
    const { sallyport } = world
    const from = sallyport.logs.length
    const newLog = (event: string, since: number) =>
      sallyport.untilLog(
        (line) => line['event'] === event && sallyport.logs.indexOf(line) >= since,
        30_000,
      )

    const next = selfSigned(HOST, 'renewed.example.com')
    dir.write('own.pem', next.cert)
    // In between, the pair does not fit.
    await newLog('tls.renewal', from)
    t.notMatch((await shake(port)).name, /renewed/)
    dir.write('own.key', next.key)
    await newLog('tls.renewed', from)
    t.match((await shake(port)).name, /renewed/)

    const half = sallyport.logs.length
    dir.write('own.pem', next.cert.slice(0, 300))
    await newLog('tls.renewal', half)
    t.match((await shake(port)).name, /renewed/)

    const third = selfSigned(HOST, 'third.example.com')
    const last = sallyport.logs.length
    dir.write('own.pem.new', third.cert)
    dir.write('own.key.new', third.key)
    renameSync(dir.at('own.key.new'), dir.at('own.key'))
    renameSync(dir.at('own.pem.new'), dir.at('own.pem'))
    await newLog('tls.renewed', last)
    t.match((await shake(port)).name, /third/)
    over = true
    await clients
    t.strictSame(failures, [], `${handshakes} handshakes`)
    kept.send(request())
    t.equal((await kept.response({ patience: 20_000 }))?.status, 200, 'an open connection stays')
    t.notMatch(sallyport.output(), /PRIVATE|BEGIN/)
  })
})
