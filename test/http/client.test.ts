import t from 'tap'
import { createClientLocator } from '../../src/http/client.ts'
import { parseHost } from '../../src/http/host.ts'
import { trustedPeers } from '../../src/http/peer.ts'
import { createSites } from '../../src/http/site.ts'
import { networkSet } from '../../src/lib/network.ts'

t.test('parseHost() gives each host one spelling', async (t) => {
  const cases: Readonly<Record<string, readonly [name: string, authority: string]>> = {
    'app.example.com': ['app.example.com', 'app.example.com'],
    'APP.Example.COM.': ['app.example.com', 'app.example.com'],
    'app.example.com:443': ['app.example.com', 'app.example.com:443'],
    'app.example.com.:0443': ['app.example.com', 'app.example.com:443'],
    localhost: ['localhost', 'localhost'],
    a_b: ['a_b', 'a_b'],
    'xn--caf-dma.fr': ['xn--caf-dma.fr', 'xn--caf-dma.fr'],
    '127.0.0.1:9091': ['127.0.0.1', '127.0.0.1:9091'],
    '[::1]': ['::1', '[::1]'],
    '[2001:DB8::1]:80': ['2001:db8::1', '[2001:db8::1]:80'],
  }
  for (const [text, [name, authority]] of Object.entries(cases)) {
    t.strictSame(parseHost(text), { name, authority }, text)
  }
})

t.test('parseHost() takes nothing for a host that could be read as another', async (t) => {
  const bad = [
    ...[
      '',
      ' ',
      '.',
      '..',
      '.a',
      'a..b',
      'a b',
      'a\tb',
      'a/b',
      'a\\b',
      'a?b',
      'a#b',
      'a@b',
      'a:b@c',
    ],
    ...[
      'a:',
      'a:0',
      'a:65536',
      'a:123456',
      'a:-1',
      'a:8o',
      'a:80:80',
      ':80',
      'a,b',
      'a%2eb',
      'a%00',
    ],
    ...[
      'café.fr',
      'exаmple.com',
      'a。b',
      '[::1',
      '::1',
      '[::1]x',
      '[::g]',
      '[]',
      '[a]',
      '[127.0.0.1]',
    ],
    ...['a\0', 'a\r\nb', '*', '*.example.com', 'a;b', "a'", '[::1%25lo]', 'x'.repeat(256)],
  ]
  for (const text of bad) t.equal(parseHost(text), undefined, JSON.stringify(text))
})

t.test(
  'createSites() takes scheme and cookies from the configuration alone (A12, A13)',
  async (t) => {
    const host = (text: string) => parseHost(text) ?? { name: '', authority: '' }
    const shared = createSites({ url: 'https://auth.example.com', cookieDomain: 'example.com' })
    t.strictSame(shared(host('wiki.example.com:8443')), {
      origin: 'https://wiki.example.com:8443',
      portalOrigin: 'https://auth.example.com',
      https: true,
      binding: { kind: 'domain', domain: 'example.com' },
    })
    for (const foreign of ['evilexample.com', 'example.com.evil', 'example.org']) {
      t.match(shared(host(foreign)), {
        portalOrigin: `https://${foreign}`,
        binding: { kind: 'host' },
      })
    }
    t.match(shared(host('example.com')), { binding: { kind: 'domain' } })
    t.match(createSites({ url: 'http://localhost:9091' })(host('localhost:9091')), {
      origin: 'http://localhost:9091',
      https: false,
      binding: { kind: 'plain' },
    })
  },
)

t.test('the locator believes X-Forwarded-For of trusted peers, from the right', async (t) => {
  const locate = createClientLocator(networkSet(['10.0.0.0/8', '2001:db8::/32']))
  const from = (peer: string, ...values: string[]) =>
    locate(
      peer,
      values.flatMap((value) => ['X-Forwarded-For', value]),
    ).address
  t.equal(from('10.0.0.1', '203.0.113.7'), '203.0.113.7')
  t.equal(
    from('10.0.0.1', '9.9.9.9, 203.0.113.7'),
    '203.0.113.7',
    'what the client wrote is left of it',
  )
  t.equal(from('10.0.0.1', '203.0.113.7, 10.1.1.1 ,10.2.2.2'), '203.0.113.7')
  t.equal(from('10.0.0.1', '203.0.113.7', '10.2.2.2'), '203.0.113.7', 'several lines are one list')
  t.equal(from('10.0.0.1', '203.0.113.8', '203.0.113.7'), '203.0.113.7')
  t.equal(from('10.0.0.1', '10.9.9.9, 10.8.8.8'), '10.9.9.9', 'all trusted: the first of them')
  t.equal(from('10.0.0.1', '2001:DB9:0::1'), '2001:db9::1')
  t.equal(from('10.0.0.1', '::ffff:203.0.113.7'), '203.0.113.7')
  t.equal(from('::ffff:10.0.0.1', '203.0.113.7'), '203.0.113.7', 'a mapped peer is the peer')
  t.equal(from('2001:db8::5', '203.0.113.7'), '203.0.113.7')
  t.equal(from('10.0.0.1'), '10.0.0.1')
})

t.test('the locator ends at nonsense and never goes behind it (A15)', async (t) => {
  const locate = createClientLocator(networkSet(['10.0.0.0/8']))
  const from = (value: string) => locate('10.0.0.1', ['x-forwarded-for', value]).address
  for (const bad of [
    'a',
    '',
    ' ',
    'unknown',
    '_x',
    '1.2.3.4:80',
    '[::1]',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4 5',
  ]) {
    t.equal(from(bad), '10.0.0.1', bad)
    t.equal(from(`9.9.9.9, ${bad}`), '10.0.0.1', `behind "${bad}"`)
    t.equal(from(`${bad}, 203.0.113.7`), '203.0.113.7')
    t.equal(from(`9.9.9.9,${bad},10.5.5.5`), '10.5.5.5')
  }
  t.equal(from(`${'x'.repeat(10_000)},203.0.113.7`), '203.0.113.7')
  const started = performance.now()
  t.equal(from(Array.from({ length: 5000 }, () => '10.1.1.1').join(',')), '10.1.1.1')
  t.ok(performance.now() - started < 500)
})

t.test('the locator believes nothing of anybody else (A1, F4)', async (t) => {
  const headers = [
    'X-Forwarded-For',
    '10.0.0.1',
    'X-Real-IP',
    '10.0.0.1',
    'Forwarded',
    'for=10.0.0.1',
  ]
  const some = createClientLocator(networkSet(['10.0.0.0/8']))
  const none = createClientLocator(networkSet([]))
  t.strictSame(some('192.0.2.1', headers), { address: '192.0.2.1', throughProxy: false })
  t.strictSame(none('10.0.0.1', headers), { address: '10.0.0.1', throughProxy: false })
  t.strictSame(
    some(undefined, headers),
    { address: '0.0.0.0', throughProxy: false },
    'no address at all',
  )
  t.strictSame(some('fe80::1%eth0', headers).address, 'fe80::1')
  t.equal(
    some('10.0.0.1', ['X_Forwarded_For', '9.9.9.9']).address,
    '10.0.0.1',
    'an alias is not it',
  )
})

t.test('the locator never reads Forwarded, not even of a trusted peer (A7, A14)', async (t) => {
  const locate = createClientLocator(trustedPeers(['10.0.0.0/8']))
  const alone = ['Forwarded', 'for=203.0.113.7;proto=https;host=evil.example']
  t.strictSame(locate('10.0.0.1', alone), { address: '10.0.0.1', throughProxy: true })
  t.equal(locate('10.0.0.1', [...alone, 'X-Forwarded-For', '203.0.113.8']).address, '203.0.113.8')
})

t.test('the locator believes peers without an address only when told to (A17)', async (t) => {
  const headers = ['X-Forwarded-For', '203.0.113.7']
  const nobody = { address: '0.0.0.0', throughProxy: false }
  const told = createClientLocator(trustedPeers(['unix', '10.0.0.0/8']))
  const untold = createClientLocator(trustedPeers(['10.0.0.0/8', '0.0.0.0/8']))
  t.strictSame(told('unix', headers), { address: '203.0.113.7', throughProxy: true })
  t.strictSame(told('unix', []), { address: '0.0.0.0', throughProxy: true })
  for (const peer of ['unix', 'unknown', undefined]) {
    t.strictSame(untold(peer, headers), nobody, peer ?? 'none')
  }
  t.strictSame(told(undefined, headers), nobody, 'a connection that is gone is no Unix socket')
  t.strictSame(told('unknown', headers), nobody, 'nor is a source that a PROXY header hides')
  t.strictSame(told('10.0.0.1', ['X-Forwarded-For', 'unix']).address, '10.0.0.1', 'nor is a hop')
})
