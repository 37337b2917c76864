import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { newTokenText } from '../../src/tokens/token-text.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { openRaw, type RawResponse, rawAnswer } from '../support/raw-http.ts'
import { startSallyport } from '../support/sallyport.ts'

/** Signed messages through the whole program: what passes, and that nothing else does. */
const HOST = 'app.example.com'
const SECRET = 'first secret of the test'
const NEXT = 'second secret of the test'
const LIMIT = 1024 * 1024

const app = await startEchoApp()
/** An app that does with each message as the next of these says; 0 is a connection cut off. */
const fates: number[] = []
const shaky = createServer((req, res) => {
  req.resume().once('end', () => {
    const fate = fates.shift() ?? 200
    if (fate === 0) req.socket.destroy()
    else res.writeHead(fate).end()
  })
})
shaky.listen(0, '127.0.0.1')
await once(shaky, 'listening')
const shakyAddress = shaky.address() as AddressInfo
const sallyport = await startSallyport({
  env: { HOOK_SECRET: SECRET, HOOK_NEXT: NEXT },
  config: `
version: 1
portal: {url: "https://${HOST}"}
listen: {http: "127.0.0.1:{{port}}"}
trusted_proxies: ["127.0.0.1/32"]
store: "sqlite:{{data}}/sallyport.db"
limits: {default: 90000/1m, webhook: 90000/1m}
log: {format: json, level: debug}
apps:
  - name: App
    host: ${HOST}
    upstream: ${app.url}
    webhooks:
      - {path: /hooks/github, preset: github, secret: ["\${HOOK_SECRET}", "\${HOOK_NEXT}"]}
      - {path: /hooks/stripe, preset: stripe, secret: "\${HOOK_SECRET}"}
      - {path: /hooks/slack, preset: slack, secret: "\${HOOK_SECRET}", identity: slack, max_body: 1KiB}
      - path: /hooks/Own
        preset: generic
        secret: "\${HOOK_SECRET}"
        header: X-Sig
        encoding: base64
        signed: "{timestamp}|{body}"
        timestamp_header: X-Time
        methods: [POST, PUT]
    rules:
      - {path: /hooks/**, policy: public}
      - {policy: one_factor}
  - name: Shaky
    host: shaky.example.com
    upstream: http://127.0.0.1:${shakyAddress.port}
    webhooks: [{path: /hooks/github, preset: github, secret: "\${HOOK_SECRET}"}]
    rules: [{policy: one_factor}]
`,
})
t.teardown(async () => {
  await sallyport.close()
  await app.close()
  shaky.close()
})

const sign = (
  body: string | Buffer,
  key = SECRET,
  prefix = '',
  encoding: 'hex' | 'base64' = 'hex',
) => createHmac('sha256', key).update(prefix).update(body).digest(encoding)
const fresh = () => JSON.stringify({ n: randomBytes(12).toString('hex') })
const seconds = () => String(Math.floor(Date.now() / 1000))

type Sent = {
  readonly host?: string
  readonly path?: string
  readonly method?: string
  readonly headers?: readonly string[]
  readonly body?: string | Buffer
  readonly framing?: readonly string[]
}

function bytesOf({ path = '/hooks/github', method = 'POST', host = HOST, ...sent }: Sent): Buffer {
  const body = Buffer.from(sent.body ?? '')
  const framing = sent.framing ?? [`Content-Length: ${body.length}`]
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...(sent.headers ?? []), ...framing]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body])
}
const send = (sent: Sent): Promise<RawResponse> =>
  rawAnswer({ port: sallyport.port }, bytesOf(sent), { patience: 30_000 })
const github = (
  body: string | Buffer,
  key = SECRET,
  id: string = randomBytes(8).toString('hex'),
) => [`X-Hub-Signature-256: sha256=${sign(body, key)}`, `X-GitHub-Delivery: ${id}`]
const reasons = () =>
  sallyport.logs.filter((line) => line['event'] === 'webhook.refused').map((line) => line['reason'])

t.test('a signed message brings the app no token of ours (A20)', async (t) => {
  for (const [field, passed] of [
    ['Bearer of-the-apps-own', ['Bearer of-the-apps-own']],
    [`Bearer ${newTokenText('svc')}`, []],
  ] as const) {
    const body = fresh()
    const answer = await send({ body, headers: [...github(body), `Authorization: ${field}`] })
    t.equal(answer.status, 200)
    t.strictSame(app.last().all('authorization'), passed)
  }
})

t.test('a signed message reaches the app byte for byte, as its sender', async (t) => {
  const body = Buffer.concat([randomBytes(70_000), Buffer.from('\r\n\0é')])
  const answer = await send({
    body,
    path: '/hooks/github?x=1&x=%2f',
    headers: [
      ...github(body),
      'Remote-User: admin',
      'remote_groups: admins',
      'X-Forwarded-User: admin',
      'Cookie: a=1; __Host-sallyport=abc',
      'Connection: close, Remote-User',
    ],
  })
  t.equal(answer.status, 200)
  const seen = app.last()
  t.equal(seen.url, '/hooks/github?x=1&x=%2f')
  t.equal(seen.bodyLength, body.length)
  t.strictSame(seen.all('content-length'), [String(body.length)])
  t.strictSame(seen.all('remote-user'), ['webhook-github'])
  t.strictSame(seen.all('remote-groups'), [''])
  t.strictSame(seen.all('remote_groups'), [])
  t.strictSame(seen.all('x-forwarded-user'), [])
  t.strictSame(seen.all('cookie'), ['a=1'])
  t.ok(answer.text.includes(seen.bodyHash))
  const { createHash } = await import('node:crypto')
  t.equal(seen.bodyHash, createHash('sha256').update(body).digest('hex'))
})

t.test('every preset, both secrets, chunks, gzip, 100-continue', async (t) => {
  const now = seconds()
  const body = fresh()
  const cases: readonly (readonly [string, Sent, string])[] = [
    ['the other secret', { body, headers: github(body, NEXT) }, 'webhook-github'],
    [
      'Stripe',
      {
        path: '/hooks/stripe',
        body,
        headers: [`Stripe-Signature: t=${now},v1=${sign(body, SECRET, `${now}.`)},v0=x`],
      },
      'webhook-stripe',
    ],
    [
      'Slack',
      {
        path: '/hooks/slack',
        body,
        headers: [
          `X-Slack-Signature: v0=${sign(body, SECRET, `v0:${now}:`)}`,
          `X-Slack-Request-Timestamp: ${now}`,
        ],
      },
      'slack',
    ],
    [
      'a generic one',
      {
        path: '/hooks/Own',
        method: 'PUT',
        body,
        headers: [`X-Sig: ${sign(body, SECRET, `${now}|`, 'base64')}`, `X-Time: ${now}`],
      },
      'webhook-generic',
    ],
  ]
  for (const [title, sent, sender] of cases) {
    t.equal((await send(sent)).status, 200, title)
    t.strictSame(app.last().all('remote-user'), [sender], title)
  }

  const packed = gzipSync(fresh())
  const zipped = await send({
    body: packed,
    headers: [...github(packed), 'Content-Encoding: gzip'],
  })
  t.equal(zipped.status, 200, 'what is signed is what is sent, not what it unpacks to')
  t.equal(app.last().bodyLength, packed.length)
  t.strictSame(app.last().all('content-encoding'), ['gzip'])

  const text = fresh()
  const pieces = [...text].map((one) => `1\r\n${one}\r\n`).join('')
  const chunked = await send({
    body: `${pieces}0\r\n\r\n`,
    framing: ['Transfer-Encoding: chunked'],
    headers: github(text),
  })
  t.equal(chunked.status, 200, 'in pieces of one byte')
  t.equal(app.last().body, text)

  const awaited = fresh()
  using connection = await openRaw({ port: sallyport.port })
  const whole = bytesOf({ body: awaited, headers: [...github(awaited), 'Expect: 100-continue'] })
  connection.send(whole.subarray(0, whole.length - awaited.length))
  while (!connection.pending().includes('100 Continue')) await once(connection.socket, 'data')
  connection.send(awaited)
  t.equal((await connection.response({ patience: 30_000 }))?.status, 200)
  t.equal(app.last().body, awaited)
})

t.test('without a right signature there is one answer, and the log says why', async (t) => {
  const body = fresh()
  const right = github(body)
  const now = seconds()
  const old = String(Number(now) - 3600)
  const stripe = (at: string) => `Stripe-Signature: t=${at},v1=${sign(body, SECRET, `${at}.`)}`
  const cases: readonly (readonly [string, Sent])[] = [
    ['missing', {}],
    ['missing', { body }],
    ['wrong', { body: `${body} `, headers: right }],
    ['wrong', { body, headers: github(body, 'some other secret') }],
    ['malformed', { body, headers: ['X-Hub-Signature-256: x', right[1] ?? ''] }],
    ['repeated', { body, headers: [...right, right[0] ?? ''] }],
    ['repeated', { body, headers: [...right, 'X-GitHub-Delivery: b'] }],
    ['missing', { body, headers: [`X_Hub_Signature_256: sha256=${sign(body)}`, right[1] ?? ''] }],
    ['no_id', { body, headers: right.slice(0, 1) }],
    ['method', { body, headers: right, method: 'PUT' }],
    ['method', { method: 'GET', headers: right }],
    ['method', { method: 'OPTIONS' }],
    ['too_old', { path: '/hooks/stripe', body, headers: [stripe(old)] }],
    ['too_new', { path: '/hooks/stripe', body, headers: [stripe(String(Number(now) + 3600))] }],
    ['missing', { path: '/hooks/stripe', body, headers: right }],
    ['wrong', { path: '/hooks/stripe', body, headers: [stripe(now).replace(now, old)] }],
  ]
  const before = app.requests.length
  const seen = reasons().length
  const answers = new Set<string>()
  for (const [reason, sent] of cases) {
    const answer = await send(sent)
    const { reference, ...told } = JSON.parse(answer.text)
    t.equal(answer.status, 401, reason)
    t.type(reference, 'string')
    answers.add(
      JSON.stringify([answer.headers.filter(([name]) => name !== 'Date').map(([n]) => n), told]),
    )
  }
  t.equal(answers.size, 1, 'nothing tells them apart')
  t.equal(app.requests.length, before, 'the app saw none of them')
  await sallyport.untilLog(() => reasons().length >= seen + cases.length, 30_000)
  t.strictSame(
    reasons().slice(seen),
    cases.map(([reason]) => reason),
  )
  t.notMatch(sallyport.output(), SECRET)
  t.notMatch(sallyport.output(), sign(body))
})

t.test('of 50 copies at once one passes, and no later one', async (t) => {
  const body = fresh()
  const sent = { body, headers: github(body) }
  const before = app.requests.length
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(sent)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.equal(answers.filter(({ status }) => status === 401).length, 49)
  t.equal(app.requests.length, before + 1)
  const again: readonly (readonly [string, readonly string[]])[] = [
    ['the same', sent.headers],
    ['under another name', github(body)],
    [
      'in other letters',
      sent.headers.map((line) => line.replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase())),
    ],
    ['with the other secret', github(body, NEXT)],
  ]
  for (const [title, headers] of again) t.equal((await send({ body, headers })).status, 401, title)
  const other = fresh()
  const id = sent.headers[1]?.split(': ')[1] ?? ''
  t.equal((await send({ body: other, headers: github(other, SECRET, id) })).status, 401, 'its name')

  const now = seconds()
  const twice = `t=${now},v1=${sign(body, SECRET, `${now}.`)}`
  const stripe = (header: string) =>
    send({ path: '/hooks/stripe', body, headers: [`Stripe-Signature: ${header}`] })
  t.equal((await stripe(twice)).status, 200)
  t.equal((await stripe(`${twice},v0=more`)).status, 401)
  t.equal(app.requests.length, before + 2)
})

t.test('a body is read up to its limit and no further', async (t) => {
  const before = app.requests.length
  const full = randomBytes(LIMIT)
  t.equal((await send({ body: full, headers: github(full) })).status, 200, 'to the byte')
  t.equal(app.last().bodyLength, LIMIT)
  const more = randomBytes(LIMIT + 1)
  const announced = await rawAnswer(
    { port: sallyport.port },
    bytesOf({ headers: github(more), framing: [`Content-Length: ${more.length}`] }),
  )
  t.equal(announced.status, 413, 'before a byte of it is read')
  const streamed = await send({
    body: Buffer.concat([
      Buffer.from(`${more.length.toString(16)}\r\n`),
      more,
      Buffer.from('\r\n0\r\n\r\n'),
    ]),
    framing: ['Transfer-Encoding: chunked'],
    headers: github(more),
  })
  t.equal(streamed.status, 413, 'when it turns out so')
  const small = 'x'.repeat(1025)
  t.equal((await send({ path: '/hooks/slack', body: small })).status, 413, 'each path its own')
  t.equal(app.requests.length, before + 1)
})

t.test('other spellings of the path are no way in, though a rule is open', async (t) => {
  const body = fresh()
  const before = app.requests.length
  const spellings = [
    '//hooks/github',
    '/hooks//github',
    '/hooks/github/',
    '/hooks/github;a=1',
    '/hooks/GitHub',
    '/Hooks/github',
    '/hooks/%67ithub',
    '/hooks/github%3fx',
    '/hooks/github.',
    '/hooks/own',
    '/hooks/OWN',
    '/hooks/./github',
    '/hooks/x/../github',
    '/hooks%2fgithub',
    '/hooks\\github',
  ]
  for (const path of spellings) {
    for (const headers of [github(body), []]) {
      t.equal((await send({ path, body, headers })).status, 400, path)
    }
  }
  t.equal(app.requests.length, before, 'none reached the app')

  const handshake = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Origin: https://${HOST}`,
  ]
  const upgrade = await send({ method: 'GET', headers: handshake, framing: [] })
  t.equal(upgrade.status, 400, 'nor as a WebSocket')
  const asked = await send({
    path: '/.sallyport/check/caddy',
    method: 'GET',
    framing: [],
    headers: [
      'X-Forwarded-Method: POST',
      'X-Forwarded-Proto: https',
      `X-Forwarded-Host: ${HOST}`,
      'X-Forwarded-Uri: /hooks/github',
      'X-Forwarded-For: 192.0.2.1',
    ],
  })
  t.equal(asked.status, 400, 'nor by way of a proxy that asks')
  t.equal(app.requests.length, before)
  const near = await send({ method: 'GET', path: '/hooks/githubs', framing: [] })
  t.equal(near.status, 200, 'what is not the path is the rules’ business')
  t.strictSame(app.last().all('remote-user'), [''])
})

t.test('a client that leaves, or an app that does, harms nobody', async (t) => {
  const body = fresh()
  using connection = await openRaw({ port: sallyport.port })
  connection.send(
    bytesOf({ body: body.slice(1), headers: github(body), framing: ['Content-Length: 99'] }),
  )
  connection.destroy()
  t.equal((await send({ body, headers: github(body) })).status, 200)
})

t.test('what the app did not take may be delivered again, and what it took may not', async (t) => {
  const body = fresh()
  const sent = { host: 'shaky.example.com', body, headers: github(body) }
  fates.push(500, 0, 204)
  const statuses: number[] = []
  for (let tries = 0; tries < 4; tries += 1) statuses.push((await send(sent)).status)
  t.strictSame(statuses, [500, 502, 204, 401])
})
