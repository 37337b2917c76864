import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { checkSettings } from '../../src/config/load.ts'
import { parseHost } from '../../src/http/host.ts'
import { type PathOpening, readRequestPath } from '../../src/http/request-path.ts'
import { createLog } from '../../src/log.ts'
import type { Target } from '../../src/policy/target.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson } from '../support/people.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { tempDir } from '../support/temp-dir.ts'
import { HANDSHAKE, PORTAL, sessionOf } from './gate.ts'
import { type Generated, generate, numbers, pathsForApps } from './generated-requests.ts'

/**
 * One reading of the request (B10, O7): what the rules judged is what the app received, to the
 * byte; what was refused reached nobody; and forward-auth says the same of it.
 */
const SEED = Number(process.env['SEED'] ?? 20_261_121)
/** `REQUESTS=100000` for as many as the row asks for. */
const REQUESTS = Number(process.env['REQUESTS'] ?? 30_000)
const UPGRADES = 1_500
const QUESTIONS = 4_000
/** Connections, and requests sent before the first of them is answered. */
const LANES = 8
const AHEAD = 100
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
// A busy machine is given time; the requests are as many on every one.
t.setTimeout(240_000)
t.comment(`seed ${SEED}`)

const OPENED: readonly PathOpening[] = ['encoded_slash', 'backslash', 'encoded_percent']
const CLOSED_RULES = '[{path: /public/**, policy: public}, {policy: one_factor}]'
const OPEN_RULES =
  '[{path: /admin/**, policy: one_factor}, {path: /secret/**, policy: deny}, {policy: public}]'
const isDenied = (path: string) => /^\/secret(?:\/|$)/.test(path)
const isGuarded = (path: string) => /^\/(?:admin|secret)(?:\/|$)/.test(path)
const isPublic = (path: string) => /^\/public(?:\/|$)/.test(path)

const dir = tempDir()
const app = await startByteApp()
const port = await freePort()
/** What the rules saw, by the client's address: each request has one of its own. */
const judged = new Map<string, Target>()
const sallyport = await startProgram()
t.teardown(async () => {
  await sallyport.stop(0)
  app.close()
  dir.remove()
})
const cookie = await signInBob()
/** The requests of the first test and how they were answered. */
let asked: readonly Generated[] = []
let answered: readonly (number | undefined)[] = []

t.test('what is judged is what is forwarded, whatever is asked for (B10, O1, O7)', async (t) => {
  const random = numbers(SEED)
  asked = Array.from({ length: REQUESTS }, () => generate(random))
  answered = await sendAll(asked.map((one, i) => bytesOf(one, i, [])))
  checkAll(t, asked, answered, 200)
})

t.test('a forward-auth question is answered as the request itself is (B10)', async (t) => {
  for (const [contract, ask] of Object.entries(QUESTIONS_OF)) {
    const some = [...asked.slice(0, QUESTIONS).entries()].filter(([, one]) => {
      // What cannot be put behind Envoy's prefix, and a host that nginx would not let in: in a
      // URL it would end where the path begins.
      if (contract === 'envoy') return one.target.startsWith('/')
      return contract !== 'nginx' || !one.host.includes('/')
    })
    const said = await sendAll(some.map(([i, one]) => ask(one, i)))
    const differ = some.flatMap(([i, one], at) => {
      const [direct, other] = [answered[i], said[at]]
      // The parser refuses other targets by itself, and nginx has words of its own.
      const inWords = contract !== 'nginx' && one.target.startsWith('/')
      const same = inWords ? direct === other : (direct === 200) === (other === 200)
      return same ? [] : [{ ...one, direct, other }]
    })
    t.strictSame(differ.slice(0, 5), [], `${contract}, seed ${SEED}`)
    t.ok(said.filter((status) => status === 200).length > QUESTIONS / 20)
  }
})

t.test('what an upgrade is judged by is what is forwarded (B10, D8, O1, O7)', async (t) => {
  judged.clear()
  app.seen.clear()
  const random = numbers(SEED + 1)
  const requests = Array.from({ length: UPGRADES }, () => ({ ...generate(random), method: 'GET' }))
  const statuses = await sendAll(
    requests.map((one, i) => bytesOf(one, i, HANDSHAKE)),
    1,
  )
  checkAll(t, requests, statuses, 101)
})

/** Holds every request against what the rules and the app saw of it. */
function checkAll(
  t: Test,
  requests: readonly Generated[],
  statuses: readonly (number | undefined)[],
  passed: number,
): void {
  const random = numbers(SEED + 2)
  const wrong: { readonly why: string; readonly request: Generated; readonly seen?: unknown }[] = []
  let reached = 0
  for (const [i, request] of requests.entries()) {
    const all = app.seen.get(addressOf(i)) ?? []
    const [seen] = all
    const complain = (why: string) => wrong.push({ why: `${i}: ${why}`, request, seen })
    const status = statuses[i]
    if (seen === undefined) {
      if (status === undefined || status === passed || status >= 500) complain(`was ${status}`)
      continue
    }
    reached++
    if (status !== passed) complain(`was forwarded and answered ${status}`)
    if (all.length > 1) complain('was forwarded twice')
    if (seen.method !== request.method) complain('another method')
    if (seen.target !== request.target) complain('another target')
    const host = parseHost(request.host)
    if (seen.host !== host?.authority) complain('another host')
    const target = judged.get(addressOf(i))
    const openings = /opened\./.test(host?.name ?? '') ? OPENED : []
    const reading = readRequestPath(seen.target, new Set(openings))
    if (target?.method !== seen.method) complain('judged by another method')
    if (target?.host !== parseHost(seen.host)?.name) complain('judged by another host')
    const readings = reading.kind === 'path' ? reading.path.readings : reading.reason
    if (JSON.stringify(target?.readings) !== JSON.stringify(readings)) complain('judged otherwise')
    if (request.known) {
      if (/^open/.test(seen.host) && pathsForApps(seen.target, random).some(isDenied)) {
        complain('opens a denied path')
      }
    } else if (/^closed/.test(seen.host)) {
      if (!pathsForApps(seen.target, random).every(isPublic)) complain('leaves the public path')
    } else if (pathsForApps(seen.target, random).some(isGuarded)) {
      complain('opens a guarded path')
    }
  }
  t.strictSame(wrong.slice(0, 5), [], `${wrong.length} wrong, seed ${SEED}`)
  t.ok(reached > requests.length / 8, `${reached} of ${requests.length} reached the app`)
  t.ok(reached < requests.length * 0.9)
}

/** A client address for each request: it comes back from the rules and from the app. */
function addressOf(i: number): string {
  return `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`
}

type Fields = readonly (readonly [name: string, value: string])[]

function bytesOf({ method, target, host, known }: Generated, i: number, fields: Fields): string {
  return message(`${method} ${target}`, host, [
    ['X-Forwarded-For', addressOf(i)],
    ...(known ? [['Cookie', cookie] as const] : []),
    ...fields,
  ])
}

function message(line: string, host: string, fields: Fields): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${line} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`
}

const QUESTIONS_OF: Readonly<Record<string, (one: Generated, i: number) => string>> = {
  caddy: (one, i) => question('caddy', one, forwarded(one, i)),
  traefik: (one, i) => question('traefik', one, forwarded(one, i)),
  haproxy: (one, i) => question('haproxy', one, forwarded(one, i)),
  nginx: (one, i) =>
    question('nginx', one, [
      ['X-Forwarded-For', addressOf(i)],
      ['X-Original-Method', one.method],
      ['X-Original-URL', `https://${one.host}${one.target}`],
    ]),
  envoy: (one, i) =>
    bytesOf({ ...one, target: `/.sallyport/check/envoy${one.target}` }, i, [
      ['X-Forwarded-Proto', 'https'],
      ['Sallyport-Client', addressOf(i)],
    ]),
}

function forwarded({ method, target, host }: Generated, i: number): Fields {
  return [
    ['X-Forwarded-For', addressOf(i)],
    ['X-Forwarded-Method', method],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Uri', target],
  ]
}

function question(contract: string, { known }: Generated, fields: Fields): string {
  const all = known ? [...fields, ['Cookie', cookie] as const] : fields
  return message(`GET /.sallyport/check/${contract}`, 'open.example.com', all)
}

/** The status of each answer, `undefined` for none. */
async function sendAll(
  messages: readonly string[],
  ahead = AHEAD,
): Promise<readonly (number | undefined)[]> {
  const statuses: (number | undefined)[] = []
  // Where the parser gives up, what was sent behind it would be lost.
  const alone = [...messages.keys()].filter((i) => !/^\S+ \//.test(messages[i] ?? ''))
  const others = [...messages.keys()].filter((i) => /^\S+ \//.test(messages[i] ?? ''))
  const groups = [
    ...alone.map((i) => [i]),
    ...Array.from({ length: Math.ceil(others.length / ahead) }, (_, i) =>
      others.slice(i * ahead, (i + 1) * ahead),
    ),
  ]
  const lane = async () => {
    for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
      const socket = connect({ port, host: '127.0.0.1' })
      const answers = readAnswers(socket)
      socket.write(group.map((i) => messages[i]).join(''), 'latin1')
      for (const i of group) statuses[i] = await answers(messages[i]?.startsWith('HEAD ') ?? false)
      socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return statuses
}

/** Reads one answer after the other: the status, `undefined` when the connection ends. */
function readAnswers(socket: Socket): (bodyless: boolean) => Promise<number | undefined> {
  let text = ''
  let ended = false
  let wake = () => {}
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
    wake()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    ended = true
    wake()
  })
  return async (bodyless) => {
    for (;;) {
      const end = text.indexOf('\r\n\r\n')
      const head = text.slice(0, end)
      const length = bodyless ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (end >= 0 && text.length >= end + 4 + length) {
        text = text.slice(end + 4 + length)
        return Number(head.slice(9, 12))
      }
      if (ended) return undefined
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}

/** An app made of bytes: keeps method, target and `Host` of what came, by the client's address. */
async function startByteApp() {
  const seen = new Map<string, { method: string; target: string; host: string }[]>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: string) => {
      text += chunk
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 2)
        text = text.slice(end + 4)
        const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1\r\n/.exec(head) ?? []
        const [, host = ''] = /\r\nhost: (.*)\r\n/i.exec(head) ?? []
        const [, address = ''] = /\r\nx-forwarded-for: (.*)\r\n/i.exec(head) ?? []
        seen.set(address, [...(seen.get(address) ?? []), { method, target, host }])
        socket.write(/\r\nupgrade: websocket\r\n/i.test(head) ? SWITCHING : EMPTY)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    // A listening TCP server has such an address.
    port: (server.address() as AddressInfo).port,
    seen,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** The program itself, in this process, in front of four apps that are one. */
async function startProgram() {
  const opened = '    allow_in_paths: [encoded_slash, backslash, encoded_percent]\n'
  const apps = ['open', 'opened', 'closed', 'closed-opened'].map((name) =>
    [
      `  - name: ${name}\n    host: ${name}.example.com\n`,
      `    upstream: http://127.0.0.1:${app.port}\n`,
      name.endsWith('opened') ? opened : '',
      `    rules: ${name.startsWith('open') ? OPEN_RULES : CLOSED_RULES}\n`,
    ].join(''),
  )
  const most = '1000000/1m'
  const file = `
version: 1
portal: {url: "https://${PORTAL}", cookie_domain: example.com}
listen: {http: "127.0.0.1:${port}"}
trusted_proxies: ["127.0.0.1/32"]
store: "sqlite:${dir.path}/sallyport.db"
limits: {auth: ${most}, default: ${most}, session: ${most}, websockets_per_session: 10000}
apps:
${apps.join('')}`
  const checked = await checkSettings(file, dir.at('sallyport.yaml'), { env: {} })
  if (checked.kind === 'invalid') throw new Error(JSON.stringify(checked.problems))
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  return startApp(checked.settings, {
    log: createLog({ level: 'error', format: 'json' }, nowhere),
    onTarget: (target) => judged.set(target.address, target),
  })
}

async function signInBob(): Promise<string> {
  const { name: username, password } = await addPerson(dir.path, 'bob', { totp: false })
  const body = new URLSearchParams({ username, password }).toString()
  const head = message('POST /.sallyport/login', PORTAL, [
    ['Origin', `https://${PORTAL}`],
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['Content-Length', String(body.length)],
  ])
  const session = sessionOf(await rawAnswer({ port }, head + body, { patience: 30_000 }))
  if (session === undefined) throw new Error('not signed in')
  return session
}
