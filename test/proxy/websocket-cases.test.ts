import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import { type WebSocket, WebSocketServer } from 'ws'
import { createBrowser } from '../support/browser-client.ts'
import { addPerson, signIn } from '../support/people.ts'
import { openRaw, type RawTarget } from '../support/raw-http.ts'
import { startSallyport } from '../support/sallyport.ts'
import { openWebSocket } from '../support/web-socket.ts'
import {
  closePayload,
  decodeFrames,
  encodeFrame,
  type Frame,
  OPCODE,
} from '../support/websocket-frame.ts'

const { continuation, text, binary, close, ping, pong } = OPCODE
const MiB = 1024 * 1024
const GOODBYE: Frame = { opcode: close, payload: closePayload(1000) }

/** What a client sends: frames, or bytes as they are, in as many writes. */
type Case = {
  readonly name: string
  readonly sends: readonly (Frame | Buffer)[]
  /** Every byte in a write of its own. */
  readonly dripped?: boolean
  /** Fields of the handshake. */
  readonly fields?: readonly string[]
  /** The client ends its side after what it sent. */
  readonly halfClose?: boolean
}

const BAD_UTF8 = Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex')

const CASES: readonly Case[] = [
  ...[0, 1, 125, 126, 127, 65_535, 65_536].flatMap((size): readonly Case[] => [
    { name: `text of ${size}`, sends: [{ opcode: text, payload: 'a'.repeat(size) }, GOODBYE] },
    { name: `bytes of ${size}`, sends: [{ opcode: binary, payload: randomBytes(size) }, GOODBYE] },
  ]),
  {
    name: '16 MiB in one frame',
    sends: [{ opcode: binary, payload: randomBytes(16 * MiB) }, GOODBYE],
  },
  {
    name: 'fragments with pings between them',
    sends: [
      { opcode: text, fin: false, payload: 'one, ' },
      { opcode: ping, payload: 'first' },
      { opcode: continuation, fin: false, payload: '' },
      { opcode: ping, payload: 'second' },
      { opcode: continuation, payload: 'two' },
      GOODBYE,
    ],
  },
  {
    name: 'text a byte at a time',
    dripped: true,
    sends: [{ opcode: text, payload: 'Größe €' }, GOODBYE],
  },
  {
    name: 'a character divided between fragments',
    sends: [
      { opcode: text, fin: false, payload: Buffer.of(0xe2, 0x82) },
      { opcode: continuation, payload: Buffer.of(0xac) },
      GOODBYE,
    ],
  },
  { name: 'ping of 125', sends: [{ opcode: ping, payload: randomBytes(125) }, GOODBYE] },
  {
    name: 'ten pings',
    sends: [
      ...Array.from({ length: 10 }, (_, n): Frame => ({ opcode: ping, payload: `${n}` })),
      GOODBYE,
    ],
  },
  {
    name: 'a pong nobody asked for',
    sends: [{ opcode: pong, payload: 'hello' }, { opcode: text, payload: 'x' }, GOODBYE],
  },
  { name: 'ping of 126', sends: [{ opcode: ping, payload: randomBytes(126) }] },
  { name: 'a ping in fragments', sends: [{ opcode: ping, fin: false, payload: 'x' }] },
  ...[1, 2, 4].map(
    (rsv): Case => ({ name: `reserved bit ${rsv}`, sends: [{ opcode: text, rsv, payload: 'x' }] }),
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode): Case => ({ name: `reserved opcode ${opcode}`, sends: [{ opcode, payload: 'x' }] }),
  ),
  { name: 'a continuation of nothing', sends: [{ opcode: continuation, payload: 'x' }] },
  {
    name: 'a message within a message',
    sends: [
      { opcode: text, fin: false, payload: 'x' },
      { opcode: text, payload: 'y' },
    ],
  },
  { name: 'frames that are not masked', sends: [{ opcode: text, payload: 'x', masked: false }] },
  { name: 'invalid UTF-8', sends: [{ opcode: text, payload: BAD_UTF8 }] },
  {
    name: 'invalid UTF-8 in the second fragment',
    sends: [
      { opcode: text, fin: false, payload: 'x' },
      { opcode: continuation, payload: BAD_UTF8 },
    ],
  },
  {
    name: 'invalid UTF-8 in a reason',
    sends: [{ opcode: close, payload: closePayload(1000, BAD_UTF8) }],
  },
  { name: 'close without a code', sends: [{ opcode: close }] },
  { name: 'close of one byte', sends: [{ opcode: close, payload: 'x' }] },
  {
    name: 'close with the longest reason',
    sends: [{ opcode: close, payload: closePayload(1000, 'r'.repeat(123)) }],
  },
  {
    name: 'close that is too long',
    sends: [{ opcode: close, payload: closePayload(1000, 'r'.repeat(124)) }],
  },
  ...[
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4401, 4999, 0, 999,
    1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535,
  ].map(
    (code): Case => ({
      name: `close code ${code}`,
      sends: [{ opcode: close, payload: closePayload(code) }],
    }),
  ),
  { name: 'a message after the close', sends: [GOODBYE, { opcode: text, payload: 'late' }] },
  { name: 'the end of one side', sends: [{ opcode: text, payload: 'last' }], halfClose: true },
  {
    name: 'the end within a frame',
    sends: [encodeFrame({ opcode: text, payload: 'cut off' }).subarray(0, 5)],
    halfClose: true,
  },
  {
    name: 'compression is agreed on',
    fields: ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'],
    sends: [{ opcode: text, rsv: 4, payload: Buffer.from('f248cdc9c90700', 'hex') }, GOODBYE],
  },
  {
    name: 'a subprotocol',
    fields: ['Sec-WebSocket-Protocol: chat, superchat'],
    sends: [{ opcode: text, payload: 'x' }, GOODBYE],
  },
]

/** Everything a client gets: the fields of the 101 that the two ends agree by, frames, the rest. */
async function transcript(
  target: RawTarget,
  { sends, dripped, fields = [], halfClose }: Case,
  more: readonly string[],
  path: string,
) {
  using connection = await openRaw(target)
  connection.send(
    [
      `GET ${path} HTTP/1.1`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...fields,
      ...more,
      '',
      '',
    ].join('\r\n'),
  )
  const head = await connection.response({ patience: 20_000 })
  const bytes = Buffer.concat(sends.map((one) => (Buffer.isBuffer(one) ? one : encodeFrame(one))))
  if (dripped === true) {
    connection.socket.setNoDelay(true)
    for (const byte of bytes) {
      connection.send(Buffer.of(byte))
      await new Promise(setImmediate)
    }
  } else connection.send(bytes)
  if (halfClose === true) connection.socket.end()
  await connection.closed
  const { frames, rest } = decodeFrames(connection.pending())
  return {
    status: head?.status,
    agreed: ['sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions'].map(
      (name) => head?.header(name),
    ),
    frames: frames.map(({ fin, rsv, opcode, masked, payload }) => ({
      fin,
      rsv,
      opcode,
      masked,
      payload:
        payload.length > 200
          ? `${payload.length} bytes, ${payload.subarray(-8).toString('hex')}`
          : payload.toString('hex'),
    })),
    rest: rest.toString('hex'),
  }
}

/** An app that echoes, with every setting of the protocol in use. */
async function startEcho(): Promise<{
  readonly port: number
  /** How the app saw the connection to this path end, once it has. */
  readonly closed: (path: string) => Promise<string>
  readonly close: () => void
}> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    maxPayload: 64 * MiB,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => [...offered][0] ?? false,
  })
  const closes = new Map<string, PromiseWithResolvers<string>>()
  const closeOf = (path: string) => {
    const known = closes.get(path) ?? Promise.withResolvers<string>()
    closes.set(path, known)
    return known
  }
  server.on('connection', (socket: WebSocket, { url = '' }) => {
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.on('close', (code, reason) => closeOf(url).resolve(`${code} ${reason}`))
  })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return {
    port: address.port,
    closed: (path) => closeOf(path).promise,
    close: () => {
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

t.test('a WebSocket through the proxy is the WebSocket itself', async (t) => {
  const app = await startEcho()
  t.teardown(app.close)
  await using sallyport = await startSallyport({
    config: `
version: 1
portal: {url: 'http://localhost:{{port}}'}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
apps: [{name: Echo, host: localhost, upstream: 'http://127.0.0.1:${app.port}', rules: [{policy: one_factor}]}]
`,
  })
  const ada = await addPerson(sallyport.dataDir, 'ada', { totp: false })
  const browser = createBrowser()
  const home = `http://localhost:${sallyport.port}/`
  const signedIn = async () => {
    await signIn(browser, home, ada).catch(() => {})
    const cookie = browser.cookies.header(new URL(home), {
      foreign: false,
      navigation: true,
      safe: true,
    })
    return { host: `localhost:${sallyport.port}`, cookie }
  }
  const { host, cookie } = await signedIn()
  const fields = [`Host: ${host}`, `Cookie: ${cookie}`]
  for (const [at, one] of CASES.entries()) {
    const [near, far] = [`/direct/${at}?x=%2e`, `/through/${at}?x=%2e`]
    const direct = await transcript({ port: app.port }, one, ['Host: localhost'], near)
    const through = await transcript({ port: sallyport.port }, one, fields, far)
    t.strictSame(through, direct, one.name)
    t.equal(await app.closed(far), await app.closed(near), `${one.name}, for the app`)
  }

  await t.test('who signs out is told so on every WebSocket', async (t) => {
    const open = [1, 2].map(() => openWebSocket(sallyport, '/', { host, cookie }))
    await Promise.all(open.map((socket) => once(socket, 'open')))
    const closed = open.map((socket) => once(socket, 'close'))
    const page = await browser.open(`${home}.sallyport/logout`)
    await browser.submit(page, page.form('logout'))
    for (const [code, reason] of await Promise.all(closed)) {
      t.equal(`${code} ${reason}`, '4401 session ended')
    }
  })

  await t.test('a server that stops says that it goes away', async (t) => {
    const socket = openWebSocket(sallyport, '/', await signedIn())
    await once(socket, 'open')
    const closed = once(socket, 'close')
    const exit = sallyport.stop()
    t.equal((await closed)[0], 1001)
    t.match(await exit, { code: 0 })
  })
})
