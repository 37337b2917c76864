import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { acceptFor } from '../../src/proxy/websocket-request.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { startSallyport } from '../support/sallyport.ts'

/** `SALLYPORT_WEBSOCKETS=9900` for more; each takes two files here and two in Sallyport. */
const COUNT = Number(process.env['SALLYPORT_WEBSOCKETS'] ?? 1_500)
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPTED = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(KEY)}\r\n\r\n`
const KiB = 1024

/** Resident memory in bytes, and how many files and sockets are open. */
function used(pid: number): { readonly memory: number; readonly handles: number } {
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { memory: Number(resident) * KiB, handles: readdirSync(`/proc/${pid}/fd`).length }
}

async function openIdle(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write(
    `GET /idle HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  )
  const [answer]: Buffer[] = await once(socket, 'data')
  if (!answer?.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(`${answer}`)
  return socket
}

/** All of them, a hundred at a time. */
async function openAll(port: number, count = COUNT): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(100, count - sockets.length) }, () =>
      openIdle(port),
    )
    sockets.push(...(await Promise.all(batch)))
  }
  return sockets
}

t.test(
  `${COUNT} idle WebSockets cost little, hold up nobody and leave nothing behind`,
  { skip: process.platform === 'linux' ? false : 'reads /proc' },
  async (t) => {
    const app = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (chunk: Buffer) => {
        const isHandshake = chunk.toString('latin1').startsWith('GET /idle ')
        if (isHandshake) socket.write(ACCEPTED)
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello')
      })
    })
    app.listen(0, '127.0.0.1')
    await once(app, 'listening')
    t.teardown(() => app.close())
    const address = app.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP port')
    await using sallyport = await startSallyport({
      // What is over is cleared away early, so that what is kept shows. What code takes is there
      // from the start.
      env: {
        NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=1',
        NODE_COMPILE_CACHE: undefined,
      },
      config: `
version: 1
portal: {url: 'http://localhost:{{port}}'}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
limits: {default: 900000/1m, websockets_per_address: 20000, connections_per_address: 20000}
apps: [{name: Idle, host: localhost, upstream: 'http://127.0.0.1:${address.port}', rules: [{policy: public}]}]
`,
    })
    const { pid, port } = sallyport
    const request = `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`
    await rawAnswer({ port }, request)
    const idle = used(pid)
    const closed = async (handles: number) => {
      const deadline = performance.now() + 30_000
      while (used(pid).handles > handles + 5 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      t.ok(used(pid).handles <= handles + 5, 'all of them are closed')
    }
    // What the first few cost is the code that serves them.
    for (const socket of await openAll(port, 200)) socket.destroy()
    await closed(idle.handles)
    const before = used(pid)
    const peaks: number[] = []
    for (let round = 0; round < 4; round += 1) {
      const sockets = await openAll(port)
      const open = used(pid)
      peaks.push(open.memory)
      t.ok(
        open.handles - before.handles > 2 * COUNT - 20,
        `all are open: ${before.handles} to ${open.handles}`,
      )
      const since = performance.now()
      t.equal((await rawAnswer({ port }, request)).text, 'hello')
      t.ok(performance.now() - since < 1_000, 'an honest request is answered at once')
      for (const socket of sockets) socket.destroy()
      await closed(before.handles)
    }
    const [first = 0, second = 0, , last = 0] = peaks
    const each = (first - before.memory) / COUNT
    t.comment(`${(each / KiB).toFixed(1)} KiB each; peaks ${peaks.map((n) => n >> 20)} MiB`)
    t.ok(each < 25 * KiB, `${each} bytes each`)
    // If every connection stayed, two rounds would add twice what the first took.
    t.ok(
      last - second < first - before.memory + 8 * KiB * KiB,
      `in MiB: ${peaks.map((n) => n >> 20)}`,
    )
  },
)
