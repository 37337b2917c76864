import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Principal, UserId } from '../../src/identity/principal.ts'
import { startSallyport } from '../support/sallyport.ts'
import { startApp, startPlainApp, startProxy, valuesOf } from './wire.ts'

const REQUESTS = 10_000
const AT_ONCE = 40

/** Bytes that an app should not send: if they reach anybody, it is the wrong one. */
const ALIEN = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Tag: alien\r\n\r\nalien'

/** What goes wrong with the answer to a request; most go right. */
const FAULTS: readonly ((socket: Socket, right: string) => void)[] = [
  (socket, right) => socket.write(right + ALIEN),
  (socket, right) => socket.write(`${right}x`),
  (socket, right) => socket.write(`${right}\r\n${ALIEN}`),
  (socket, right) => socket.write(right.slice(0, -3), () => socket.destroy()),
  (socket, right) => socket.write(right.slice(0, -3), () => socket.resetAndDestroy()),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.end(),
  (socket, right) => socket.end(right),
  (socket, right) => socket.write(right, () => socket.destroy()),
  (socket, right) => socket.write(right.replace(/Content-Length: \d+/, 'Content-Length: 1')),
  (socket, right) => setTimeout(() => socket.write(right), 5),
  (socket, right) => setTimeout(() => socket.write(right + ALIEN), 3),
]

t.test(
  'no byte of one request’s answer reaches another, of 10,000 of two users (D1)',
  async (t) => {
    const app = await startApp(t, ({ socket }) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = text.slice(0, end + 4)
        text = ''
        const tag = Number(/^GET \/(\d+) /.exec(head)?.[1])
        const body = `${valuesOf(head, 'remote-user')[0]}-${tag}`
        const right =
          `HTTP/1.1 200 OK\r\nX-Tag: ${body}\r\n` + `Content-Length: ${body.length}\r\n\r\n${body}`
        const fault = FAULTS[tag % 36]
        if (fault === undefined) socket.write(right)
        else fault(socket, right)
      })
    })
    const proxy = await startProxy(t, {
      app,
      principalOf: (req) => person(String(req.headers['x-user'])),
    })
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
    t.teardown(() => agent.destroy())
    const counts = { whole: 0, refused: 0, cut: 0 }
    const foreign: string[] = []
    let next = 0
    const work = async (user: string) => {
      while (next < REQUESTS) {
        const tag = next++
        const expected = `${user}-${tag}`
        const headers = { 'x-user': user }
        const answer = await ask({ port: proxy.port, path: `/${tag}`, headers, agent })
        const ours = answer.tag === undefined || answer.tag === expected
        const part = answer.tag === undefined ? /^(broken|unreachable|)$/.test(answer.text) : true
        const text = answer.tag === undefined || expected.startsWith(answer.text)
        if (!ours || !part || !text) foreign.push(`${expected} got ${JSON.stringify(answer)}`)
        if (answer.kind === 'cut') counts.cut++
        else if (answer.text === expected) counts.whole++
        else counts.refused++
      }
    }
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) => work(i % 2 === 0 ? 'alice' : 'bob')),
    )
    t.strictSame(foreign, [])
    t.comment(`${JSON.stringify(counts)} over ${app.connections.length} connections`)
    t.ok(counts.whole > REQUESTS / 2, 'most were answered')
    t.ok(app.connections.length < REQUESTS / 2, 'over connections that were used again')
  },
)

t.test('two apps of two places each answer their own requests, 200 at once (D15)', async (t) => {
  const names = ['one-a', 'one-b', 'two-a', 'two-b']
  const apps = await Promise.all(
    names.map(async (name) => {
      const { port } = await startPlainApp(t, (head) => {
        const body = `${name} ${head.split(' ')[1]}`
        return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      })
      return { name, port }
    }),
  )
  const urls = (app: string) =>
    apps
      .filter(({ name }) => name.startsWith(app))
      .map(({ port }) => `"http://127.0.0.1:${port}"`)
      .join(', ')
  await using sallyport = await startSallyport({
    config: `
version: 1
portal: {url: "http://auth.example.test", insecure_http: true}
listen: {http: "127.0.0.1:{{port}}"}
store: "sqlite:{{data}}/sallyport.db"
limits: {default: 100000/1m}
log: {level: info}
apps:
  - {name: One, host: one.example.test, upstream: {urls: [${urls('one')}], policy: round_robin}, rules: [{policy: public}]}
  - {name: Two, host: two.example.test, upstream: {urls: [${urls('two')}], policy: round_robin}, rules: [{policy: public}]}
`,
  })
  const seen = new Map<string, number>()
  const wrong: string[] = []
  await Promise.all(
    Array.from({ length: 200 }, async (_, worker) => {
      for (let i = 0; i < 5; i++) {
        const isOne = (worker + i) % 2 === 0
        const host = isOne ? 'one.example.test' : 'two.example.test'
        const answer = await ask({
          port: sallyport.port,
          path: `/${worker}-${i}`,
          headers: { host },
        })
        const [name = '', path] = answer.text.split(' ')
        seen.set(name, (seen.get(name) ?? 0) + 1)
        if (!name.startsWith(isOne ? 'one' : 'two') || path !== `/${worker}-${i}`) {
          wrong.push(`${host} ${worker}-${i}: ${name} ${path}`)
        }
      }
    }),
  )
  t.strictSame(wrong, [])
  t.strictSame(Object.fromEntries(seen), Object.fromEntries(names.map((name) => [name, 250])))
})

type Answer = {
  readonly kind: 'whole' | 'cut'
  readonly text: string
  readonly tag: string | undefined
}

function ask(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', ...options }, (response) => read(response, resolve))
      .on('error', () => resolve({ kind: 'cut', text: '', tag: undefined }))
      .end()
  })
}

function read(response: IncomingMessage, resolve: (answer: Answer) => void): void {
  let text = ''
  const tag = response.headers['x-tag']
  const done = (kind: Answer['kind']) =>
    resolve({ kind, text, tag: typeof tag === 'string' ? tag : undefined })
  response.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  response.on('error', () => {})
  response.on('close', () => done(response.complete ? 'whole' : 'cut'))
}

function person(name: string): Principal {
  return {
    userId: `usr_${name.padEnd(22, '0')}` as UserId,
    name,
    displayName: name,
    email: `${name}@example.fr`,
    groups: [],
    level: 'one_factor',
    proved: [],
    secondFactorDue: undefined,
  }
}
