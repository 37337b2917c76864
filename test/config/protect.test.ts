import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { closest } from '../../src/config/closest.ts'
import { findConfig } from '../../src/config/find-config.ts'
import { protectSettings } from '../../src/config/protect.ts'

t.test('protectSettings() puts one app behind two factors', async (t) => {
  const settings = protectSettings({ upstream: 'http://localhost:8080', dataDir: '/tmp/x' })
  t.match(settings, {
    portal: { url: 'http://localhost:9091' },
    listen: { http: { host: '127.0.0.1', port: 9091 } },
    trustedProxies: [],
    store: { path: '/tmp/x/sallyport.db' },
    apps: [
      {
        name: 'localhost:8080',
        hosts: ['localhost', '127.0.0.1', '::1'],
        upstream: { urls: ['http://localhost:8080'], policy: 'first' },
        securityHeaders: { preset: 'legacy' },
        rules: [{ policy: 'two_factor', paths: [], users: [], groups: [] }],
      },
    ],
  })
  t.equal(settings.portal.cookieDomain, undefined, 'the cookie is bound to one host')
  t.equal(settings.apps.length, 1)
  t.equal(settings.apps[0]?.rules.length, 1)
})

t.test('protectSettings() listens and is reached where it is told', async (t) => {
  const local = protectSettings({ upstream: 'http://wiki:80', listen: ':9000', dataDir: '.' })
  t.equal(local.portal.url, 'http://localhost:9000')
  t.equal(local.apps[0]?.name, 'wiki')
  const at = protectSettings({
    upstream: 'http://[::1]:3000/',
    listen: '[::1]:9000',
    dataDir: '.',
    at: 'https://Wiki.Example.com/',
  })
  t.equal(at.portal.url, 'https://wiki.example.com')
  t.strictSame(at.apps[0]?.upstream?.urls, ['http://[::1]:3000'])
  t.strictSame(at.apps[0]?.hosts, ['localhost', '127.0.0.1', '::1', 'wiki.example.com'])
  t.strictSame(at.trustedProxies, ['127.0.0.1/32', '::1/128'])
})

t.test('protectSettings() refuses addresses it cannot use', async (t) => {
  const usage = { name: 'AppError', code: 'usage' }
  const dataDir = '.'
  t.throws(() => protectSettings({ upstream: 'localhost:8080', dataDir }), usage)
  t.throws(() => protectSettings({ upstream: 'http://localhost:8080/app', dataDir }), usage)
  t.throws(() => protectSettings({ upstream: 'http://localhost:9091', dataDir }), usage)
  t.throws(() => protectSettings({ upstream: 'http://a', listen: '9091', dataDir }), usage)
  t.throws(() => protectSettings({ upstream: 'http://a', at: 'http://192.0.2.1', dataDir }), usage)
  try {
    protectSettings({ upstream: 'http://me:hunter2@a:1/x', dataDir })
  } catch (error) {
    t.notMatch(String(error), 'hunter2')
    t.match(String(error), 'Did you mean http://a:1?')
  }
})

t.test('findConfig() takes the flag, the environment, then the usual places', async (t) => {
  const cwd = t.testdir()
  const env = { SALLYPORT_CONFIG: '/srv/s.yaml' }
  t.equal(await findConfig({ flag: 'x.yaml', env, cwd }), join(cwd, 'x.yaml'))
  t.equal(await findConfig({ flag: undefined, env, cwd }), '/srv/s.yaml')
  const none = await findConfig({ flag: undefined, env: { SALLYPORT_CONFIG: '' }, cwd })
  t.ok(none === undefined || none === '/etc/sallyport/config.yaml')
  await writeFile(join(cwd, 'config.yaml'), '')
  t.equal(await findConfig({ flag: undefined, env: {}, cwd }), join(cwd, 'config.yaml'))
})

t.test('closest() finds what was meant, and nothing when nothing is near', async (t) => {
  const keys = ['policy', 'path', 'methods', 'trusted_proxies', 'two_factor']
  t.equal(closest('polici', keys), 'policy')
  t.equal(closest('metohds', keys), 'methods', 'two letters swapped')
  t.equal(closest('trustedProxies', keys), 'trusted_proxies')
  t.equal(closest('two', keys), 'two_factor', 'the beginning of one')
  t.equal(closest('colour', keys), undefined)
  t.equal(closest('x', keys), undefined)
  t.equal(closest('p'.repeat(100_000), keys), undefined)
})
