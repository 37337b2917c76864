// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written like this
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { formatProblems } from '../../src/config/format-problems.ts'
import { checkSettings, loadSettings } from '../../src/config/load.ts'

const env = {
  NAME: 'Docs',
  EMPTY: '',
  YAML: '}\npolicy: public # ${NAME}',
  DIGITS: '16',
  YES: 'true',
}

const withName = (name: string, more = '') => `version: 1
portal: {url: https://auth.example.com}
${more}
apps:
  - name: ${name}
    host: wiki.example.com
    upstream: http://127.0.0.1:3000
    rules: [{policy: two_factor}]
`

async function nameOf(name: string): Promise<string> {
  const result = await checkSettings(withName(name), 'config.yaml', { env })
  return result.kind === 'ok'
    ? (result.settings.apps[0]?.name ?? '')
    : `${result.problems[0]?.kind}`
}

t.test('resolveReferences() follows the grammar of Compose files', async (t) => {
  t.equal(await nameOf('${NAME}'), 'Docs')
  t.equal(await nameOf('"${NAME} of ${NAME}"'), 'Docs of Docs')
  t.equal(await nameOf('${NAME:-other}'), 'Docs')
  t.equal(await nameOf('${EMPTY:-other}'), 'other')
  t.equal(await nameOf('${NONE:-a:b-c?d}'), 'a:b-c?d')
  t.equal(await nameOf('${NAME:?needed}'), 'Docs')
  t.equal(await nameOf('a$$b'), 'a$b')
  t.equal(await nameOf('$${NAME}'), '${NAME}')
  t.equal(await nameOf('a$b$'), 'a$b$')
  t.equal(await nameOf('${EMPTY}'), 'blank')
  t.equal(await nameOf('${NONE}'), 'variable_unset')
  t.equal(await nameOf('${toString}'), 'variable_unset')
  t.equal(await nameOf('${}'), 'reference_syntax')
  t.equal(await nameOf('${NAME'), 'reference_syntax')
  t.equal(await nameOf('${NA ME}'), 'reference_syntax')
})

t.test('resolveReferences() puts in values, never structure, and only once', async (t) => {
  t.equal(await nameOf('${YAML}'), 'control_characters', 'a line break stays inside the value')
  t.equal(await nameOf('${NESTED:-$${NAME}}'), 'reference_syntax')
})

t.test('resolveReferences() gives numbers and switches too', async (t) => {
  const text = withName('A', 'login: {password: {min_length: "${DIGITS}"}}').replace(
    '    rules',
    '    allow_encoded_slash: ${YES}\n    rules',
  )
  const result = await checkSettings(text, 'config.yaml', { env })
  t.match(result, {
    kind: 'ok',
    settings: {
      login: { password: { minLength: 16 } },
      apps: [{ allowInPaths: ['encoded_slash'] }],
    },
  })
})

t.test('resolveReferences() reads secret files beside the configuration', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'config.yaml')
  const secret = join(folder, 'key')
  const hex = '8f3a9c51d2e47b60a1b9c8d7e6f50413826a7b5c4d3e2f10998877665544aabb'
  await writeFile(secret, `${hex}\n`, { mode: 0o600 })
  await writeFile(file, withName('A', 'master_key: ${file:key}'), { mode: 0o644 })

  const result = await loadSettings(file, { env })
  t.match(result, { kind: 'ok', warnings: [] })
  if (result.kind === 'ok') {
    t.equal(result.settings.masterKey?.reveal(), hex)
    t.notMatch(JSON.stringify(result.settings), hex)
  }

  await chmod(secret, 0o644)
  t.match(await loadSettings(file, { env }), {
    kind: 'ok',
    warnings: [{ kind: 'world_readable', path: 'master_key', line: 3, params: { file: secret } }],
  })

  const header = withName('A').replace(
    '    rules',
    '    request_headers:\n      X-Key: ${file:key}\n    rules',
  )
  await writeFile(file, header)
  t.equal((await loadSettings(file, { env })).kind, 'ok', 'the last line break is no part of it')
  await writeFile(secret, `${hex}\n\n`)
  t.match(await loadSettings(file, { env }), {
    problems: [{ kind: 'world_readable' }, { kind: 'header_value' }],
  })

  await writeFile(file, withName('A', 'master_key: ${file:key}'))
  await writeFile(secret, '')
  t.match(await loadSettings(file, { env }), { problems: [{ kind: 'secret_file_unfit' }] })
  await writeFile(secret, 'a'.repeat(70_000))
  t.match(await loadSettings(file, { env }), { problems: [{ kind: 'secret_file_unfit' }] })
})

t.test('a problem shows the reference, not the value it stands for', async (t) => {
  const secrets = { LEAK: 'http://hunter2-hunter2', HEADER: 'tab\thunter2', KEY: 'hunter2' }
  const text = withName('A', 'master_key: ${KEY}')
    .replace('http://127.0.0.1:3000', '${LEAK}/x')
    .replace('wiki.example.com', 'wiki.${KEY}.example.com:80')
    .replace('    rules', '    request_headers:\n      X-Key: ${HEADER}\n    rules')
  const result = await checkSettings(text, 'config.yaml', { env: secrets })
  t.equal(result.kind, 'invalid')
  if (result.kind !== 'invalid') return
  t.strictSame(
    result.problems.map(({ kind }) => kind),
    ['bad_master_key', 'host_port', 'url_not_origin', 'header_value'],
  )
  const shown = formatProblems(result.problems)
  t.notMatch(shown, 'hunter2')
  t.match(shown, 'master_key: ${KEY}')
  t.match(shown, '"${LEAK}/x" has a path')
})
