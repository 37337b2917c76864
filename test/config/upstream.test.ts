import t from 'tap'
import { checkSettings } from '../../src/config/load.ts'
import type { AppSettings } from '../../src/config/settings.ts'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { selfSigned } from '../proxy/certificate.ts'

const pair = selfSigned('sallyport')
const files: Readonly<Record<string, string>> = {
  '/etc/sallyport/ca.pem': pair.cert,
  '/keys/us.pem': pair.cert,
  '/keys/us.key': pair.key,
}

async function appWith(keys: string): Promise<AppSettings | undefined> {
  const text = `version: 1
portal: {url: https://a.example.com}
apps: [{name: A, host: a.example.com, ${keys}, rules: [{policy: two_factor}]}]
`
  const result = await checkSettings(text, '/etc/sallyport/config.yaml', {
    env: {},
    readFile: async (path) => ({ mode: 0o600, bytes: new TextEncoder().encode(files[path]) }),
  })
  t.equal(result.kind, 'ok', keys)
  return result.kind === 'ok' ? result.settings.apps[0] : undefined
}

t.test('upstream is an address, a list of them, or a map', async (t) => {
  const at = async (written: string) => (await appWith(`upstream: ${written}`))?.upstream
  const one = { urls: ['http://app:3000'], policy: 'first' }
  t.strictSame(await at('http://app:3000/'), one)
  t.strictSame(await at('[http://app:3000]'), one)
  t.strictSame(await at('{urls: http://app:3000}'), one)
  t.strictSame(await at('[HTTPS://App:443, "unix:run/app.sock", unix:/run/b.sock]'), {
    urls: ['https://app', 'unix:/etc/sallyport/run/app.sock', 'unix:/run/b.sock'],
    policy: 'first',
  })
  t.strictSame(
    await at('{urls: [http://a, http://b], policy: round_robin, health: {path: "/up?x=1"}}'),
    {
      urls: ['http://a', 'http://b'],
      policy: 'round_robin',
      health: { path: '/up?x=1', every: 10 * SECOND, timeout: 2 * SECOND },
    },
  )
})

t.test('upstream.tls holds what its files hold, the key as a secret', async (t) => {
  const tls =
    '{ca: ca.pem, certificate: /keys/us.pem, key: ../../keys/us.key, server_name: App.Lan}'
  const upstream = (await appWith(`upstream: {urls: https://10.0.0.5, tls: ${tls}}`))?.upstream
  t.equal(upstream?.tls?.ca, pair.cert)
  t.equal(upstream?.tls?.certificate, pair.cert)
  t.equal(upstream?.tls?.key?.reveal(), pair.key)
  t.equal(upstream?.tls?.serverName, 'app.lan')
  t.notMatch(JSON.stringify(upstream), /PRIVATE/)
})

t.test('timeouts are limits only where they are set', async (t) => {
  t.strictSame((await appWith('upstream: http://a'))?.timeouts, {
    connect: 5 * SECOND,
    firstByte: 60 * SECOND,
  })
  t.strictSame((await appWith('upstream: http://a, timeouts: {idle: 90s, total: 5m}'))?.timeouts, {
    connect: 5 * SECOND,
    firstByte: 60 * SECOND,
    idle: 90 * SECOND,
    total: 5 * MINUTE,
  })
})
