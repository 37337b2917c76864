import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createAuthenticator, keyOf, recoveryCodesOf } from '../support/authenticator.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { runCommand, runCommandHere } from '../support/command-line.ts'
import { type EchoApp, startEchoApp } from '../support/echo-app.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, type Person, signIn } from '../support/people.ts'
import { openRaw, rawAnswer } from '../support/raw-http.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'
import { openWebSocket } from '../support/web-socket.ts'

function configFor(upstream: string, more = ''): string {
  return `
version: 1
portal: {url: 'http://localhost:{{port}}'}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
apps:
  - name: Echo
    host: localhost
    upstream: ${upstream}
    rules: [{path: /public/**, policy: public}, {policy: two_factor}]
${more}`
}

t.test('serve refuses a wrong configuration with every error at once', async (t) => {
  using dir = tempDir()
  const port = await freePort()
  const file = dir.write(
    'wrong.yaml',
    `version: 1
portal:
  url: http://app.example.test
listen: {http: '127.0.0.1:${port}'}
trusted_proxies: [127.0.0.1/33]
store: sqlite:${dir.at('never.db')}
apps:
  - name: Echo
    host: app.example.test
    upsteam: http://127.0.0.1:3000
    rules: [{policy: two_factors}]
`,
  )
  const served = await runCommand(['serve', '--config', file])
  t.equal(served.code, 78)
  for (const place of ['3:8', '5:19', '10:5', '11:22']) {
    t.match(served.stderr, `${file}:${place} `, `an error at ${place}`)
  }
  t.match(served.stderr, 'did you mean "upstream"')
  await t.rejects(openRaw({ port }), /ECONNREFUSED/, 'nothing listens')
  t.throws(() => readFileSync(dir.at('never.db')), /ENOENT/, 'nothing was made')

  const [validated, missing] = await Promise.all([
    runCommand(['validate', file, '--json']),
    runCommand(['serve', '--config', dir.at('missing.yaml')]),
  ])
  t.equal(validated.code, 78)
  t.match(JSON.parse(validated.stdout), { valid: false })
  t.not(missing.code, 0)
  t.match(missing.stderr, 'missing.yaml')
})

t.test('serve says so when something else listens on its port', async (t) => {
  await using echo = await startEchoApp()
  using dir = tempDir()
  const config = configFor('http://127.0.0.1:9')
    .replaceAll('{{port}}', String(echo.port))
    .replaceAll('{{data}}', dir.path)
  const { code, stderr } = await runCommand(['serve', '--config', dir.write('c.yaml', config)])
  t.equal(code, 69)
  t.match(stderr, `Cannot listen on 127.0.0.1:${echo.port}: something else listens there already.`)
})

t.test('accounts and sessions outlive kill -9, and requests under way a SIGTERM', async (t) => {
  await using echo = await startEchoApp()
  using dir = tempDir()
  const port = await freePort()
  const options = { config: configFor(echo.url), dataDir: dir.path, port }
  const first = await startSallyport(options)
  t.teardown(() => first.close())
  const ada = await addPerson(dir.path, 'ada')
  const browser = createBrowser()
  const home = `http://localhost:${port}/`
  t.equal((await signIn(browser, home, ada)).status, 200)
  t.match(await first.kill9(), { signal: 'SIGKILL' })

  await using second = await startSallyport(options)
  t.equal(second.setupLink(), undefined, 'there is an account')
  t.equal((await browser.open(home)).status, 200, 'still signed in')
  t.equal(
    (await signIn(createBrowser(), `${home}again`, ada)).status,
    200,
    'the account is there, and so is its second factor',
  )

  let finished = false
  const slow = browser.open(`${home}slow?ms=1500`).finally(() => {
    finished = true
  })
  await until(() => echo.requests.at(-1)?.url === '/slow?ms=1500')
  using idle = await openRaw({ port })
  const exit = second.stop()
  await second.untilLog((line) => line['event'] === 'server.draining')
  // It says so just before it does so.
  t.ok(await until(() => refuses(port)), 'no new connection')
  t.notOk(finished, 'while a request is under way')
  t.equal((await slow).status, 200, 'the slow request was finished')
  t.strictSame(await exit, { code: 0, signal: null })
  t.equal((await idle.closed).length, 0)
})

t.test('the command line rules over a running Sallyport', async (t) => {
  await using echo = await startEchoApp()
  await using sallyport = await startSallyport({
    config: configFor(echo.url, 'limits: {auth: 100/1m, lockout: {failures: 3, duration: 15m}}\n'),
  })
  const data = ['--data', sallyport.dataDir]
  const home = `http://localhost:${sallyport.port}/`
  const ada = await addPerson(sallyport.dataDir, 'ada')
  const browser = createBrowser()

  await t.test('user add, user totp and the lists', async (t) => {
    const added = await runCommand(
      [
        'user',
        'add',
        'grace',
        ...data,
        '--email',
        'grace@example.test',
        '--group',
        'admins',
        '--password-stdin',
      ],
      'a password long enough\n',
    )
    t.match(added, { code: 0, stdout: 'Added grace.\n' })
    const short = await runCommand(['user', 'add', 'eve', ...data, '--password-stdin'], 'short\n')
    t.match(short, { code: 2, stderr: 'too short' })
    const { secret } = createAuthenticator('MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK')
    const totp = await runCommandHere([
      'user',
      'totp',
      'grace',
      ...data,
      '--secret',
      secret,
      '--json',
    ])
    t.match(JSON.parse(totp.stdout), { user: 'grace', otpauth: `secret=${secret}` })
    const grace: Person = {
      ...ada,
      name: 'grace',
      password: 'a password long enough',
      authenticator: createAuthenticator(secret),
    }
    t.match(JSON.parse((await signIn(createBrowser(), home, grace)).html), { method: 'GET' })
    t.equal(echo.last().all('remote-groups').join(), 'admins')

    const [users, sessions, version] = await Promise.all([
      runCommandHere(['user', 'list', ...data, '--json']),
      runCommandHere(['session', 'list', ...data, '--json']),
      runCommand(['version', '--json']),
    ])
    t.match(JSON.parse(users.stdout), [
      { name: 'ada', disabled: false, totp_devices: 1 },
      { name: 'grace', groups: ['admins'], email: 'grace@example.test' },
    ])
    t.match(JSON.parse(sessions.stdout), [{ user: 'grace', level: 'two_factor', id: /^ses_/ }])
    t.match(JSON.parse(version.stdout), { version: String, node: process.version })
  })

  await t.test('session revoke ends a session on its next request', async (t) => {
    t.equal((await signIn(browser, home, ada)).status, 200)
    t.equal((await browser.open(home)).status, 200)
    const revoked = await runCommandHere(['session', 'revoke', '--user', 'ada', ...data])
    t.match(revoked, { code: 0, stdout: 'Ended 1 session of ada.' })
    t.equal((await browser.open(home)).status, 302, 'the very next request is refused')
    t.equal((await runCommandHere(['session', 'revoke', 'ses_none', ...data])).code, 1)
    t.equal((await runCommandHere(['session', 'revoke', ...data])).code, 2, 'says which')
  })

  await t.test('user disable keeps an account out, its open WebSocket too', async (t) => {
    await signIn(browser, home, ada)
    const cookie = browser.cookies.header(new URL(home), {
      foreign: false,
      navigation: true,
      safe: true,
    })
    const host = `localhost:${sallyport.port}`
    const socket = openWebSocket(sallyport, '/chat', { host, cookie })
    await once(socket, 'open')
    const closed = once(socket, 'close')
    t.equal((await runCommandHere(['user', 'disable', 'ada', ...data])).code, 0)
    const since = performance.now()
    t.equal((await browser.open(home)).status, 302, 'the very next request is refused')
    t.equal((await closed)[0], 4401)
    t.ok(performance.now() - since < 10_000, 'the WebSocket was closed within seconds')

    const login = await browser.open(home, { follow: true })
    const again = await password(browser, login, ada.name, ada.password)
    t.equal(again.status, 422, 'nor does the right password help')
    t.equal((await runCommandHere(['user', 'enable', 'ada', ...data])).code, 0)
    const let_in = await password(browser, again, ada.name, ada.password)
    t.match(let_in.header('location'), '/.sallyport/login/totp')
    t.equal((await runCommandHere(['user', 'disable', 'nobody', ...data])).code, 1)
  })

  await t.test('user unlock lifts a lock', async (t) => {
    const stranger = createBrowser()
    let page = await stranger.open(home, { follow: true })
    for (let tries = 0; tries < 3; tries += 1) {
      page = await password(stranger, page, ada.name, 'not the password')
      t.equal(page.status, 422)
    }
    const locked = await password(stranger, page, ada.name, ada.password)
    t.equal(locked.status, 422, 'locked: the right password is refused too')
    t.match(await runCommandHere(['user', 'unlock', 'ada', ...data]), { code: 0 })
    const unlocked = await password(stranger, locked, ada.name, ada.password)
    t.match(unlocked.header('location'), '/.sallyport/login/totp')
  })

  await t.test('healthcheck tells ready, not ready and not there apart', async (t) => {
    const sick = createServer((_, response) => response.writeHead(503).end('{"status":"no"}'))
    sick.listen(0, '127.0.0.1')
    await once(sick, 'listening')
    t.teardown(() => sick.close())
    const address = sick.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const [ready, not, gone] = await Promise.all([
      runCommand(['healthcheck', '--json', sallyport.url]),
      runCommand(['healthcheck', `http://127.0.0.1:${port}`]),
      runCommand(['healthcheck', '--json', `http://127.0.0.1:${await freePort()}`]),
    ])
    t.equal(ready.code, 0)
    t.match(JSON.parse(ready.stdout), { status: 200 })
    t.equal(not.code, 1)
    t.equal(gone.code, 69)
    t.match(JSON.parse(gone.stdout), { status: 0 })
  })
})

t.test('no secret is in the logs of a whole flow', async (t) => {
  await using echo = await startEchoApp()
  await using sallyport = await startSallyport({
    config: configFor(echo.url, 'log: {level: debug, format: json}\n'),
  })
  const secrets = new Map<string, string>()
  const browser = watching(createBrowser(), secrets)
  await wholeFlow(t, sallyport, browser, secrets, echo)
  await sallyport.stop()

  const key = readFileSync(`${sallyport.dataDir}/master.key`)
  secrets.set('master key', key.toString('utf8').trim())
  secrets.set('master key, hexadecimal', key.toString('hex'))
  // The link is printed, on purpose and once, apart from the log.
  const log = sallyport.logs.map((line) => JSON.stringify(line)).join('\n')
  const rest = sallyport.output().replace(sallyport.setupLink() ?? '', '')
  t.ok(sallyport.logs.length > 10, 'there is something to look at')
  t.ok(secrets.size > 20, `${secrets.size} secrets`)
  for (const [what, secret] of secrets) {
    for (const spelling of new Set([secret, encodeURIComponent(secret), secret.toLowerCase()])) {
      t.notOk(log.includes(spelling), `${what} is not in the log`)
      t.notOk(rest.includes(spelling), `${what} is not printed`)
    }
  }
})

/** From the setup link to the app, with every mistake on the way; notes what must stay secret. */
async function wholeFlow(
  t: Test,
  sallyport: Sallyport,
  browser: Browser,
  secrets: Map<string, string>,
  echo: EchoApp,
): Promise<void> {
  const link = await sallyport.untilSetupLink()
  secrets.set('setup token', new URL(link).searchParams.get('token') ?? '')
  secrets.set('password', 'pässword nobody knows')
  secrets.set('wrong password', 'wr0ng-passw0rd')
  secrets.set('API key', 'key-of-the-app')
  const setup = await browser.open(link)
  const enrol = await browser.submit(
    setup,
    setup.form(),
    { username: 'ada', password: 'pässword nobody knows' },
    { follow: true },
  )
  const authenticator = createAuthenticator(keyOf(enrol.html))
  secrets.set('TOTP key', authenticator.secret)
  const code = await authenticator.next()
  secrets.set('first code', code)
  const wrong = await browser.submit(enrol, enrol.form('totp'), { totp: '918273' })
  const codes = await browser.submit(wrong, wrong.form('totp'), { totp: code })
  const recovery = recoveryCodesOf(codes.html)
  for (const [index, one] of recovery.entries()) secrets.set(`recovery code ${index}`, one)
  const inside = await browser.submit(codes, codes.form('saved'), { saved: true }, { follow: true })
  t.equal(JSON.parse(inside.html).method, 'GET')
  await browser.fetch(inside, '/api?x=1', {
    headers: { Authorization: 'Bearer key-of-the-app' },
  })
  await browser.open(`${sallyport.url.replace('127.0.0.1', 'localhost')}/drop`)
  t.equal(echo.last().url, '/drop')

  const account = await browser.open(new URL('/.sallyport/account', inside.url))
  await browser.submit(account, account.form('/logout'), {}, { follow: true })
  const login = await browser.open(inside.url, { follow: true })
  const refused = await password(browser, login, 'ada', 'wr0ng-passw0rd')
  t.equal(refused.status, 422)
  const second = await browser.submit(
    refused,
    refused.form('login'),
    { username: 'ada', password: 'pässword nobody knows' },
    { follow: true },
  )
  const other = await browser.click(second, '/login/recovery')
  const mistyped = 'ZZZZZ-ZZZZZ-ZZZZ0'
  secrets.set('mistyped recovery code', mistyped)
  const again = await browser.submit(other, other.form('recovery_code'), {
    recovery_code: mistyped,
  })
  const recovered = await browser.submit(
    again,
    again.form('recovery_code'),
    { recovery_code: recovery[0] ?? '' },
    { follow: true },
  )
  t.equal(recovered.url.href, inside.url.href)
  await browser.open(link)
  await runCommandHere(['session', 'revoke', '--all', '--data', sallyport.dataDir])
  await browser.open(inside.url)
  await rawAnswer(sallyport, 'GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n')
}

/** Notes the value of every cookie of ours that the browser is given. */
function watching(browser: Browser, secrets: Map<string, string>): Browser {
  const note = (page: Page): Page => {
    for (const { name, value } of browser.cookies.all()) {
      if (value.length > 8) secrets.set(`cookie ${name} ${value.slice(0, 4)}…`, value)
    }
    return page
  }
  return {
    ...browser,
    open: async (...args) => note(await browser.open(...args)),
    click: async (...args) => note(await browser.click(...args)),
    submit: async (page, form, fields, visit = {}) => {
      // Step by step: the cookies of every redirect are to be seen.
      let answer = note(await browser.submit(page, form, fields, { ...visit, follow: false }))
      while (visit.follow === true && answer.redirect !== undefined) {
        answer = note(await browser.follow(answer))
      }
      return answer
    },
  }
}

function password(browser: Browser, page: Page, username: string, secret: string): Promise<Page> {
  return browser.submit(page, page.form('login'), { username, password: secret })
}

/** Whether it happened within two seconds. */
async function until(happened: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await happened()) return true
    await delay(10)
  }
  return false
}

async function refuses(port: number): Promise<boolean> {
  try {
    using _ = await openRaw({ port })
    return false
  } catch {
    return true
  }
}
