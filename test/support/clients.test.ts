import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import t from 'tap'
import { createBrowser } from './browser-client.ts'
import { cookieJar } from './cookie-jar.ts'
import { startEchoApp } from './echo-app.ts'
import { fakeClock } from './fake-clock.ts'
import { openRaw, rawAnswer, rawHttp } from './raw-http.ts'

t.test('rawHttp() reads chunked, counted and connection-framed answers', async (t) => {
  const answers: Record<string, string> = {
    '/chunked':
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n',
    '/counted':
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nA: 1\r\na: 2\r\ncontent-length: 2\r\n\r\nno',
    '/empty': 'HTTP/1.1 204\r\n\r\n',
    '/short': 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    '/close': 'HTTP/1.0 200 OK\r\n\r\nto the end',
  }
  await using server = await listen((request) => {
    const paths = [...request.matchAll(/^\w+ (\S+)/gm)].map(([, path = '']) => path)
    const last = paths.at(-1) ?? ''
    return { bytes: paths.map((path) => answers[path]).join(''), end: /short|close/.test(last) }
  })
  const target = { port: server.port }
  const read = (...paths: string[]) =>
    rawHttp(target, paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''), {
      count: paths.length,
    })
  const three = await read('/chunked', '/counted', '/empty')
  t.strictSame(
    three.map(({ status, text }) => [status, text]),
    [
      [200, 'abcde'],
      [404, 'no'],
      [204, ''],
    ],
  )
  t.strictSame(three[1]?.all('A'), ['1', '2'])
  t.match(await read('/short'), [{ text: 'half', complete: false }])
  t.match(await read('/close'), [{ text: 'to the end', complete: true }])
  await t.rejects(
    rawHttp(target, 'GET /chunked HTTP/1.1\r\n\r\n', { count: 2, patience: 50 }),
    /no whole answer in 50 ms/,
  )
})

t.test('startEchoApp() records what reached it', async (t) => {
  await using app = await startEchoApp()
  const target = { port: app.port }
  const body = 'X-Twice: 1\r\nx-twice: 2\r\nContent-Length: 5\r\n\r\nhello'
  const answer = await rawAnswer(target, `PUT /a%2Fb?c HTTP/1.1\r\nHost: app.test\r\n${body}`)
  t.match(JSON.parse(answer.text), { method: 'PUT', url: '/a%2Fb?c', body: 'hello' })
  t.strictSame(app.last().all('X-TWICE'), ['1', '2'])
  t.equal(app.last().complete, true)

  const get = (path: string) => rawAnswer(target, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.equal((await get('/status/418')).status, 418)
  t.strictSame((await get('/set?set-cookie=a%3D1&set-cookie=b%3D2')).all('Set-Cookie'), [
    'a=1',
    'b=2',
  ])
  t.match((await get('/sse?n=2')).text, 'id: 2\ndata: event 2\n\n')
  t.equal((await get('/large?bytes=200000')).body.length, 200_000)
  t.equal((await get('/cut')).complete, false)
  t.strictSame(await rawHttp(target, 'GET /drop HTTP/1.1\r\nHost: a\r\n\r\n'), [])
  t.equal(app.aborted(), 2)

  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/chat`)
  await once(socket, 'open')
  socket.send('ping')
  const [message] = await once(socket, 'message')
  t.equal(message.data, 'ping')
  t.match(app.last(), { url: '/chat', upgrade: true })
  socket.close()
  using raw = await openRaw(target)
  raw.send(
    'GET /ws-refuse HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  t.equal((await raw.response())?.status, 403)
})

t.test('cookieJar() keeps cookies as browsers do', async (t) => {
  const clock = fakeClock()
  const jar = cookieJar(clock.now)
  const app = new URL('https://app.example.test/a/b')
  const sent = (to: string, foreign = false, navigation = true) =>
    jar.header(new URL(to), { foreign, navigation, safe: true })

  t.match(jar.take('__Host-x=1; Path=/; Secure; Domain=example.test', app), /no Domain/)
  t.match(jar.take('__Secure-x=1', app), /wants Secure/)
  t.match(jar.take('x=1; Domain=other.test', app), /not a domain/)
  t.match(jar.take('x=1; Secure', new URL('http://app.example.test/')), /plain http/)
  t.equal(jar.take('x=1; Secure', new URL('http://localhost/')), undefined)
  t.equal(sent('http://localhost/'), 'x=1')

  t.equal(jar.take('__Host-s=1; Path=/; Secure; SameSite=Lax', app), undefined)
  t.equal(jar.take('shared=2; Domain=example.test; Path=/; SameSite=Strict', app), undefined)
  t.equal(jar.take('deep=3; Max-Age=10; SameSite=None; Secure', app), undefined)
  t.equal(sent('https://app.example.test/'), '__Host-s=1; shared=2')
  t.equal(sent('https://other.example.test/'), 'shared=2')
  t.equal(sent('https://app.example.test/a/c'), 'deep=3; __Host-s=1; shared=2')
  t.equal(sent('https://app.example.test/a', true), 'deep=3; __Host-s=1', 'from another site')
  t.equal(sent('https://app.example.test/a', true, false), 'deep=3', 'fetched by another site')
  clock.advance(10_000)
  t.equal(jar.get('https://app.example.test/a', 'deep'), undefined)
  jar.take('__Host-s=; Path=/; Secure; Max-Age=0', app)
  t.equal(sent('https://app.example.test/'), 'shared=2')
})

t.test('createBrowser() walks through pages as a browser', async (t) => {
  await using server = await listen((request) => ({ bytes: site(request), end: true }))
  const seen: string[] = server.requests
  const browser = createBrowser({ route: () => ({ port: server.port, tls: false }) })
  const last = () => seen.at(-1) ?? ''

  const login = await browser.open('https://auth.example.test/login?rt=1')
  t.match(last(), /^Host: auth\.example\.test\r$/m)
  t.match(last(), /^Sec-Fetch-Site: none\r$/m)
  t.notMatch(last(), /^(?:Origin|Referer|Cookie):/m)
  t.equal(login.text, 'Sign in & "go" Stay Sign in Elsewhere')

  await t.rejects(browser.submit(login, login.form(), { nobody: '1' }), /has no field "nobody"/)
  const fields = { user: 'ada', remember: true }
  const sent = await browser.submit(login, login.form('/login'), fields)
  t.match(last(), /^POST \/login HTTP/)
  t.match(last(), 'form_token=a%26b&user=ada&remember=yes&do=in')
  t.match(last(), /^Origin: https:\/\/auth\.example\.test\r$/m)
  t.match(last(), /^Sec-Fetch-Site: same-origin\r$/m)
  t.match(last(), /^Cookie: seen=1\r$/m)
  t.equal(sent.status, 303)
  const app = await browser.follow(sent)
  t.equal(app.url.href, 'https://app.example.test/')
  t.match(last(), /^GET \/ HTTP/)
  t.match(last(), /^Sec-Fetch-Site: same-site\r$/m)
  t.notMatch(last(), /^(?:Origin|Content-Type):/m)

  await browser.fetch(app, '/api', { method: 'DELETE' })
  t.match(last(), /^Sec-Fetch-Mode: cors\r$/m)
  t.match(last(), /^Accept: \*\/\*\r$/m)
  t.match(last(), /^Origin: https:\/\/app\.example\.test\r$/m)

  const strict = await browser.open('https://auth.example.test/no-referrer')
  await browser.submit(strict, strict.form())
  t.match(last(), /^Origin: null\r$/m, 'a page without referrer hides its origin')
  await browser.click(strict, 'http://elsewhere.test/')
  t.notMatch(last(), /^Sec-Fetch/m, 'nothing is told to plain http')
  await t.rejects(browser.open('https://auth.example.test/loop', { follow: true }), /do not end/)
})

/** Pages for the browser to walk through. */
function site(request: string): string {
  const [line = ''] = request.split('\r\n')
  const page = (head: string, body: string) =>
    `HTTP/1.1 200 OK\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  if (line.startsWith('POST /login')) {
    return 'HTTP/1.1 303 See Other\r\nLocation: https://app.example.test/\r\n\r\n'
  }
  if (line.includes('/loop')) return 'HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n'
  const head = line.includes('/no-referrer') ? 'Referrer-Policy: no-referrer\r\n' : ''
  return page(
    `${head}Set-Cookie: seen=1; Secure; SameSite=Lax; Path=/\r\n`,
    `<head><title>x</title></head><p>Sign in &amp; &quot;go&quot;</p>
    <form method=post action="/login"><input type=hidden name=form_token value='a&amp;b'>
    <input name="user"><input type="checkbox" name="remember" value="yes"> Stay
    <button name=do value=in>Sign in</button></form><!-- <form></form> -->
    <a href="http://elsewhere.test/">Elsewhere</a>`,
  )
}

type Answer = { readonly bytes: string; readonly end: boolean }
type RawServer = AsyncDisposable & { readonly port: number; readonly requests: string[] }

/** Answers every request head that came in one piece with the bytes `answer` gives. */
async function listen(answer: (request: string) => Answer): Promise<RawServer> {
  const requests: string[] = []
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => {
      requests.push(data.toString())
      const { bytes, end } = answer(data.toString())
      socket.write(bytes)
      if (end) socket.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return {
    port: address.port,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
