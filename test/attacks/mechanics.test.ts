import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t from 'tap'
import { openRaw, type RawResponse } from '../support/raw-http.ts'
import { addBob, bytesOf, HANDSHAKE, PORTAL, startGate, type Wanted } from './gate.ts'

/** The HTTP mechanics of the whole program: framing, limits, and what becomes of broken requests. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)
const HOST = 'Host: app.example.com\r\n'
const SIGNED_IN = `${HOST}Cookie: ${cookie}\r\n`

/** Sends bytes on a connection of their own; gives the answers until Sallyport closes it. */
async function answersTo(bytes: string | Buffer): Promise<readonly RawResponse[]> {
  using connection = await openRaw({ port: gate.sallyport().port })
  connection.send(bytes)
  const answers: RawResponse[] = []
  for (;;) {
    const answer = await connection.response({ patience: 30_000 })
    if (answer === undefined) return answers
    answers.push(answer)
  }
}

/** An honest request is answered: whatever came before harmed nobody. */
async function isWell(): Promise<boolean> {
  return (await gate.ask({ target: '/well', cookie })).status === 200
}

t.test('CONNECT opens no tunnel, and its body is no request (D2)', async (t) => {
  const inner = `GET /inner HTTP/1.1\r\n${SIGNED_IN}\r\n`
  for (const head of [
    `CONNECT app.example.com:443 HTTP/1.1\r\n${SIGNED_IN}\r\n`,
    `CONNECT app.example.com:443 HTTP/1.1\r\n${SIGNED_IN}Content-Length: ${inner.length}\r\n\r\n`,
    `CONNECT 127.0.0.1:${gate.app.port} HTTP/1.1\r\n${SIGNED_IN}Transfer-Encoding: chunked\r\n\r\n`,
  ]) {
    const before = gate.app.requests.length
    const answers = await answersTo(head + inner)
    t.strictSame(
      answers.map(({ status }) => status),
      [405],
      head.slice(0, 60),
    )
    t.equal(gate.app.requests.length, before)
  }
})

t.test('a length said twice is refused, in every spelling (D3)', async (t) => {
  const fields = [
    'Content-Length: 3\r\ncontent-length: 3\r\n',
    'Content-Length: 3\r\nContent-Length: 4\r\n',
    'Content-Length: 3, 3\r\n',
    'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
    'Content-Length: +3\r\n',
    'Content-Length: 0x3\r\n',
    'Content-Length: 3 \r\n 4\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 99999999999999999999\r\n',
  ]
  for (const one of fields) {
    const before = gate.app.requests.length
    const answers = await answersTo(`POST /length HTTP/1.1\r\n${SIGNED_IN}${one}\r\nabc`)
    t.strictSame(
      answers.map(({ status }) => status),
      [400],
      one,
    )
    t.equal(gate.app.requests.length, before, one)
  }
})

t.test('no field carries a line end or a NUL to the app, upgrades too (D4)', async (t) => {
  const before = gate.app.requests.length
  for (const bad of ['\r', '\n', '\0', '\x01', '\x7f']) {
    const handshake = (upgrade: string, key: string) =>
      `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    for (const one of [
      `GET / HTTP/1.1\r\n${SIGNED_IN}X-A: a${bad}b\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: app.example.com${bad}x\r\nCookie: ${cookie}\r\n\r\n`,
      `GET /${bad}x HTTP/1.1\r\n${SIGNED_IN}\r\n`,
      `GET / HTTP/1.1\r\n${SIGNED_IN}${handshake(`websocket${bad}x`, key)}\r\n`,
      `GET / HTTP/1.1\r\n${SIGNED_IN}${handshake('websocket', `${key}${bad}x`)}\r\n`,
    ]) {
      const statuses = (await answersTo(one)).map(({ status }) => status)
      t.strictSame(statuses, [400], JSON.stringify(one))
    }
  }
  t.equal(gate.app.requests.length, before)
  t.ok(await isWell())
})

t.test('what parsers disagree about is refused, or is exactly what was sent (D6)', async (t) => {
  const request = (head: string, body = '') => `${head}\r\n${SIGNED_IN}${body}`
  const broken: readonly string[] = [
    request('GET /broken HTTP/1.1', 'Transfer-Encoding: xchunked\r\n\r\n'),
    request('POST /broken HTTP/1.1', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'),
    request('POST /broken HTTP/1.1', 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n'),
    request('POST /broken HTTP/1.1', ' Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    request('POST /broken HTTP/1.1', 'Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n'),
    request('POST /broken HTTP/1.1', 'Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n'),
    request('POST /broken HTTP/1.1', 'Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n'),
    request('POST /broken HTTP/1.1', 'Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n'),
    request(
      'POST /broken HTTP/1.1',
      'Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\na\r\n',
    ),
    request('POST /broken HTTP/1.1', 'Content-Length:\r\n\r\n'),
    request('GET /broken HTTP/1.1', 'No colon\r\n\r\n'),
    request('GET /broken HTTP/1.1', ': no name\r\n\r\n'),
    request('GET /broken HTTP/1.1', 'X Y: space\r\n\r\n'),
    request('GET /broken HTTP/1.1', 'X-A: 1\r\n folded\r\n\r\n'),
    request('GET /broken HTTP/1.1', 'X-A: 1\n\r\n'),
    request('GET /broken HTTP/1.1 ', '\r\n'),
    request('GET /broken HTTP/1.10', '\r\n'),
    request('GET / http/1.1', '\r\n'),
    request('GET\t/ HTTP/1.1', '\r\n'),
    request('G\0T / HTTP/1.1', '\r\n'),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    `GET / HTTP/1.1\r\nCookie: ${cookie}\r\n\r\n`,
  ]
  for (const [at, one] of broken.entries()) {
    // A second request hides behind each; where it begins is what parsers disagree about.
    const hidden = `GET /hidden-${at} HTTP/1.1\r\n${SIGNED_IN}Connection: close\r\n\r\n`
    const answers = await answersTo(Buffer.from(one + hidden, 'latin1'))
    t.strictSame(
      answers.map(({ status }) => status),
      [400],
      JSON.stringify(one),
    )
  }
  t.ok(await isWell())
  const reached = gate.app.requests.filter(({ url }) => url.startsWith('/hidden'))
  t.strictSame(reached, [], 'nothing that hid behind them')
  const whole = () => gate.app.requests.filter(({ url, complete }) => url === '/broken' && complete)
  t.strictSame(whole(), [], 'and of a body that broke off, no more than its beginning')

  const [twoSpaces, second] = await answersTo(
    `GET   /two-spaces HTTP/1.1\r\n${SIGNED_IN}\r\nGET /behind HTTP/1.1\r\n${SIGNED_IN}Connection: close\r\n\r\n`,
  )
  t.strictSame([twoSpaces?.status, second?.status], [200, 200], 'read in one way by everybody')
  t.equal(gate.app.requests.at(-2)?.url, '/two-spaces')
  for (const version of ['0.9', '2.0']) {
    const [answer] = await answersTo(`GET /broken HTTP/${version}\r\n${SIGNED_IN}\r\n`)
    t.equal(answer?.status, 505)
  }
  t.strictSame(whole(), [])
  const hosts = `GET / HTTP/1.1\r\nHost: app.example.com\r\nHost: open.example.com\r\nCookie: ${cookie}\r\n`
  t.equal((await answersTo(`${hosts}Connection: close\r\n\r\n`))[0]?.status, 400)
  t.ok(await isWell())
})

t.test('an app that dies at any moment costs that request and no more (D17)', async (t) => {
  const moments: readonly ((socket: Socket) => void)[] = [
    (socket) => socket.destroy(),
    (socket) => socket.resetAndDestroy(),
    (socket) => socket.end(),
    (socket) => socket.end('HTTP/1.1 200 OK\r\n'),
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha'),
    (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    (socket) => socket.end('\0\0\0\0'),
  ]
  let moment = moments[0]
  const dying = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => moment?.(socket))
  })
  dying.listen(0, '127.0.0.1')
  await once(dying, 'listening')
  const address = dying.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  await using shaky = await startGate({ upstream: `http://127.0.0.1:${address.port}` })
  for (moment of moments) {
    for (const wanted of [
      { target: '/public/x' },
      { target: '/public/x', method: 'POST', body: 'a=1' },
      { target: '/public/x', headers: HANDSHAKE },
    ] satisfies Wanted[]) {
      const [answer] = await shaky.askAll([wanted])
      t.ok(answer === undefined || answer.status >= 500 || !answer.complete, `${moment}`)
    }
  }
  const page = await shaky.ask({ host: PORTAL, target: '/.sallyport/login' })
  t.equal(page.status, 200, 'and it runs')
  t.equal(shaky.sallyport().logs.filter(({ level }) => level === 'fatal').length, 0)
  dying.close()
})

t.test('heads are read up to a limit, and no further (D18)', async (t) => {
  const field = (size: number) => `X-Long: ${'x'.repeat(size)}\r\n`
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => `X-${n}: ${n}\r\n`).join('')
  const before = gate.app.requests.length
  for (const [fields, status] of [
    [field(8_000), 200],
    [field(16 * 1024), 431],
    [many(101), 200],
    [many(250), 431],
    [many(2_000), 431],
  ] as const) {
    const [answer] = await answersTo(
      `GET /limits HTTP/1.1\r\n${SIGNED_IN}Connection: close\r\n${fields}\r\n`,
    )
    t.equal(answer?.status, status, `${fields.length} bytes`)
  }
  t.equal(gate.app.requests.length, before + 2)
  const [long] = await answersTo(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${SIGNED_IN}\r\n`)
  t.ok(long?.status === 431 || long?.status === 414)
  t.ok(await isWell())
})

t.test('our own answers keep the rules of HTTP (D19, RFC 9110)', async (t) => {
  const asked: readonly Wanted[] = [
    { target: '/' },
    { target: '/', method: 'HEAD' },
    { target: '/', method: 'POST', body: 'x' },
    { target: '/', headers: [['Accept', 'application/json']] },
    { target: '/%', cookie },
    { target: '/denied/x', cookie },
    { target: '/', method: 'TRACE' },
    { target: '*', method: 'OPTIONS' },
    { target: '/', host: 'nobody.example.net' },
    { target: '/', headers: HANDSHAKE },
    { target: '/.sallyport/login', host: PORTAL },
    { target: '/.sallyport/login', host: PORTAL, method: 'HEAD' },
    { target: '/.sallyport/nowhere', host: PORTAL },
    { target: '/.sallyport/login', host: PORTAL, method: 'DELETE' },
    { target: '/.sallyport/check/caddy', host: PORTAL },
    { target: '/livez', host: PORTAL },
  ]
  for (const wanted of asked) {
    const name = `${wanted.method ?? 'GET'} ${wanted.host ?? ''}${wanted.target}`
    using connection = await openRaw({ port: gate.sallyport().port })
    connection.send(bytesOf(wanted))
    const bodyless = wanted.method === 'HEAD'
    const answer = await connection.response({ bodyless, patience: 30_000 })
    if (answer === undefined) throw new Error(name)
    const { status } = answer
    t.match(answer.header('date'), /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/, name)
    t.equal(answer.all('content-length').length <= 1, true, name)
    if (status === 204 || status === 304) {
      t.equal(answer.header('content-length'), undefined, name)
      t.equal(answer.body.length, 0, name)
    }
    if (bodyless) t.equal(connection.pending().length, 0, `${name} has no body`)
    if (status === 405) t.type(answer.header('allow'), 'string', `${name} says what is allowed`)
    if (status === 401 && !name.includes('check')) {
      t.type(answer.header('www-authenticate'), 'string', name)
    }
    if (status >= 300 && status < 400) t.type(answer.header('location'), 'string', name)
    if (status === 429 || status === 503) t.type(answer.header('retry-after'), 'string', name)
    if (answer.body.length > 0) t.type(answer.header('content-type'), 'string', name)
    t.equal(answer.header('server'), undefined, `${name} tells no version`)
    t.equal(answer.header('x-powered-by'), undefined, name)
    t.notMatch(answer.text, /node_modules|\.ts:\d|at .*\(/, `${name} shows nothing of the inside`)
  }
})

t.test('where an app redirects to is its own affair (C3)', async (t) => {
  for (const location of [
    '/next',
    'next?x=1#there',
    '//other.example.net/x',
    'https://other.example.net/a%2Fb',
    `http://127.0.0.1:${gate.app.port}/internal`,
    '../up',
    '?only=query',
    '#fragment',
    '',
  ]) {
    const answer = await gate.ask({
      target: `/set?Location=${encodeURIComponent(location)}`,
      cookie,
    })
    t.strictSame(answer.all('location'), [location])
  }
})
