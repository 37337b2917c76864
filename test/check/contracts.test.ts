import t from 'tap'
import { caddy } from '../../src/check/caddy.ts'
import type { Contract, SubRequest } from '../../src/check/contract.ts'
import { envoy } from '../../src/check/envoy.ts'
import { haproxy } from '../../src/check/haproxy.ts'
import { nginx } from '../../src/check/nginx.ts'
import { traefik } from '../../src/check/traefik.ts'

type Fields = Readonly<Record<string, string>>

const FORWARDED: Fields = {
  'X-Forwarded-Method': 'POST',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'Wiki.Example.com:8443',
  'X-Forwarded-Uri': '/a%2Fb/../c//d?x=1&y=%20z',
  'X-Forwarded-For': '203.0.113.7',
}
const ORIGINAL: Fields = {
  'X-Original-Method': 'POST',
  'X-Original-URL': 'https://Wiki.Example.com:8443/a%2Fb/../c//d?x=1&y=%20z',
  'X-Forwarded-For': '203.0.113.7',
}
const CONTRACTS: readonly (readonly [contract: Contract, own: Fields, other: Fields])[] = [
  [caddy, FORWARDED, ORIGINAL],
  [traefik, FORWARDED, ORIGINAL],
  [nginx, ORIGINAL, FORWARDED],
  [haproxy, FORWARDED, ORIGINAL],
]
const ASKED = {
  method: 'POST',
  host: { name: 'wiki.example.com', authority: 'wiki.example.com:8443' },
  target: '/a%2Fb/../c//d?x=1&y=%20z',
  websocket: false,
}
/** The four contracts that are asked by GET look at their headers alone. */
const NOTHING: SubRequest = {
  method: 'GET',
  host: { name: 'evil', authority: 'evil' },
  target: '/.sallyport/check/x',
}
const read = (contract: Contract, headers: readonly string[], sub = NOTHING) =>
  contract.read(headers, sub)
const raw = (fields: Fields) => Object.entries(fields).flat()
const without = (fields: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name))

t.test('read() gives what the proxy was asked, the target byte for byte', async (t) => {
  for (const [contract, own] of CONTRACTS) {
    t.strictSame(read(contract, raw(own)), { kind: 'asked', asked: ASKED }, contract.name)
    const lower = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]),
    )
    t.strictSame(read(contract, raw(lower)), { kind: 'asked', asked: ASKED }, 'in any case')
  }
})

t.test("read() looks at its own contract's headers and no others (A7)", async (t) => {
  for (const [contract, own, other] of CONTRACTS) {
    const lies = {
      ...other,
      'X-Original-URI': '/x',
      'X-Rewrite-URL': '/x',
      'X-Forwarded-Prefix': '/x',
    }
    const others = Object.entries({
      ...lies,
      Forwarded: 'host=evil',
      Host: 'evil',
      'X-Forwarded-Port': '1',
    })
    const added = others.filter(([name]) => !(name in own)).flat()
    t.strictSame(read(contract, [...added, ...raw(own), ...added]), { kind: 'asked', asked: ASKED })
    t.equal(read(contract, added).kind, 'refused', 'they are no substitute either')
    t.equal(read(contract, []).kind, 'refused')
  }
})

t.test(
  'read() refuses and names a header that is missing, blank, doubled or spelled otherwise (A6, A16)',
  async (t) => {
    for (const [contract, own] of CONTRACTS) {
      for (const [name, value] of Object.entries(own)) {
        const rest = raw(without(own, name))
        const faults = [
          rest,
          [...rest, name, ''],
          [...rest, name, value, name, value],
          [...rest, name, value, name.toLowerCase(), ''],
          [...rest, name, '', name.toUpperCase(), value],
          [...rest, name.replaceAll('-', '_'), value],
          [...rest, name.replace('-', '_'), value],
          [...rest, name.replaceAll('-', '.'), value],
          [...rest, `${name}\xa0`, value],
        ]
        for (const fault of faults) {
          t.strictSame(
            read(contract, fault),
            { kind: 'refused', header: name },
            `${contract.name} ${name}`,
          )
        }
      }
    }
  },
)

t.test('read() takes only methods, schemes, hosts and URLs that can be', async (t) => {
  const bad: Readonly<Record<string, readonly string[]>> = {
    'X-Forwarded-Method': [
      'get',
      'Post',
      'GET ',
      ' GET',
      'M_SEARCH',
      '-GET',
      'G3T',
      'A'.repeat(33),
    ],
    'X-Forwarded-Proto': ['HTTPS', 'https,http', 'ftp', ' https', 'wsss'],
    'X-Forwarded-Host': ['a b', 'a/b', 'u@a', 'a:b', '[::1', 'é', 'a,b', '*'],
    'X-Original-Method': ['get', 'GET,POST', 'TRACE\t'],
    'X-Original-URL': [
      ...['/x', 'wiki.example.com/x', '//wiki.example.com/x', 'https:/x', 'https://', 'https:///x'],
      ...[
        'https://wiki.example.com',
        'https://wiki.example.com?x=/y',
        'https://wiki.example.com#/y',
      ],
      ...['HTTPS://wiki.example.com/x', 'ws://wiki.example.com/x', 'https://u@wiki.example.com/x'],
      ...['https://[::1/x', 'https://wiki.example.com:0/x', 'https://wiki.example.com\\/x'],
    ],
  }
  for (const [contract, own] of CONTRACTS) {
    for (const [name, values] of Object.entries(bad)) {
      if (!(name in own)) continue
      for (const value of values) {
        const reading = read(contract, raw({ ...own, [name]: value }))
        t.strictSame(
          reading,
          { kind: 'refused', header: name },
          `${contract.name} ${name}: ${value}`,
        )
      }
    }
  }
  const socket = raw({ ...FORWARDED, 'X-Forwarded-Proto': 'wss' })
  t.equal(read(traefik, socket).kind, 'asked', 'Traefik names WebSocket schemes')
  t.equal(read(caddy, socket).kind, 'refused', 'Caddy does not')
  t.equal(read(caddy, raw({ ...FORWARDED, 'X-Forwarded-Method': 'M-SEARCH' })).kind, 'asked')
})

t.test('read() sees a WebSocket where the proxy lets it be seen', async (t) => {
  const seen = (contract: Contract, own: Fields, more: readonly string[] = []) => {
    const reading = read(contract, [...raw(own), ...more])
    return reading.kind === 'asked' && reading.asked.websocket
  }
  for (const [contract, own] of CONTRACTS.filter(([contract]) => contract !== haproxy)) {
    t.ok(seen(contract, own, ['Connection', 'Upgrade', 'upgrade', 'WebSocket']), contract.name)
    t.ok(seen(contract, own, ['Upgrade', 'h2c', 'Upgrade', 'websocket']))
    t.notOk(seen(contract, own, ['Upgrade', 'h2c']))
  }
  t.ok(seen(haproxy, FORWARDED, ['X-Forwarded-Upgrade', 'h2c, WebSocket']))
  t.notOk(seen(haproxy, FORWARDED, ['X-Forwarded-Upgrade', 'h2c']))
  t.notOk(seen(haproxy, FORWARDED, ['Upgrade', 'websocket']), 'that is of its own connection')
  for (const fault of [[''], ['websocket', 'websocket'], ['', 'h2c']]) {
    const sent = fault.flatMap((value) => ['X-Forwarded-Upgrade', value])
    const reading = read(haproxy, [...raw(FORWARDED), ...sent])
    t.strictSame(reading, { kind: 'refused', header: 'X-Forwarded-Upgrade' })
  }
  t.ok(seen(traefik, { ...FORWARDED, 'X-Forwarded-Proto': 'ws' }))
})

t.test('adapt() gives each proxy an answer it passes on', async (t) => {
  const headers = [['Location', 'https://auth.example.com/x'] as const]
  const adapted = (contract: Contract, status: number) =>
    contract.adapt({ status, headers, body: 'b' })
  for (const status of [200, 302, 303, 400, 401, 403, 404, 405, 429, 500, 503]) {
    for (const contract of [caddy, traefik, haproxy, envoy])
      t.strictSame(adapted(contract, status), { status, headers, body: 'b' })
  }
  const statuses = [200, 302, 303, 400, 401, 403, 404, 405, 429, 500, 503]
  t.strictSame(
    statuses.map((status) => adapted(nginx, status).status),
    [200, 401, 401, 403, 401, 403, 403, 403, 403, 500, 503],
  )
  t.match(adapted(nginx, 302), { headers, body: '' }, 'with the address of the login page')
})

const ENVOY: Fields = {
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-For': '203.0.113.7,10.0.0.2',
  'Sallyport-Client': '203.0.113.7',
}
const SUB: SubRequest = {
  method: 'POST',
  host: ASKED.host,
  target: '/a%2Fb/../c//d?x=1&y=%20z',
}

t.test('envoy.read() takes the question from the sub-request itself', async (t) => {
  const asked = { ...ASKED, address: '203.0.113.7' }
  t.strictSame(read(envoy, raw(ENVOY), SUB), { kind: 'asked', asked })
  const lies = raw({ ...FORWARDED, ...ORIGINAL, 'X-Envoy-Original-Path': '/x' })
  const added = lies.filter((_, i) => !((lies[i - (i % 2)] ?? '') in ENVOY))
  t.strictSame(read(envoy, [...added, ...raw(ENVOY), ...added], SUB), { kind: 'asked', asked })
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'M-SEARCH', 'QUERY']) {
    t.match(read(envoy, raw(ENVOY), { ...SUB, method }), { asked: { method } })
  }
  const socket = read(envoy, [...raw(ENVOY), 'upgrade', 'websocket'], SUB)
  t.match(socket, { kind: 'asked', asked: { websocket: true } })
  const mapped = read(envoy, raw({ ...ENVOY, 'Sallyport-Client': '::ffff:203.0.113.7' }), SUB)
  t.match(mapped, { asked: { address: '203.0.113.7' } }, 'in its one spelling')
})

t.test('envoy.read() refuses what Envoy as configured would not send (A6, A16)', async (t) => {
  for (const [name, value] of Object.entries(ENVOY)) {
    const rest = raw(without(ENVOY, name))
    const faults = [
      rest,
      [...rest, name, ''],
      [...rest, name, value, name, value],
      [...rest, name, value, name.toLowerCase(), ''],
      [...rest, name.replaceAll('-', '_'), value],
      [...rest, name.replaceAll('-', '.'), value],
    ]
    for (const fault of faults) {
      t.strictSame(read(envoy, fault, SUB), { kind: 'refused', header: name }, fault.join())
    }
  }
  for (const value of ['-', 'unknown', '203.0.113.7:80', '203.0.113.7, 10.0.0.2', '_x']) {
    const reading = read(envoy, raw({ ...ENVOY, 'Sallyport-Client': value }), SUB)
    t.strictSame(reading, { kind: 'refused', header: 'Sallyport-Client' }, value)
  }
  for (const value of ['ws', 'wss', 'HTTPS', 'https,http', '-']) {
    t.equal(read(envoy, raw({ ...ENVOY, 'X-Forwarded-Proto': value }), SUB).kind, 'refused', value)
  }
  for (const target of ['', 'x', '*', '?x=/', 'http://asked.example.com/x']) {
    t.equal(read(envoy, raw(ENVOY), { ...SUB, target }).kind, 'refused', target)
  }
  t.equal(read(envoy, raw(ENVOY), { ...SUB, method: 'get' }).kind, 'refused')
})
