import { Writable } from 'node:stream'
import t from 'tap'
import { settingsOf } from '../../src/cli/context.ts'
import { createProgram } from '../../src/cli/program.ts'
import { runCommandHere } from '../support/command-line.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Every command there is, as it is typed. */
function commandLines(): readonly string[][] {
  type Node = Pick<ReturnType<typeof createProgram>['program'], 'name' | 'commands'>
  const walk = (command: Node, path: readonly string[]): string[][] =>
    command.commands.flatMap((child) => {
      const here = [...path, child.name()]
      return [here, ...walk(child as Node, here)]
    })
  return walk(createProgram().program, [])
}

t.test('no help shows the default of an option that has none', async (t) => {
  for (const words of commandLines()) {
    const { code, stdout } = await runCommandHere([...words, '--help'])
    t.equal(code, 0, words.join(' '))
    t.notMatch(stdout, '[]', words.join(' '))
  }
})

t.test('help says what an option is when it is not told', async (t) => {
  t.match(
    (await runCommandHere(['token', 'create', '--help'])).stdout,
    '"command line" unless told',
  )
})

t.test('a wrong call names the help of its own command', async (t) => {
  for (const [line, help] of [
    ['token create --bogus', 'sallyport token create --help'],
    ['token bogus', 'sallyport token --help'],
    ['key retire', 'sallyport key retire --help'],
    ['validate --bogus', 'sallyport validate --help'],
    ['--bogus', 'sallyport --help and sallyport demo --help'],
  ] as const) {
    const { code, stderr } = await runCommandHere(line.split(' '))
    t.equal(code, 2, line)
    t.match(stderr, `(${help} show`, line)
  }
})

t.test(
  'the warnings of the configuration are one line, but in full where a server starts',
  async (t) => {
    const dir = tempDir()
    t.teardown(() => dir.remove())
    const text = `version: 1
portal: {url: "https://auth.example.com"}
store: "sqlite:${dir.at('sallyport.db')}"
apps: [{name: A, host: auth.example.com, upstream: "http://127.0.0.1:1", rules: [{policy: public}]}]
sms: {providers: [{type: log}], insecure_log: true}
`
    const config = dir.write('config.yaml', text)
    const { code, stdout } = await runCommandHere(['validate', config])
    t.match({ code, stdout }, { code: 0, stdout: /SP-1539[\s\S]*1 warning/ })
    for (const words of [
      ['user', 'list'],
      ['snippet', 'caddy'],
    ]) {
      const { stderr } = await runCommandHere([...words, '--config', config])
      t.match(stderr, `1 warning: sallyport validate ${config} shows it\n`)
      t.notMatch(stderr, 'SP-1539')
    }
    let said = ''
    const err = new Writable({
      write: (chunk, _, done) => {
        said += chunk
        done()
      },
    })
    await settingsOf(config, { output: { out: err, err }, env: {}, cwd: dir.path }, 'in_full')
    t.match(said, /SP-1539[\s\S]*1 warning\.\n/)
  },
)
