import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { AppError } from '../../src/lib/app-error.ts'
import { DAY, MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { SpentStore } from '../../src/lib/spent.ts'
import { createWebhookLane, type Delivery, type WebhookRoute } from '../../src/webhook/lane.ts'
import { schemeOf } from '../../src/webhook/scheme.ts'
import { createRoom, readWhole } from '../../src/webhook/whole-body.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { openRaw } from '../support/raw-http.ts'

const SECRET = 'a secret of the sender'
const ROUTE: WebhookRoute = {
  app: 'A',
  path: '/hook',
  methods: new Set(['POST']),
  scheme: schemeOf({ preset: 'github' }),
  secrets: [new Secret(SECRET)],
  tolerance: 5 * MINUTE,
  maxBody: 100_000,
  identity: 'x',
}

/** A real server that hands over each request it gets. */
const requests: IncomingMessage[] = []
const server = createServer((req) => {
  requests.push(req)
  server.emit('arrived')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
t.teardown(() => {
  server.closeAllConnections()
  server.close()
})

/** Sends a head and what comes of the body so far; gives the request and how to send more. */
async function request(head: string) {
  const connection = await openRaw({ port })
  const arrived = once(server, 'arrived')
  connection.send(`POST /hook HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`)
  await arrived
  const req = requests.at(-1)
  if (req === undefined) throw new Error('no request')
  t.teardown(connection.destroy)
  return { req, ...connection }
}
const length = (bytes: number) => `Content-Length: ${bytes}`

function memory(): SpentStore & { readonly spent: Map<string, number> } {
  const spent = new Map<string, number>()
  return {
    spent,
    spend: async (kind, digest, forgetAt) => {
      const key = `${kind} ${digest}`
      if (spent.has(key)) return false
      spent.set(key, forgetAt)
      return true
    },
    giveBack: async (kind, digest) => {
      spent.delete(`${kind} ${digest}`)
    },
  }
}

t.test('readWhole() gives the bytes and takes no more room than they need', async (t) => {
  const room = createRoom(40_000)
  const options = { max: 100_000, patience: MINUTE, room }
  const one = await request(length(30_000))
  const reading = readWhole(one.req, options)
  t.equal(room.take(40_000), true, 'an announcement takes nothing')
  room.free(40_000)
  one.send('x'.repeat(30_000))
  t.match(await reading.outcome, { kind: 'whole', body: Buffer.from('x'.repeat(30_000)) })
  t.equal(room.take(40_000 - 32_768), true)
  t.equal(room.take(1), false)
  room.free(40_000 - 32_768)

  const two = await request(length(10_000))
  two.send('y'.repeat(10_000))
  t.strictSame(await readWhole(two.req, options).outcome, { kind: 'full' }, 'no room for another')
  reading.release()
  reading.release()
  t.equal(room.take(40_000), true, 'given back, once')
  t.equal(room.take(1), false)
})

t.test('readWhole() gives up on bodies that are too long, too slow or cut', async (t) => {
  const room = createRoom(1_000_000)
  const options = { max: 1000, patience: MINUTE, room }
  const announced = await request(length(1001))
  t.strictSame(await readWhole(announced.req, options).outcome, { kind: 'too_large' })

  const streamed = await request('Transfer-Encoding: chunked')
  const reading = readWhole(streamed.req, options)
  for (let i = 0; i < 11; i++) streamed.send(`64\r\n${'x'.repeat(100)}\r\n`)
  t.strictSame(await reading.outcome, { kind: 'too_large' })

  const slow = await request(length(10))
  slow.send('x')
  t.strictSame(await readWhole(slow.req, { ...options, patience: 20 }).outcome, { kind: 'slow' })

  const cut = await request(length(10))
  const left = readWhole(cut.req, options)
  cut.send('x')
  cut.destroy()
  t.strictSame(await left.outcome, { kind: 'gone' })
  t.equal(room.take(1_000_000), true, 'nothing is held')
})

const clock = fakeClock()
const signed = (body: string, id: string) => [
  'X-Hub-Signature-256',
  `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  'X-GitHub-Delivery',
  id,
]
async function deliver(
  lane: ReturnType<typeof createWebhookLane>,
  body: string,
  headers: readonly string[],
  route = ROUTE,
): Promise<Delivery> {
  const { req, send } = await request(length(body.length))
  const { delivery, done } = lane.receive(route, req, { method: 'POST', headers })
  send(body)
  return delivery.finally(done)
}

t.test('receive() spends a message once, for as long as it would be right', async (t) => {
  const spent = memory()
  const checked: number[] = []
  const lane = createWebhookLane({ spent, clock, onChecked: (seconds) => checked.push(seconds) })
  t.match(await deliver(lane, 'a', signed('a', '1')), { kind: 'accepted', body: Buffer.from('a') })
  t.strictSame(await deliver(lane, 'a', signed('a', '2')), { kind: 'refused', reason: 'replay' })
  t.strictSame([...spent.spent.values()], [clock.now() + DAY, clock.now() + DAY])
  t.ok([...spent.spent.keys()].every((key) => /^webhook [0-9a-f]{64}$/.test(key)))
  const elsewhere = { ...ROUTE, path: '/other' }
  t.match(await deliver(lane, 'a', signed('a', '1'), elsewhere), { kind: 'accepted' })
  t.strictSame(await deliver(lane, 'b', signed('a', '3')), { kind: 'refused', reason: 'wrong' })
  t.equal(spent.spent.size, 4, 'what is wrong spends nothing')
  t.equal(checked.length, 4)
  t.ok(checked.every((seconds) => seconds >= 0 && seconds < 60))
})

t.test('receive() lets nothing pass that it cannot remember', async (t) => {
  const down: SpentStore = {
    giveBack: async () => {},
    spend: async () => {
      throw new AppError('store_unavailable', 'no store')
    },
  }
  const lane = createWebhookLane({ spent: down, clock })
  await t.rejects(deliver(lane, 'a', signed('a', '1')), { code: 'store_unavailable' })
  t.strictSame(await deliver(lane, 'a', []), { kind: 'refused', reason: 'missing' })
})
