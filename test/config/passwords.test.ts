import t from 'tap'
import { PASSWORD_PRESETS, type PasswordPreset } from '../../src/accounts/password-presets.ts'
import { checkSettings } from '../../src/config/load.ts'
import { toPasswords } from '../../src/config/sections/passwords.ts'
import { SECOND } from '../../src/lib/duration.ts'

const HASH = 'A'.repeat(40)
const files: Readonly<Record<string, string>> = {
  '/etc/sallyport/leaks.txt': `${HASH}:12\r\n${'B'.repeat(40)}:1\r\n`,
  '/srv/other.txt': '123456\npassword\n',
}

async function check(written: string) {
  const text = `version: 1
portal: {url: https://a.example.com}
login: {password: ${written}}
apps: [{name: A, host: a.example.com, upstream: http://a, rules: [{policy: two_factor}]}]
`
  return checkSettings(text, '/etc/sallyport/config.yaml', {
    env: {},
    readFile: async (path) => {
      const text = files[path]
      if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
      return { mode: 0o600, bytes: new TextEncoder().encode(text) }
    },
  })
}

async function read(written: string) {
  const result = await check(written)
  if (result.kind === 'ok') return result.settings.login.password
  return result.problems.map(({ code, path }) => `${code} ${path}`)
}

t.test('login.password takes a preset, a length and where leaks are looked up', async (t) => {
  t.strictSame(await read('{}'), { preset: 'nist', minLength: 12 })
  t.strictSame(await read('{preset: cnil-50}'), { preset: 'cnil-50', minLength: 8 })
  t.strictSame(await read('{preset: owasp, min_length: 10}'), { preset: 'owasp', minLength: 10 })
  t.strictSame(await read('{min_length: 8, leaked: off}'), { preset: 'nist', minLength: 8 })
  const api = {
    source: { kind: 'api', url: 'https://api.pwnedpasswords.com/range/', timeout: 3 * SECOND },
    ifUnreachable: 'accept',
  }
  t.match(await read('{leaked: api}'), { leaked: api })
  t.match(await read('{leaked: {timeout: 1s, if_unreachable: refuse}}'), {
    leaked: { source: { ...api.source, timeout: SECOND }, ifUnreachable: 'refuse' },
  })
  t.match(await read('{leaked: {api: "http://127.0.0.1:8080/range/"}}'), {
    leaked: { source: { url: 'http://127.0.0.1:8080/range/' } },
  })
  t.match(await read('{leaked: {file: leaks.txt}}'), {
    leaked: { source: { kind: 'file', path: '/etc/sallyport/leaks.txt' } },
  })
})

t.test('login.password refuses what would protect less than it seems to', async (t) => {
  const leaked = 'login.password.leaked'
  for (const [written, ...problems] of [
    ['{preset: cnil-80, min_length: 10}', 'SP-1510 login.password.min_length'],
    ['{leaked: {api: "http://leaks.example.com/range/"}}', `SP-1511 ${leaked}.api`],
    ['{leaked: {api: "https://leaks.example.com/range"}}', `SP-1511 ${leaked}.api`],
    ['{leaked: {api: "https://u:p@leaks.example.com/range/"}}', `SP-1511 ${leaked}.api`],
    ['{leaked: {api: "https://leaks.example.com/?q=/"}}', `SP-1511 ${leaked}.api`],
    ['{leaked: {api: "https://a.example/", file: leaks.txt}}', `SP-1512 ${leaked}.file`],
    ['{leaked: {file: /srv/other.txt}}', `SP-1513 ${leaked}.file`],
    ['{leaked: {file: missing.txt}}', `SP-1514 ${leaked}.file`],
    ['{leaked: {file: leaks.txt, on_error: refuse}}', `SP-1004 ${leaked}.on_error`],
  ] as const) {
    t.strictSame(await read(written), problems, written)
  }
  t.match(await check('{preset: cnil}'), { kind: 'invalid' })
  t.match(await check('{leaked: on}'), { kind: 'invalid' })
  t.match(await check('{leaked: {if_unreachable: ignore}}'), { kind: 'invalid' })
})

t.test('the figures of the configuration are those of the presets', async (t) => {
  for (const preset of Object.keys(PASSWORD_PRESETS) as PasswordPreset[]) {
    const { minLength, floor } = PASSWORD_PRESETS[preset]
    t.equal(toPasswords({ preset }, '/').minLength, minLength, preset)
    t.match(await check(`{preset: ${preset}, min_length: ${floor}}`), { kind: 'ok' })
    if (floor > 8)
      t.match(await check(`{preset: ${preset}, min_length: ${floor - 1}}`), { kind: 'invalid' })
  }
})
