import { existsSync } from 'node:fs'
import t from 'tap'
import { startAdminer } from './adminer.ts'
import { createBrowser } from './browser-client.ts'
import { startCaddy } from './caddy.ts'
import { startChild } from './child-program.ts'
import { startEchoApp } from './echo-app.ts'
import { type FoldingAnswer, startFoldingPhpApp } from './folding-php-app.ts'
import { startNginx } from './nginx.ts'
import { skipUnless } from './packages.ts'
import { rawAnswer } from './raw-http.ts'
import { runSallyport, startSallyport } from './sallyport.ts'
import { tempDir } from './temp-dir.ts'

t.test(
  'startCaddy() runs a Caddyfile in front of an app',
  { skip: skipUnless('caddy') },
  async (t) => {
    await using app = await startEchoApp()
    await using caddy = await startCaddy(
      `http://app.example.test:{{port}} {\n reverse_proxy 127.0.0.1:${app.port}\n}`,
    )
    const answer = await rawAnswer(caddy, 'GET /a%2Fb HTTP/1.1\r\nHost: app.example.test\r\n\r\n')
    t.match(JSON.parse(answer.text), { method: 'GET', url: '/a%2Fb' })
    t.strictSame(app.last().all('x-forwarded-host'), ['app.example.test'])
  },
)

t.test(
  'startCaddy() speaks TLS with a certificate of its own',
  { skip: skipUnless('caddy') },
  async (t) => {
    await using caddy = await startCaddy(
      'https://app.example.test:{{port}} {\n tls internal\n respond "safe"\n}',
    )
    const request = 'GET / HTTP/1.1\r\nHost: app.example.test\r\n\r\n'
    const tls = { servername: 'app.example.test', ca: caddy.authority() }
    t.equal((await rawAnswer({ port: caddy.port, tls }, request)).text, 'safe')
  },
)

t.test(
  'startCaddy() shows what Caddy said when it does not start',
  { skip: skipUnless('caddy') },
  async (t) => {
    await t.rejects(
      startCaddy('http://:{{port}} {\n nonsense\n}'),
      /unrecognized directive: nonsense/,
    )
  },
)

t.test(
  'startNginx() runs server blocks in front of an app',
  { skip: skipUnless('nginx') },
  async (t) => {
    await using app = await startEchoApp()
    await using nginx = await startNginx(
      `server { listen 127.0.0.1:{{port}}; location / { proxy_pass http://127.0.0.1:${app.port}; } }`,
    )
    const body = 'x'.repeat(100_000)
    const answer = await rawAnswer(
      nginx,
      `POST /up HTTP/1.1\r\nHost: app.example.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    t.equal(answer.status, 200)
    t.equal(app.last().bodyLength, body.length)
    await t.rejects(startNginx('nonsense;'), /unknown directive "nonsense"/)
  },
)

t.test(
  'startFoldingPhpApp() shows how PHP folds header names',
  { skip: skipUnless('php') },
  async (t) => {
    await using app = await startFoldingPhpApp()
    const ask = async (...headers: string[]): Promise<FoldingAnswer> => {
      const head = ['GET /x?y HTTP/1.1', 'Host: app.test', 'Connection: close', ...headers, '', '']
      return JSON.parse((await rawAnswer(app, head.join('\r\n'))).text)
    }
    for (const name of ['Remote-User', 'Remote_User', 'Remote.User', 'remote_user']) {
      t.equal((await ask(`${name}: eve`)).headers['HTTP_REMOTE_USER'], 'eve', name)
    }
    const both = await ask('Remote-User: ada', 'Remote_User: eve')
    t.equal(both.headers['HTTP_REMOTE_USER'], 'eve', 'of two spellings the last one stays')
    t.match(await ask('Remote~User: eve'), {
      uri: '/x?y',
      headers: { 'HTTP_REMOTE~USER': 'eve' },
      requests: 6,
    })
  },
)

t.test(
  'startAdminer() serves Adminer with a database to sign in to',
  { skip: skipUnless('php', 'adminer') },
  async (t) => {
    await using adminer = await startAdminer()
    const browser = createBrowser()
    const login = await browser.open(adminer.url)
    t.match(login.text, 'Adminer')
    const signedIn = await browser.submit(
      login,
      login.form('auth[driver]'),
      {
        'auth[driver]': 'sqlite',
        'auth[server]': '',
        'auth[password]': adminer.password,
        'auth[db]': adminer.database,
      },
      { follow: true },
    )
    t.match(signedIn.text, 'visitors')
  },
)

t.test('startSallyport() waits until the program listens', async (t) => {
  using dir = tempDir()
  // Stands in for the program: says what it was given, listens, ignores SIGTERM when told to.
  const program = dir.write(
    'program.ts',
    `
    import { readFileSync } from 'node:fs'
    const [verb, flag, file] = process.argv.slice(2)
    if (verb === 'fail') { console.error('wrong configuration'); process.exit(78) }
    const port: string = /port=(\\d+)/.exec(flag === '--config' ? readFileSync(file, 'utf8') : flag)[1]
    console.log(JSON.stringify({ msg: 'server.listening', url: 'http://127.0.0.1:' + port }))
    setTimeout(() => console.log('  http://localhost:1/.sallyport/setup?token=a_b-1'), 20)
    setInterval(() => {}, 1000)
    process.on('SIGTERM', () => process.exit(0))
    `,
  )
  await using served = await startSallyport({ config: 'port={{port}}', program })
  t.equal(served.url, `http://127.0.0.1:${served.port}`)
  t.equal(await served.untilSetupLink(), 'http://localhost:1/.sallyport/setup?token=a_b-1')
  t.strictSame(await served.stop(), { code: 0, signal: null })
  await t.rejects(
    served.untilLog(() => false),
    /Sallyport ended/,
  )

  await using protecting = await startSallyport({ args: ['protect', 'port={{port}}'], program })
  t.strictSame(await protecting.kill9(), { code: null, signal: 'SIGKILL' })

  await t.rejects(startSallyport({ args: ['fail'], program }), /wrong configuration/)
  t.match(await runSallyport(['fail'], { program }), { code: 78, stderr: 'wrong configuration\n' })
})

t.test('startSallyport() runs the program itself', async (t) => {
  await using app = await startEchoApp()
  await using sallyport = await startSallyport({
    args: ['protect', app.url, '--listen', '127.0.0.1:{{port}}', '--data', '{{data}}'],
  })
  t.match(await sallyport.untilSetupLink(), `:${sallyport.port}/.sallyport/setup?token=`)
  const login = await createBrowser().open(sallyport.url, { follow: true })
  t.equal(login.url.pathname, '/.sallyport/login')
  t.strictSame(app.requests, [], 'nothing reached the app')
  t.strictSame(await sallyport.stop(), { code: 0, signal: null })
})

t.test('startChild() ends the program when the test dies', async (t) => {
  const parent = startChild(process.execPath, [
    '--input-type=module-typescript',
    '--eval',
    `import { startChild } from ${JSON.stringify(import.meta.resolve('./child-program.ts'))}
     console.log('pid', startChild('sleep', ['60']).pid)
     setInterval(() => {}, 1000)`,
  ])
  const pid = await new Promise<number>((resolve) => {
    parent.onLine((line) => resolve(Number(line.split(' ')[1])))
  })
  t.ok(existsSync(`/proc/${pid}`))
  await parent.stop('SIGKILL')
  for (let tries = 0; tries < 100 && existsSync(`/proc/${pid}/exe`); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.notOk(existsSync(`/proc/${pid}/exe`))
})
