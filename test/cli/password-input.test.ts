import { PassThrough } from 'node:stream'
import t from 'tap'
import { readPassword } from '../../src/cli/password-input.ts'
import { runCommand } from '../support/command-line.ts'
import { addPerson } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

const read = async (input: string) => {
  const stdin = new PassThrough()
  stdin.end(input)
  const streams = { stdin: stdin as unknown as NodeJS.ReadStream, stderr: new PassThrough() }
  return (await readPassword(true, streams)).reveal()
}

t.test('readPassword() takes one line, with or without its end', async (t) => {
  for (const end of ['', '\n', '\r\n']) t.equal(await read(`ge heim é${end}`), 'ge heim é')
})

t.test('readPassword() refuses line breaks and other control characters', async (t) => {
  for (const input of [
    'a\nb',
    'a\r\nb\n',
    'a\n\n',
    '\na',
    'a\tb',
    'a\u0000b',
    'a\u001b[Ab',
    'a\u0085b',
  ]) {
    await t.rejects(read(input), { code: 'usage', message: /a line break or another control/ })
  }
})

t.test('every command with --password-stdin refuses a line break, changing nothing', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  await addPerson(dir.path, 'alice')
  const config = dir.write(
    'config.yaml',
    `version: 1
portal: {url: "https://auth.example.com", cookie_domain: example.com}
store: "sqlite:${dir.at('sallyport.db')}"
apps:
  - {name: Archive, host: a.example.com, upstream: "http://127.0.0.1:1", upstream_login: basic, rules: [{policy: public}]}
`,
  )
  for (const words of [
    ['user', 'add', 'bob'],
    ['user', 'set-password', 'alice'],
    ['upstream-login', 'set', 'Archive', 'alice'],
  ]) {
    const result = await runCommand(
      [...words, '--password-stdin', '--config', config],
      'rather unusual\nwords 42\n',
    )
    t.match(result, { code: 2, stdout: '', stderr: 'a line break' }, words.join(' '))
  }
})
