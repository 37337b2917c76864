import { once } from 'node:events'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import type { SessionId } from '../../src/identity/principal.ts'
import { closeFrame, FrameFollower } from '../../src/proxy/websocket-frames.ts'
import { acceptFor } from '../../src/proxy/websocket-request.ts'
import { closePayload, decodeFrames, encodeFrame, OPCODE } from '../support/websocket-frame.ts'
import { head, rawClient, startApp, startProxy } from './wire.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HANDSHAKE = head(
  'GET /',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
)
const ACCEPTED = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(KEY)}\r\n\r\n`
const session = 'ses_0123456789012345678901' as SessionId

const fromApp = (opcode: number, payload: Buffer | string) =>
  encodeFrame({ opcode, payload, masked: false })

/** What the client got after the head of the 101. */
function framesOf(text: string) {
  return decodeFrames(Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1'))
}

t.test('a session’s end lets the frame on its way through, then says 4401 (E8)', async (t) => {
  const long = 'x'.repeat(70_000)
  const frame = fromApp(OPCODE.text, long)
  const seen: Buffer[] = []
  const app = await startApp(t, async ({ until, send, socket }) => {
    await until('\r\n\r\n')
    send(ACCEPTED)
    socket.on('data', (chunk: Buffer) => seen.push(chunk))
    socket.write(frame.subarray(0, 40_000))
  })
  const proxy = await startProxy(t, { app, session })
  const client = await rawClient(t, proxy.port)
  client.send(HANDSHAKE)
  await client.until('x'.repeat(39_000))
  t.equal(proxy.live.closeHolder(session), 1)
  t.equal(proxy.live.closeHolder(session), 0)
  const appSocket = app.connections[0]?.socket
  // The rest of it, and a message that was begun after the end.
  appSocket?.write(Buffer.concat([frame.subarray(40_000), fromApp(OPCODE.text, 'too late')]))
  await client.until('session ended')
  client.socket.write(encodeFrame({ opcode: OPCODE.close, payload: closePayload(4401) }))
  await client.ended
  const { frames, rest } = framesOf(client.text())
  t.equal(rest.length, 0, 'nothing is cut off')
  t.strictSame(
    frames.map(({ opcode, payload }) => [opcode, payload.length]),
    [
      [OPCODE.text, long.length],
      [OPCODE.close, 15],
    ],
  )
  t.equal(frames[1]?.payload.readUInt16BE(), 4401)
  t.equal(frames[1]?.masked, false)
  if (appSocket !== undefined && !appSocket.destroyed) await once(appSocket, 'close')
  const goodbye = decodeFrames(Buffer.concat(seen)).frames[0]
  t.match(goodbye, { opcode: OPCODE.close, masked: true }, 'the app is told as a client would')
  t.equal(goodbye?.payload.readUInt16BE(), 1001)
  t.strictSame(await proxy.whenUpgradesDone(), [101])
})

t.test('a client or an app that stands still does not keep its connection', async (t) => {
  for (const stuck of ['the app in a frame', 'the client without an answer']) {
    const app = await startApp(t, async ({ until, send, socket }) => {
      await until('\r\n\r\n')
      send(ACCEPTED)
      const frame = fromApp(OPCODE.binary, 'some bytes')
      socket.write(stuck.startsWith('the app') ? frame.subarray(0, 5) : frame)
    })
    const proxy = await startProxy(t, { app, session })
    const client = await rawClient(t, proxy.port)
    client.send(HANDSHAKE)
    await client.until('som')
    const from = performance.now()
    proxy.live.closeHolder(session)
    await client.ended
    t.ok(performance.now() - from > 1_500, `${stuck}: it was waited for`)
    t.strictSame(await proxy.whenUpgradesDone(), [101], stuck)
    t.equal(proxy.live.size(), 0)
  }
})

t.test('an end after the app’s own goodbye adds no second one', async (t) => {
  const app = await startApp(t, async ({ until, send, socket }) => {
    await until('\r\n\r\n')
    send(ACCEPTED)
    socket.write(fromApp(OPCODE.close, closePayload(1000, 'done')))
  })
  const proxy = await startProxy(t, { app, session })
  const client = await rawClient(t, proxy.port)
  client.send(HANDSHAKE)
  await client.until('done')
  proxy.live.closeHolder(session)
  client.socket.write(encodeFrame({ opcode: OPCODE.close, payload: closePayload(1000) }))
  await client.ended
  t.strictSame(
    framesOf(client.text()).frames.map(({ payload }) => payload.readUInt16BE()),
    [1000],
  )
})

t.test('a browser’s kind of client reads every whole message and why it ended', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  t.teardown(() => server.close())
  const closes: unknown[] = []
  let talking = true
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('close', (code) => closes.push(code))
    const talk = () => {
      for (let size = 1; size < 200_000; size *= 3) socket.send('y'.repeat(size))
      if (talking && socket.readyState === WebSocket.OPEN) setImmediate(talk)
    }
    talk()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const proxy = await startProxy(t, { app: { port: address.port }, session })
  for (const [reason, end] of [
    ['4401 session ended', () => proxy.live.closeHolder(session)],
    ['4403 address refused', () => proxy.live.closeAddress('192.0.2.7')],
    ['1001 server is going away', () => proxy.live.closeAll()],
  ] as const) {
    const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`)
    const errors: unknown[] = []
    client.on('error', (error) => errors.push(error))
    let messages = 0
    const enough = new Promise<void>((resolve) => {
      client.on('message', () => {
        if (++messages === 200) resolve()
      })
    })
    await enough
    const closed = once(client, 'close')
    t.equal(end(), 1)
    const [code, text] = await closed
    t.equal(`${code} ${text}`, reason)
    t.strictSame(errors, [], 'no message was torn')
  }
  talking = false
  await proxy.whenUpgradesDone(3)
  for (const socket of server.clients) socket.terminate()
  t.equal(closes.length, 3, 'the app’s side is closed too')
})

t.test('addresses have so many WebSockets and no more, with a session or without', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const proxy = await startProxy(t, { app: { port: address.port }, perAddress: 2 })
  const open = [1, 2].map(() => new WebSocket(`ws://127.0.0.1:${proxy.port}/`))
  await Promise.all(open.map((client) => once(client, 'open')))
  const third = await rawClient(t, proxy.port)
  third.send(HANDSHAKE)
  t.match(await third.until('crowded'), /^HTTP\/1\.1 502/)
  await third.ended
  open[0]?.terminate()
  await proxy.whenUpgradesDone(2)
  const fourth = new WebSocket(`ws://127.0.0.1:${proxy.port}/`)
  await once(fourth, 'open')
  t.equal(proxy.live.size(), 2)
  proxy.live.closeAll()
})

t.test('FrameFollower knows each place between two frames, however they are cut up', async (t) => {
  const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]
  const frames = sizes.flatMap((size) =>
    [true, false].map((masked) =>
      encodeFrame({ opcode: OPCODE.binary, payload: Buffer.alloc(size, 1), masked }),
    ),
  )
  const bytes = Buffer.concat(frames)
  const ends = new Set<number>([0])
  let end = 0
  for (const frame of frames) {
    end += frame.length
    ends.add(end)
  }
  for (const step of [1, 2, 3, 7, 64, 4_096, 65_537, bytes.length]) {
    const follower = new FrameFollower()
    const wrong: number[] = []
    for (let at = 0; at < bytes.length; at += step) {
      if (follower.atBoundary !== ends.has(at)) wrong.push(at)
      follower.pass(bytes.subarray(at, at + step))
    }
    t.strictSame(wrong, [], `${step} at a time`)
    t.ok(follower.atBoundary)
    t.notOk(follower.closed)
  }
  for (let at = 0; at < bytes.length; at += 997) {
    const follower = new FrameFollower()
    follower.pass(bytes.subarray(0, at))
    const next = [...ends].find((place) => place >= at) ?? -1
    t.equal(follower.passToBoundary(bytes.subarray(at)), next - at)
    t.ok(follower.atBoundary)
  }
  const follower = new FrameFollower()
  t.equal(follower.passToBoundary(Buffer.of(0x81)), 0)
  follower.pass(Buffer.of(0x81))
  t.equal(follower.passToBoundary(Buffer.of(5, 1, 2)), undefined)
  t.equal(follower.passToBoundary(Buffer.of(3, 4, 5, 0x88)), 3)
  follower.pass(Buffer.of(0x88, 0))
  t.ok(follower.closed)
})

t.test('closeFrame() is what RFC 6455 5.5.1 says, masked for a client', async (t) => {
  for (const from of ['client', 'server'] as const) {
    const { frames, rest } = decodeFrames(closeFrame(4401, 'session ended', from))
    t.equal(rest.length, 0)
    t.match(frames, [{ fin: true, rsv: 0, opcode: OPCODE.close, masked: from === 'client' }])
    t.equal(frames[0]?.payload.readUInt16BE(), 4401)
    t.equal(frames[0]?.payload.subarray(2).toString(), 'session ended')
  }
})
