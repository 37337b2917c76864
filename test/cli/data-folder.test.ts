import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { runCommandHere } from '../support/command-line.ts'
import { addPerson } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(() => dir.remove())
const data = ['--data', dir.path]
const config = dir.write(
  'config.yaml',
  `version: 1
portal: {url: "https://a.example.com"}
apps: [{name: A, host: a.example.com, upstream: "http://127.0.0.1:1", rules: [{policy: public}]}]
`,
)

t.test('links of a data folder start with the address given by --at', async (t) => {
  await addPerson(dir.path, 'alice')
  const link = ['user', 'link', 'alice', ...data]
  t.match(
    (await runCommandHere(link)).stdout,
    /^http:\/\/localhost:9091\/\.sallyport\/link\?token=/,
  )
  const elsewhere = await runCommandHere([...link, '--at', 'https://app.example.com'])
  t.match(elsewhere.stdout, /^https:\/\/app\.example\.com\/\.sallyport\/link\?token=/)
  const invited = await runCommandHere([
    ...['user', 'invite', 'zoe@example.com', ...data, '--at', 'https://app.example.com'],
  ])
  t.match(invited.stdout, /^https:\/\/app\.example\.com\/\.sallyport\/invitation\?token=/)

  const both = ['user', 'link', 'alice', '--config', config, '--at', 'https://app.example.com']
  t.match(await runCommandHere(both), { code: 2, stderr: 'portal.url' })
})

t.test('user list says which second factors each account has', async (t) => {
  const { stdout } = await runCommandHere(['user', 'list', ...data, '--json'])
  t.match(JSON.parse(stdout), [
    { name: 'alice', totp_devices: 1, passkeys: 0, phone: false, recovery_codes_left: 0 },
  ])
  const table = (await runCommandHere(['user', 'list', ...data])).stdout.split('\n')
  t.match(table[0], /APPS +PASSKEYS +PHONE +CODES/)
  t.match(table[1], /alice.* 1 +0 +no +0 +active/)
})

t.test('sms test and mail test say that the configuration lacks them', async (t) => {
  t.match(await runCommandHere(['sms', 'test', '+33612345678', '--config', config]), {
    code: 78,
    stderr: 'add `sms`',
  })
  t.match(await runCommandHere(['mail', 'test', 'a@example.com', ...data]), {
    code: 78,
    stderr: 'add `mail`',
  })
})

t.test('a command whose output nobody reads any more ends without a stack trace', async (t) => {
  const main = join(import.meta.dirname, '../../src/main.ts')
  const child = spawn(process.execPath, [main, 'mail', 'preview', ...data])
  child.stdout.destroy()
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  t.match({ said, code }, { said: '', code: 0 })
})
