import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { runCommand, runCommandHere } from '../support/command-line.ts'
import { addPerson } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(() => dir.remove())
const write = (apps: string) =>
  dir.write(
    'config.yaml',
    `version: 1
portal: {url: "https://auth.example.com", cookie_domain: example.com}
store: "sqlite:${dir.at('sallyport.db')}"
apps:
${apps}`,
  )
const app = (name: string, keys: string) =>
  `  - {name: ${name}, host: ${name}.example.com, upstream: "http://127.0.0.1:1", ${keys}rules: [{policy: public}]}\n`
const config = write(app('Archive', 'upstream_login: basic, ') + app('Wiki', ''))
await addPerson(dir.path, 'alice', { totp: false })

const args = (...words: string[]) => ['upstream-login', ...words, '--config', config]
const set = (words: readonly string[], input: string) =>
  runCommand(args('set', ...words, '--password-stdin'), input)

t.test('upstream-login keeps, lists and forgets a login, never showing its password', async (t) => {
  t.match(await runCommandHere(args('list')), { code: 0, stdout: 'No login is kept.\n' })
  t.match(await set(['archive', 'Alice', '--as', 'a.martin'], 'ge heim\n'), {
    code: 0,
    stdout: 'alice is signed in at Archive as a.martin.\n',
  })
  const listed = await runCommandHere(args('list', '--user', 'alice', '--json'))
  t.match(JSON.parse(listed.stdout), [{ app: 'Archive', user: 'alice', login: 'a.martin' }])
  const table = await runCommandHere(args('list'))
  t.match(table.stdout, /^APP +ACCOUNT +LOGIN +SINCE\nArchive +alice +a\.martin +20/)
  t.notMatch(listed.stdout + table.stdout, 'ge heim')
  // An app that is in the configuration no more can still be forgotten.
  write(app('Wiki', ''))
  t.match(await runCommandHere(args('remove', 'ARCHIVE', 'alice')), { code: 0 })
  t.match(await runCommandHere(args('remove', 'Archive', 'alice')), { code: 1 })
  await using vault = await openVault({ store: { path: dir.at('sallyport.db') } })
  const rows = await vault.store.audit.find({ limit: 10 })
  t.strictSame(
    rows.map(({ event, userName, details }) => [event, userName, details['detail']]),
    [
      ['upstream_login.removed', 'alice', 'Archive'],
      ['upstream_login.set', 'alice', 'Archive'],
    ],
  )
})

t.test('upstream-login set refuses what it cannot mean', async (t) => {
  write(app('Archive', 'upstream_login: basic, ') + app('Wiki', ''))
  t.match(await set(['Archive', 'alice', '--as', 'a:b'], 'x'), {
    code: 2,
    stderr: 'The name at the app',
  })
  t.match(await runCommandHere(args('set', 'Wiki', 'alice')), {
    code: 1,
    stderr: 'Wiki has no "upstream_login: basic"',
  })
  for (const words of [
    ['Shop', 'alice'],
    ['Archive', 'bob'],
  ]) {
    t.match(await runCommandHere(args('set', ...words)), { code: 1, stderr: /There is no/ })
  }
})
