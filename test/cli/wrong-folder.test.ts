import { readdirSync } from 'node:fs'
import { Writable } from 'node:stream'
import t from 'tap'
import { createProgram, runProgram } from '../../src/cli/program.ts'
import { runCommand, runCommandHere } from '../support/command-line.ts'
import { tempDir } from '../support/temp-dir.ts'

const COMMANDS = [
  'user list',
  'user change alice --name A',
  'user delete alice --yes',
  'user disable alice',
  'user set-password alice --password-stdin',
  'user require-password-change alice',
  'user totp alice',
  'user unlock alice',
  'user link alice',
  'user phone alice',
  'session list',
  'session revoke --all',
  'key list',
  'key rotate --all',
  'key rotate --master',
  'key retire master --yes',
  'token list',
  'token create --service backup',
  'token revoke --all',
  'ban add 203.0.113.7 --for 1h',
  'ban list',
  'ban lift 203.0.113.7',
  'audit list',
  'audit show 7F3K-2Q9D',
  'csp reports 127.0.0.1',
  'upstream-login list',
  'upstream-login remove a alice',
]

/** As somebody types it in this folder. */
async function inFolder(cwd: string, words: readonly string[]) {
  let said = ''
  const sink = new Writable({
    write: (chunk, _, done) => {
      said += chunk
      done()
    },
  })
  const output = { out: sink, err: sink }
  const code = await runProgram(createProgram({ output, env: { NO_COLOR: '1' }, cwd }), [
    ...['node', 'sallyport'],
    ...words,
  ])
  return { code, said }
}

t.test('commands on a store refuse a folder without one, and make none', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  for (const command of COMMANDS) {
    const words = command.split(' ')
    const here = await inFolder(dir.path, words)
    t.equal(here.code, 69, command)
    t.match(here.said, `${dir.at('config.yaml')}, /etc/sallyport/config.yaml`, command)
    t.match(here.said, `nor a database in ${dir.at('data')}. Nothing was done.`, command)
    t.match(here.said, '--config FILE, or --data DIR', command)
    const there = await inFolder(dir.path, [...words, '--data', 'other'])
    t.equal(there.code, 69, command)
    t.match(there.said, `There is no database in ${dir.at('other')}. Nothing was done.`, command)
  }
  t.strictSame(readdirSync(dir.path), [])
})

t.test('user add and user invite may be the first command of a folder', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  const added = await runCommand(
    ['user', 'add', 'alice', '--password-stdin', '--data', dir.at('a')],
    'rather unusual words 42\n',
  )
  t.match(added, { code: 0, stdout: 'Added alice.' })
  const invited = ['user', 'invite', 'zoe@example.com', '--data', dir.at('b')]
  t.match(await runCommandHere(invited), { code: 0, stdout: '/invitation?token=' })
  t.match(await runCommandHere(['user', 'list', '--data', dir.at('b')]), { code: 0 })
})

t.test('a configuration file names its store: there, one is made', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  const config = dir.write(
    'config.yaml',
    `version: 1
portal: {url: "https://a.example.com"}
apps: [{name: A, host: a.example.com, upstream: "http://127.0.0.1:1", rules: [{policy: public}]}]
`,
  )
  t.match(await runCommandHere(['token', 'list', '--config', config]), {
    code: 0,
    stdout: 'There are no tokens.',
  })
})

t.test('commands that need no store ask for none', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  t.match(await inFolder(dir.path, ['mail', 'preview', 'new_device']), { code: 0 })
  t.strictSame(readdirSync(dir.path), [])
})
