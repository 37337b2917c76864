import { Writable } from 'node:stream'
import t from 'tap'
import { banNetwork, MAX_BANS } from '../../src/bans/ban.ts'
import { createProgram, runProgram } from '../../src/cli/program.ts'
import { HOUR } from '../../src/lib/duration.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { runCommand } from '../support/command-line.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { startSallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(() => dir.remove())
const config = dir.write(
  'config.yaml',
  `version: 1
portal: {url: "https://a.example.com"}
trusted_proxies: [192.0.2.0/28, "2001:db8:1::/64"]
store: "sqlite:${dir.at('cli.db')}"
apps: [{name: A, host: a.example.com, upstream: "http://127.0.0.1:1", rules: [{policy: public}]}]
`,
)

/** Runs a command in this process. */
async function run(...args: string[]) {
  const printed = { out: '', err: '' }
  const sink = (name: 'out' | 'err') =>
    new Writable({
      write: (chunk, _encoding, done) => {
        printed[name] += String(chunk)
        done()
      },
    })
  const output = { out: sink('out'), err: sink('err') }
  const program = createProgram({ output, env: {}, cwd: dir.path })
  const code = await runProgram(program, ['node', 'sallyport', ...args])
  return { code, ...printed }
}
const ban = (...args: string[]) => run('ban', ...args, '--config', config)

t.test('ban add, list and lift', async (t) => {
  t.match(await ban('list'), { code: 0, out: 'Nobody is kept out.\n' })
  t.match(await ban('list', '--json'), { code: 0, out: '[]\n' })
  const added = await ban('add', '203.0.113.77/24', '--for', '1h', '--reason', 'scans')
  t.match(added, { code: 0, out: /^203\.0\.113\.0\/24 is kept out until 20.*Z\.\n$/ })
  t.match(JSON.parse(added.err), {
    event: 'ban.added',
    outcome: 'success',
    network: '203.0.113.0/24',
    reason: 'scans',
  })
  t.match(await ban('add', '203.0.113.0/24', '--for', '2h'), { code: 0, out: /is now kept out/ })
  t.match(await ban('add', '2001:db8:2::1', '--for', '7d'), { code: 0, out: /^2001:db8:2::\/64 / })
  const listed = JSON.parse((await ban('list', '--json')).out)
  t.match(listed, [
    { network: '2001:db8:2::/64', reason: '' },
    { network: '203.0.113.0/24', reason: '' },
  ])
  t.match(listed[0].ends_at, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.match(await ban('list'), { code: 0, out: /^NETWORK +ENDS +SINCE +REASON\n/ })
  const lifted = await ban('lift', '2001:db8:2::99')
  t.match(lifted, { code: 0, out: '2001:db8:2::/64 is let in again.\n' })
  t.match(JSON.parse(lifted.err), { event: 'ban.lifted', network: '2001:db8:2::/64' })
  t.match(await ban('lift', '2001:db8:2::99'), { code: 1, err: /There is no ban of/ })
})

t.test('ban add refuses what is no address, no duration or no reason', async (t) => {
  const cases: readonly [readonly string[], RegExp][] = [
    [['add', 'example.com', '--for', '1h'], /neither an address nor a network/],
    [['add', '203.0.113.1/33', '--for', '1h'], /neither an address nor a network/],
    [['add', '203.0.113.1', '--for', 'ever'], /is not a duration/],
    [['add', '203.0.113.1', '--for', '9999d'], /is not a duration/],
    [['add', '203.0.113.1'], /--for/],
    [['add', '203.0.113.1', '--for', '1h', '--reason', 'a\u001b[31mb'], /one line/],
    [['add', '203.0.113.1', '--for', '1h', '--reason', 'x'.repeat(201)], /200 characters/],
    [['lift', 'x'], /neither an address nor a network/],
  ]
  for (const [args, message] of cases) {
    t.match(await ban(...args), { code: 2, err: message }, args.join(' '))
  }
})

t.test('ban add takes in no trusted proxy and not the machine, unless forced', async (t) => {
  const refused: readonly [string, RegExp][] = [
    ['192.0.2.3', /trusted_proxies \(192\.0\.2\.0\/28\)/],
    ['192.0.0.0/16', /trusted_proxies/],
    ['0.0.0.0/0', /trusted_proxies/],
    ['2001:db8:1::5', /trusted_proxies \(2001:db8:1::\/64\)/],
    ['127.0.0.1', /takes in this machine/],
    ['::1', /takes in this machine/],
    ['::ffff:127.0.0.1', /takes in this machine/],
  ]
  for (const [network, message] of refused) {
    t.match(await ban('add', network, '--for', '1h'), { code: 1, err: message }, network)
  }
  t.equal((await ban('add', '192.0.2.16', '--for', '1h')).code, 0, 'the next network')
  t.equal((await ban('add', '192.0.2.3', '--for', '1h', '--force')).code, 0)
})

t.test('ban add says so when there are as many as there may be', async (t) => {
  await using store = await openSqlStore({ path: dir.at('cli.db') })
  const now = Date.now()
  for (const { network } of await store.bans.list(now, MAX_BANS))
    await store.bans.lift(network, now)
  // Put there in one transaction: each by itself would be written to the disk by itself.
  const Database = (await import('better-sqlite3')).default
  const raw = new Database(dir.at('cli.db'))
  const insert = raw.prepare('insert into bans values (?, ?, ?, ?)')
  raw.transaction(() => {
    for (let i = 0; i < MAX_BANS; i++) {
      insert.run(banNetwork(`10.0.${i >> 8}.${i & 255}`), '', now, now + HOUR)
    }
  })()
  raw.close()
  t.match(await ban('add', '203.0.113.1', '--for', '1h'), { code: 1, err: /10000 bans already/ })
  t.equal((await ban('add', '10.0.0.1', '--for', '2h')).code, 0, 'one that is there may change')
})

t.test('a running Sallyport obeys `ban` on its next request', async (t) => {
  const data = tempDir()
  t.teardown(() => data.remove())
  await using sallyport = await startSallyport({
    dataDir: data.path,
    args: ['protect', 'http://127.0.0.1:1', '--listen', '127.0.0.1:{{port}}', '--data', data.path],
  })
  const { port } = sallyport
  const from = '127.0.0.77'
  const status = async () => {
    const request = `GET /.sallyport/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
    return (await rawAnswer({ port, from }, request)).status
  }
  t.equal(await status(), 200)
  const folder = ['--data', data.path]
  const added = await runCommand(['ban', 'add', from, '--for', '1h', '--force', ...folder])
  t.match(added, { code: 0, stdout: /^127\.0\.0\.77\/32 is kept out/ })
  t.equal(await status(), 403)
  t.equal((await runCommand(['ban', 'lift', from, ...folder])).code, 0)
  t.equal(await status(), 200)
})
