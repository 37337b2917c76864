import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { parseSessionId } from '../../src/identity/principal.ts'
import { foldName } from '../../src/lib/fold.ts'
import { randomToken } from '../../src/lib/random.ts'
import { runCommandHere } from '../support/command-line.ts'
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
const app = (name: string) =>
  `  - {name: ${name}, host: ${name}.example.com, upstream: "http://127.0.0.1:1", upstream_login: basic, rules: [{policy: public}]}\n`
const config = write(app('Wiki') + app('Shop'))
await addPerson(dir.path, 'alice', { totp: false })
await addPerson(dir.path, 'bob', { totp: false })
const run = (line: string) => runCommandHere([...line.split(' '), '--config', config])

t.test('session list says of whom it has nothing to list', async (t) => {
  t.match(await run('session list'), { code: 0, stdout: 'Nobody is signed in.' })
  t.match(await run('session list --user nobody'), {
    ...{ code: 1, stdout: '', stderr: 'There is no account nobody.' },
  })
  t.match(await run('session list --user nobody --json'), { code: 1, stdout: '' })
  await using vault = await openVault({ store: { path: dir.at('sallyport.db') } })
  const alice = await vault.store.accounts.byName(foldName('alice'))
  const id = parseSessionId(`ses_${randomToken(16)}`)
  if (alice === undefined || id === undefined) throw new Error('no account')
  const now = Date.now()
  await vault.store.sessions.add({
    ...{ id, tokenHash: 'x', userId: alice.id, stage: 'complete', factors: [] },
    ...{ createdAt: now, lastSeenAt: now, idle: 60_000, endsAt: now + 60_000, remember: false },
    ...{ address: '192.0.2.1', userAgent: '', client: 'browser' },
  })
  t.match(await run('session list --user bob'), { code: 0, stdout: /^bob is not signed in\.\n$/ })
  t.match(await run('session list --user ALICE'), { code: 0, stdout: /alice/ })
  t.match(await run('session revoke --user nobody'), { code: 1, stderr: 'no account nobody' })
})

t.test('token list says whose tokens there are none of', async (t) => {
  t.match(await run('token list'), { code: 0, stdout: 'There are no tokens.' })
  t.match(await run('token list --user Bob'), { code: 0, stdout: /^bob has no tokens\.\n$/ })
  t.match(await run('token list --service nope'), {
    ...{ code: 0, stdout: /^service:nope has no tokens\.\n$/ },
  })
  t.match(await run('token list --service nope --json'), { code: 0, stdout: '[]\n' })
})

t.test('token revoke refuses an app and a service that are not there', async (t) => {
  t.match(await run('token revoke --for-app Nope'), {
    ...{ code: 1, stdout: '', stderr: 'There is no app Nope. There are: Wiki, Shop' },
  })
  t.match(await run('token revoke --for-app Wiki'), {
    ...{ code: 0, stdout: 'Revoked nothing: no token was made for Wiki.' },
  })
  t.match(await run('token revoke --service service:nope'), {
    ...{ code: 1, stdout: '', stderr: 'service:nope has no tokens.' },
  })
  t.match(await run('token revoke --user bob'), {
    ...{ code: 0, stdout: 'Revoked nothing. bob has no tokens.' },
  })
  // What was made for an app stays revocable when the configuration has it no more.
  await run('token create --service backup --app Shop')
  write(app('Wiki'))
  t.match(await run('token revoke --for-app Shop'), { code: 0, stdout: 'Revoked tok_' })
  t.match(await run('token revoke --for-app Shop'), { code: 1, stderr: 'There is no app Shop.' })
  write(app('Wiki') + app('Shop'))
})

t.test('upstream-login remove refuses an app that is nowhere', async (t) => {
  t.match(await run('upstream-login remove Nope alice'), {
    ...{ code: 1, stderr: 'There is no app Nope. There are: Wiki, Shop' },
  })
  t.match(await run('upstream-login remove wiki alice'), {
    ...{ code: 1, stderr: 'alice has no login at wiki.' },
  })
})

t.test('options that do not go together are named', async (t) => {
  const together: readonly [string, string][] = [
    ['token create --user alice --service b', '--user and --service do not go together'],
    ['token list --user alice --service b', '--user and --service do not go together'],
    ['token revoke --for-app Wiki --all', '--for-app and --all do not go together'],
    ['token revoke tok_x --all', 'A token id and --all do not go together'],
    ['session revoke --user alice --all', '--user and --all do not go together'],
    ['session revoke ses_x --app Wiki', 'A session id and --app do not go together'],
    ['key rotate form --all', 'Purposes and --all do not go together'],
    ['key rotate --to x', '--to goes with --master'],
    ['key rotate --master --wait', '--wait does not go with --master'],
    ['token create', 'Say whose'],
    ['token revoke', 'Say which'],
    ['session revoke', 'Say which'],
    ['key rotate', 'Say which'],
  ]
  for (const [line, words] of together) {
    t.match(await run(line), { code: 2, stdout: '', stderr: words }, line)
  }
  t.match(await run('session list'), { stdout: /alice/ }, 'nothing was revoked')
})
