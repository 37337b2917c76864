import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { openRaw } from '../support/raw-http.ts'
import { tempDir } from '../support/temp-dir.ts'
import { ask, HOST, STRANGER, startWorld, type World } from './world.ts'

const LISTEN = `listen: {http: "127.0.0.1:{{port}}"}
trusted_proxies: ["127.0.0.1/32"]`

/** Opens connections, a few at a time, and leaves them be. */
async function open(port: number, count: number, from = '127.0.0.1'): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  const lane = async () => {
    while (sockets.length < count) {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from })
      sockets.push(socket)
      socket.on('error', () => {})
      socket.resume()
      await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    }
  }
  await Promise.all(Array.from({ length: 32 }, lane))
  return sockets
}

function closeAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy()
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await delay(20)
  }
}

const descriptors = ({ sallyport }: World): number =>
  readdirSync(`/proc/${sallyport.pid}/fd`).length
/** MiB. */
const memory = ({ sallyport }: World): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sallyport.pid}/status`, 'utf8'))?.[1]) / 1024

const alive = (sockets: readonly Socket[]): number =>
  sockets.filter((socket) => !socket.destroyed).length

/** `SALLYPORT_CONNECTIONS=10000` for more. */
const COUNT = Number(process.env['SALLYPORT_CONNECTIONS'] ?? 1_500)

t.test(
  `${COUNT} idle connections keep nobody waiting, and go like one that drips (L17, L19)`,
  async (t) => {
    await using world = await startWorld(LISTEN)
    const { port } = world.sallyport
    t.equal((await ask({ port })).status, 200)
    const before = { memory: memory(world), descriptors: descriptors(world) }
    using slow = await openRaw({ port })
    const started = performance.now()
    slow.send('GET / HTTP/1.1\r\n')
    const drip = setInterval(() => slow.send('X'), 500)
    slow.socket.once('close', () => clearInterval(drip))
    const answer = slow.response({ patience: 40_000 }).finally(() => clearInterval(drip))
    const idle = await open(port, COUNT)
    t.ok(alive(idle) >= 0.95 * COUNT, 'a trusted proxy may hold as many as it likes')
    for (let round = 0; round < 5; round++) {
      const asked = performance.now()
      t.equal((await ask({ port, from: STRANGER })).status, 200)
      const waited = performance.now() - asked
      t.ok(waited < 1000, `answered in ${Math.round(waited)} ms`)
    }
    const full = memory(world)
    // Whoever sends nothing is cut off 10 s after connecting (L17).
    t.equal((await answer)?.status, 408)
    const took = performance.now() - started
    t.ok(took > 8_000 && took < 25_000, `a header that drips in: ${Math.round(took)} ms`)
    await until('all are gone', () => alive(idle) === 0)
    await until('descriptors are free', () => descriptors(world) <= before.descriptors + 10)
    const after = memory(world)
    const figures = [before.memory, full, after].map(Math.round).join(' → ')
    t.comment(`${figures} MiB`)
    // NOTE: the heap keeps what it has grown to; a second round would find room in it.
    t.ok(after < before.memory + 32 + COUNT / 64, `${figures} MiB`)
    closeAll(idle)
  },
)

t.test('each address has so many connections, and all together (L19)', async (t) => {
  await using world = await startWorld(LISTEN, {
    limits: 'connections_per_address: 20, connections: 60',
  })
  const { port } = world.sallyport
  const greedy = await open(port, 40, STRANGER)
  await until('the excess is closed', () => alive(greedy) === 20)
  t.equal((await ask({ port, from: '127.0.0.8' })).status, 200, 'others are served')
  t.equal((await ask({ port })).status, 200)
  const line = await world.sallyport.untilLog(
    (one) => one['reason'] === 'connections_per_address',
    20_000,
  )
  t.match(line, { event: 'connection.refused', client_ip: STRANGER })
  const lines = world.sallyport.logs.filter((one) => one['event'] === 'connection.refused')
  t.equal(lines.length, 1, 'one line for 20 of them')

  const proxy = await open(port, 60)
  await until('the total is kept', () => alive(proxy) + alive(greedy) <= 60)
  t.ok(alive(proxy) > 20, 'a trusted proxy is exempt from the cap for one address')
  await world.sallyport.untilLog((one) => one['reason'] === 'connections', 20_000)
  closeAll([...greedy, ...proxy])
  await until('places are given back', () => descriptors(world) < 60)
  t.equal((await ask({ port, from: STRANGER })).status, 200)
})

t.test('out of descriptors, it sheds and recovers (L20)', async (t) => {
  await using world = await startWorld(LISTEN)
  const { sallyport } = world
  t.equal((await ask(sallyport)).status, 200)
  execFileSync('prlimit', [`--pid=${sallyport.pid}`, '--nofile=256:256'])
  const many = await open(sallyport.port, 600)
  await until('it is full', () => descriptors(world) >= 240)
  closeAll(many)
  await until('it is empty', () => descriptors(world) < 60)
  t.equal((await ask(sallyport)).status, 200)
  t.equal((await ask({ port: sallyport.port, from: STRANGER })).status, 200)
})

/** One request over a Unix socket. */
function over(
  socketPath: string,
  path = '/',
  headers: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const all = { host: HOST, ...headers }
    const req = httpRequest({ socketPath, path, headers: all, agent: false }, (res) => {
      res.resume()
      res.on('end', () => resolve(res.statusCode))
    })
    req.on('error', reject)
    req.end()
  })
}

const CHECK = {
  'x-forwarded-method': 'GET',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'asked.example.com',
  'x-forwarded-uri': '/',
  'x-forwarded-for': '203.0.113.7',
}

t.test(
  'a Unix socket: who connects is trusted when that is said, and only then (A17)',
  async (t) => {
    using dir = tempDir()
    const path = dir.at('s.sock')
    const listen = `listen: {http: "unix:${path}|0600"}`
    for (const trusted of [true, false]) {
      await using world = await startWorld(
        `${listen}\ntrusted_proxies: [${trusted ? 'unix, ' : ''}10.0.0.1]`,
      )
      t.equal(statSync(path).mode & 0o777, 0o600)
      t.equal(await over(path, '/', { 'x-forwarded-for': '203.0.113.7' }), 200)
      t.equal(world.told(), trusted ? '203.0.113.7' : '0.0.0.0')
      t.equal(await over(path), 200)
      t.equal(world.told(), '0.0.0.0', 'nobody in particular')
      t.equal(await over(path, '/.sallyport/check/caddy', CHECK), trusted ? 200 : 401)
      t.equal(await over(path, '/.sallyport/readyz'), 200)
      await world.sallyport.kill9()
    }
    t.ok(statSync(path).isSocket(), 'left behind')
    await using again = await startWorld(`${listen}\ntrusted_proxies: [unix]`)
    t.equal(await over(path), 200, 'a socket that was left behind is taken over')
    await t.rejects(startWorld(`${listen}\ntrusted_proxies: [unix]`), /something else listens/)
    t.equal(await over(path), 200)
    await again.sallyport.stop()
  },
)

t.test('over an untrusted Unix socket everybody shares one budget (A17)', async (t) => {
  using dir = tempDir()
  const path = dir.at('s.sock')
  await using _world = await startWorld(
    `listen: {http: "unix:${path}"}\ntrusted_proxies: [10.0.0.1]`,
    { limits: 'connections_per_address: 2' },
  )
  const sockets = [connect({ path }), connect({ path })]
  for (const socket of sockets) await once(socket, 'connect')
  await t.rejects(over(path))
  closeAll(sockets)
})
