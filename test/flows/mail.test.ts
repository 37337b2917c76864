import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { createBrowser } from '../support/browser-client.ts'
import { runCommandHere } from '../support/command-line.ts'
import { freePort } from '../support/free-port.ts'
import { startMailServer } from '../support/mail-server.ts'
import { addPerson, type Person, signIn } from '../support/people.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'

const configured = (mail: string) => `version: 1
portal: {url: "http://localhost:{{port}}", name: Exemple SA, languages: [fr, en]}
listen: {http: "127.0.0.1:{{port}}"}
store: "sqlite:{{data}}/sallyport.db"
${mail}
apps:
  - {name: App, host: localhost, upstream: "http://127.0.0.1:9", rules: [{policy: two_factor}]}
`
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0'

/** Signs in with a browser that was never here; ends on the page behind it. */
async function enter(server: Sallyport, person: Person) {
  const browser = createBrowser({ userAgent: FIREFOX })
  const page = await signIn(browser, `http://localhost:${server.port}/.sallyport/account`, person)
  return { page, browser }
}

/** A data folder with somebody who signed in before, long ago. */
async function home(t: Test) {
  const dir = tempDir()
  t.teardown(dir.remove)
  const alice = await addPerson(dir.path, 'alice', { email: 'alice@example.com', totp: false })
  const db = new DatabaseSync(join(dir.path, 'sallyport.db'), { timeout: 5_000 })
  db.exec('update accounts set first_sign_in_at = 1')
  db.close()
  return { dir, alice }
}

function queued(folder: string): readonly Record<string, unknown>[] {
  const db = new DatabaseSync(join(folder, 'sallyport.db'), { readOnly: true, timeout: 5_000 })
  try {
    return db.prepare('select * from mail_queue').all()
  } finally {
    db.close()
  }
}

t.test('a new browser is told of, also when server and program were down meanwhile', async (t) => {
  const { dir, alice } = await home(t)
  const port = await freePort()
  const before = await startMailServer({ port })
  const config = configured(before.config)
  await before.close()
  const caFile = dir.write('ca.pem', before.ca)
  const running = config.replace(before.caFile, caFile)

  await using first = await startSallyport({ config: running, dataDir: dir.path })
  const { page } = await enter(first, alice)
  t.equal(page.status, 200, 'the server is down, and she is in')
  const failed = await first.untilLog(({ event }) => event === 'mail.failed', 20_000)
  t.match(failed, { kind: 'new_device', reason: 'connect' })
  const rows = queued(dir.path)
  t.match(rows, [{ kind: 'new_device' }])
  t.notMatch(JSON.stringify(rows), /alice@|Firefox|Exemple/)
  await first.kill9()

  await using server = await startMailServer({ port, like: before.pair })
  await using second = await startSallyport({ config: running, dataDir: dir.path })
  const [mail] = await server.until(1, 30_000)
  t.equal(mail?.subject, 'Nouvelle connexion\u00a0: Firefox, Windows')
  t.strictSame(mail?.envelope.to, ['alice@example.com'])
  t.match(mail?.links, [`http://localhost:${first.port}/.sallyport/account`])
  await second.untilLog(({ event }) => event === 'mail.sent', 20_000)
  t.strictSame(queued(dir.path), [])

  await enter(second, alice)
  await server.until(2)
  t.equal(server.received.length, 2, 'each once')
  for (const { output } of [first, second]) {
    t.notMatch(
      output(),
      /alice@example\.com|postman pat/,
      'neither address nor password in the log',
    )
  }
  t.equal((await second.stop()).code, 0)
})

t.test('a mail server that hangs holds up nobody, and no stop (L32)', async (t) => {
  const { dir, alice } = await home(t)
  const held = new Set<Socket>()
  const hanging = createServer((socket) => held.add(socket.on('error', () => {})))
  hanging.listen(0, '127.0.0.1')
  await once(hanging, 'listening')
  t.teardown(() => {
    for (const socket of held) socket.destroy()
    hanging.close()
  })
  const { port } = hanging.address() as AddressInfo
  const mail = `mail: {smtp: "smtp://127.0.0.1:${port}", from: no-reply@example.com, timeout: 5m}`
  await using server = await startSallyport({ config: configured(mail), dataDir: dir.path })
  t.equal((await enter(server, alice)).page.status, 200)
  if (held.size === 0) await once(hanging, 'connection')
  t.equal(held.size, 1, 'it is asked, and has not answered yet')
  t.equal((await enter(server, alice)).page.status, 200)
  const ready = await createBrowser().open(`${server.url}/.sallyport/readyz`)
  t.equal(ready.status, 200)
  t.equal((await server.stop()).code, 0)
  t.equal(queued(dir.path).length, 2, 'what was not handed over waits')
})

t.test('mail test says what the server said, or in words what is wrong', async (t) => {
  await using server = await startMailServer()
  const dir = tempDir()
  t.teardown(dir.remove)
  const run = async (mail: string, address = 'bob@example.com') => {
    const file = dir.write('config.yaml', configured(mail).replaceAll('{{port}}', '9091'))
    return runCommandHere(['mail', 'test', address, '--config', file])
  }
  const sent = await run(server.config)
  t.match(sent, { code: 0, stdout: /^Taken: 250/ })
  t.equal(server.received[0]?.subject, 'Message d’essai\u00a0: Exemple SA')
  for (const [mail, words] of [
    [
      server.config.replace('postman pat', 'wrong'),
      /does not accept mail\.user with mail\.password/,
    ],
    [server.config.replace(/ca: [^,]*, /, ''), /no trusted TLS/],
    [server.config.replace(`${server.port}`, `${await freePort()}`), /nobody takes the connection/],
  ] as const) {
    t.match(await run(mail), { code: 1, stderr: words })
  }
  server.refuse({ code: 550, text: 'no such user' })
  t.match(await run(server.config), { code: 1, stderr: /for good: 550.*no such user/ })
  t.match(await run(server.config, 'a@b, c@d'), { code: 2, stderr: /not an e-mail address/ })
  t.match(await run(''), { code: 78, stderr: /There is no mail server/ })
  t.equal(server.received.length, 1)
})

t.test(
  'what an operator changes by the command line waits for the server to tell it',
  async (t) => {
    const { dir } = await home(t)
    await using mail = await startMailServer()
    const config = configured(mail.config).replaceAll('{{data}}', dir.path)
    const file = dir.write('config.yaml', config.replaceAll('{{port}}', '9091'))
    const added = await runCommandHere(['user', 'totp', 'alice', '--config', file])
    t.equal(added.code, 0)
    t.match(queued(dir.path), [{ kind: 'factor_added', tries: 0 }])
    t.equal(mail.connections(), 0)
  },
)

t.test('mail preview writes every mail in both languages', async (t) => {
  const dir = tempDir()
  t.teardown(dir.remove)
  const file = dir.write('config.yaml', configured('').replaceAll('{{port}}', '9091'))
  const all = await runCommandHere(['mail', 'preview', '--config', file, '--out', dir.at('out')])
  t.equal(all.code, 0)
  const files = readdirSync(dir.at('out'))
  t.ok(files.length >= 4 * 12)
  for (const name of files) t.match(name, /^[a-z_-]+\.(?:fr|en)\.(?:txt|html)$/)
  t.match(readFileSync(dir.at('out/new_device.fr.txt'), 'utf8'), 'Exemple SA')
  const one = await runCommandHere(['mail', 'preview', 'locked', '--config', file])
  t.match(one.stdout, /=== locked \(en\): .*=== locked \(fr\): /s)
  const none = await runCommandHere(['mail', 'preview', 'loked', '--config', file])
  t.match(none, { code: 2, stderr: /Did you mean "locked"\?/ })
})
