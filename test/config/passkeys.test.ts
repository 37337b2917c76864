import t from 'tap'
import { checkSettings } from '../../src/config/load.ts'

const check = (passkeys: string) =>
  checkSettings(
    `version: 1
portal: {url: "https://auth.example.com"}
apps: [{name: A, host: auth.example.com, upstream: http://b:1, rules: [{policy: two_factor}]}]
login: {passkeys: ${passkeys}}
`,
    '/etc/sallyport/config.yaml',
    { env: {}, readFile: async () => ({ mode: 0o600, bytes: new Uint8Array() }) },
  )

t.test('login.passkeys takes a domain that browsers can bind to', async (t) => {
  const read = async (passkeys: string) => {
    const result = await check(passkeys)
    return result.kind === 'ok'
      ? result.settings.login.passkeys
      : result.problems.map(({ code, path }) => `${code} ${path}`)
  }
  t.strictSame(await read('{}'), { enabled: true, offer: true })
  t.strictSame(await read('{enabled: false, offer: no, domain: Example.ORG}'), [
    'SP-1010 login.passkeys.offer',
  ])
  t.strictSame(await read('{offer: false, domain: Example.ORG}'), {
    enabled: true,
    offer: false,
    domain: 'example.org',
  })
  t.strictSame(await read('{domain: 192.0.2.1}'), ['SP-1520 login.passkeys.domain'])
  t.strictSame(await read('{domain: "2001:db8::1"}'), ['SP-1520 login.passkeys.domain'])
  t.strictSame(await read('{domain: "*.example.org"}'), ['SP-1205 login.passkeys.domain'])
})
