import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { selfSigned } from '../proxy/certificate.ts'
import { freePort } from '../support/free-port.ts'
import { startHaproxy } from '../support/haproxy.ts'
import { skipUnless } from '../support/packages.ts'
import { openRaw, type RawResponse } from '../support/raw-http.ts'
import { tempDir } from '../support/temp-dir.ts'
import { ask, HOST, request, STRANGER, startWorld } from './world.ts'

const v1 = (source: string) => `PROXY TCP4 ${source} 192.0.2.1 50000 443\r\n`

function v2(source: readonly number[], command = 0x21): Buffer {
  const body = Buffer.from([...source, 192, 0, 2, 1, 0xc3, 0x50, 1, 0xbb, 4, 0, 1, 0])
  return Buffer.concat([
    Buffer.from('0d0a0d0a000d0a515549540a', 'hex'),
    Buffer.from([command, 0x11, 0, body.length]),
    body,
  ])
}

t.test('behind a PROXY header', async (t) => {
  const dir = tempDir()
  const { cert, key } = selfSigned(HOST)
  dir.write('cert.pem', cert)
  dir.write('key.pem', key)
  const tlsPort = await freePort()
  const haproxyTls = await freePort()
  const world = await startWorld(
    `listen: {http: "127.0.0.1:{{port}}", https: "127.0.0.1:${tlsPort}", proxy_protocol: true, redirect_http: false}
trusted_proxies: ["127.0.0.1/32", "10.0.0.0/8"]
tls: {certificates: {certificate: "${dir.at('cert.pem')}", key: "${dir.at('key.pem')}"}}`,
    { limits: 'connections_per_address: 3' },
  )
  t.teardown(async () => {
    await world[Symbol.asyncDispose]()
    dir.remove()
  })
  const { port } = world.sallyport
  const send = async (
    parts: readonly (string | Uint8Array)[],
    from?: string,
  ): Promise<RawResponse | undefined> => {
    using connection = await openRaw({ port, ...(from === undefined ? {} : { from }) })
    for (const part of parts) {
      connection.send(part)
      // Apart on the wire, so that each is read by itself.
      if (parts.length > 1) await delay(1)
    }
    return await connection.response({ patience: 20_000 })
  }

  await t.test('the address it names is the client, versions 1 and 2', async (t) => {
    t.equal((await send([v1('203.0.113.7') + request()]))?.status, 200)
    t.equal(world.told(), '203.0.113.7')
    await send([Buffer.concat([v2([203, 0, 113, 8]), Buffer.from(request())])])
    t.equal(world.told(), '203.0.113.8')
    await send([`PROXY TCP6 2001:db8::1 ::1 1 2\r\n${request()}`])
    t.equal(world.told(), '2001:db8::1')
  })

  await t.test('it may come byte by byte', async (t) => {
    const bytes = Buffer.from(v1('203.0.113.9') + request())
    const split = Array.from(bytes.subarray(0, 60), (byte) => Buffer.from([byte]))
    t.equal((await send([...split, bytes.subarray(60)]))?.status, 200)
    t.equal(world.told(), '203.0.113.9')
    const binary = v2([203, 0, 113, 10])
    t.equal(
      (await send([...binary].map((byte) => Buffer.from([byte])).concat(Buffer.from(request()))))
        ?.status,
      200,
    )
    t.equal(world.told(), '203.0.113.10')
  })

  await t.test('forwarded headers count only when that address is trusted too', async (t) => {
    const hearsay = [['X-Forwarded-For', '198.51.100.1']] as const
    await send([v1('203.0.113.7') + request('/', hearsay)])
    t.equal(world.told(), '203.0.113.7')
    await send([v1('10.1.2.3') + request('/', hearsay)])
    t.equal(world.told(), '198.51.100.1')
    const check = [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'asked.example.com'],
      ['X-Forwarded-Uri', '/'],
      ['X-Forwarded-For', '203.0.113.5'],
    ] as const
    const path = '/.sallyport/check/caddy'
    t.equal((await send([v1('10.1.2.3') + request(path, check)]))?.status, 200)
    t.equal((await send([v1('203.0.113.7') + request(path, check)]))?.status, 401)
    t.equal((await send([`PROXY UNKNOWN\r\n${request(path, check)}`]))?.status, 401, 'nobody')
    const local = v2([203, 0, 113, 8], 0x20)
    const asked = Buffer.concat([local, Buffer.from(request(path, check))])
    t.equal((await send([asked]))?.status, 200, 'the proxy itself')
  })

  await t.test('without one, from a stranger, or broken: closed unanswered', async (t) => {
    t.equal(await send([request()]), undefined)
    t.equal(await send(['PROXY TCP4 1.2.3.4\r\n', request()]), undefined)
    t.equal(
      await send([v1('203.0.113.7') + v1('203.0.113.7') + request()]).then((a) => a?.status),
      400,
    )
    t.equal(await send([v1('10.1.2.3') + request()], STRANGER), undefined)
    for (const reason of ['proxy_protocol_invalid', 'proxy_protocol_untrusted']) {
      await world.sallyport.untilLog((line) => line['reason'] === reason, 20_000)
    }
    t.equal((await send([v1('203.0.113.7') + request()]))?.status, 200, 'and it goes on')
  })

  await t.test('the connections of an address are counted by it', async (t) => {
    const held = await Promise.all(
      [1, 2, 3].map(async () => {
        const connection = await openRaw({ port })
        connection.send(`${v1('203.0.113.50')}GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
        await connection.response({ patience: 20_000 })
        return connection
      }),
    )
    t.equal(await send([v1('203.0.113.50') + request()]), undefined)
    t.equal((await send([v1('203.0.113.51') + request()]))?.status, 200)
    for (const connection of held) {
      connection.destroy()
      await connection.closed
    }
    await world.sallyport.untilLog((line) => line['reason'] === 'connections_per_address', 20_000)
    let again: RawResponse | undefined
    while (again === undefined) again = await send([v1('203.0.113.50') + request()])
    t.equal(again.status, 200)
  })

  await t.test('it stands before TLS, in one packet with it or not', async (t) => {
    for (const split of [false, true]) {
      const socket = connect({ port: tlsPort, host: '127.0.0.1' })
      await once(socket, 'connect')
      socket.write(v1('203.0.113.77'))
      if (split) await delay(20)
      const secure = tlsConnect({ socket, servername: HOST, ca: cert })
      secure.setEncoding('utf8')
      secure.write(request())
      let text = ''
      for await (const chunk of secure) text += chunk
      t.match(text, /^HTTP\/1\.1 200 /)
      t.equal(world.told(), '203.0.113.77')
    }
  })

  await t.test(
    "HAProxy's own headers, and its checks",
    { skip: skipUnless('haproxy') },
    async (t) => {
      const second = await freePort()
      await using haproxy = await startHaproxy(`
global
  maxconn 100
defaults
  mode tcp
  timeout connect 10s
  timeout client 30s
  timeout server 30s
listen first
  bind 127.0.0.1:{{port}}
  server s 127.0.0.1:${port} send-proxy check check-send-proxy inter 100
listen second
  bind 127.0.0.1:${second}
  server s 127.0.0.1:${port} send-proxy-v2 check check-send-proxy inter 100
listen secure
  bind 127.0.0.1:${haproxyTls}
  server s 127.0.0.1:${tlsPort} send-proxy-v2
`)
      const tls = { servername: HOST, ca: cert }
      const ways = [{ port: haproxy.port }, { port: second }, { port: haproxyTls, tls }]
      for (const [index, way] of ways.entries()) {
        const from = `127.0.0.${20 + index}`
        t.equal(
          (await ask({ ...way, from }, '/', [['X-Forwarded-For', '198.51.100.1']])).status,
          200,
        )
        // It is 127.0.0.0/8 and not the one address that is trusted.
        t.equal(world.told(), from)
      }
      t.notMatch(haproxy.output(), /DOWN/)
    },
  )

  await t.test('2,000 broken starts leave it as it was', async (t) => {
    let seed = 3
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed % below
    }
    const lane = async () => {
      for (let round = 0; round < 250; round++) {
        const bytes = random(2) === 0 ? v2([203, 0, 113, 8]) : Buffer.from(v1('203.0.113.7'))
        bytes[random(bytes.length)] = random(256)
        const socket = connect({ port, host: '127.0.0.1' })
        socket.on('error', () => {})
        socket.end(bytes.subarray(0, 1 + random(bytes.length)))
        socket.resume()
        await once(socket, 'close')
      }
    }
    await Promise.all(Array.from({ length: 8 }, lane))
    t.equal((await send([v1('203.0.113.7') + request()]))?.status, 200)
  })
})
