import t from 'tap'
import { caddy } from '../../src/check/caddy.ts'
import type { Contract } from '../../src/check/contract.ts'
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
]
const ASKED = {
  method: 'POST',
  host: { name: 'wiki.example.com', authority: 'wiki.example.com:8443' },
  target: '/a%2Fb/../c//d?x=1&y=%20z',
  websocket: false,
}
const raw = (fields: Fields) => Object.entries(fields).flat()
const without = (fields: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name))

t.test('read() gives what the proxy was asked, the target byte for byte', async (t) => {
  for (const [contract, own] of CONTRACTS) {
    t.strictSame(contract.read(raw(own)), { kind: 'asked', asked: ASKED }, contract.name)
    const lower = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]),
    )
    t.strictSame(contract.read(raw(lower)), { kind: 'asked', asked: ASKED }, 'in any case')
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
    t.strictSame(contract.read([...added, ...raw(own), ...added]), { kind: 'asked', asked: ASKED })
    t.equal(contract.read(added).kind, 'refused', 'they are no substitute either')
    t.equal(contract.read([]).kind, 'refused')
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
            contract.read(fault),
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
        const reading = contract.read(raw({ ...own, [name]: value }))
        t.strictSame(
          reading,
          { kind: 'refused', header: name },
          `${contract.name} ${name}: ${value}`,
        )
      }
    }
  }
  const socket = raw({ ...FORWARDED, 'X-Forwarded-Proto': 'wss' })
  t.equal(traefik.read(socket).kind, 'asked', 'Traefik names WebSocket schemes')
  t.equal(caddy.read(socket).kind, 'refused', 'Caddy does not')
  t.equal(caddy.read(raw({ ...FORWARDED, 'X-Forwarded-Method': 'M-SEARCH' })).kind, 'asked')
})

t.test('read() sees a WebSocket where the proxy lets it be seen', async (t) => {
  const seen = (contract: Contract, own: Fields, more: readonly string[] = []) => {
    const reading = contract.read([...raw(own), ...more])
    return reading.kind === 'asked' && reading.asked.websocket
  }
  for (const [contract, own] of CONTRACTS) {
    t.ok(seen(contract, own, ['Connection', 'Upgrade', 'upgrade', 'WebSocket']), contract.name)
    t.ok(seen(contract, own, ['Upgrade', 'h2c', 'Upgrade', 'websocket']))
    t.notOk(seen(contract, own, ['Upgrade', 'h2c']))
  }
  t.ok(seen(traefik, { ...FORWARDED, 'X-Forwarded-Proto': 'ws' }))
})

t.test('adapt() gives each proxy an answer it passes on', async (t) => {
  const headers = [['Location', 'https://auth.example.com/x'] as const]
  const adapted = (contract: Contract, status: number) =>
    contract.adapt({ status, headers, body: 'b' })
  for (const status of [200, 302, 303, 400, 401, 403, 404, 405, 429, 500, 503]) {
    for (const contract of [caddy, traefik])
      t.strictSame(adapted(contract, status), { status, headers, body: 'b' })
  }
  const statuses = [200, 302, 303, 400, 401, 403, 404, 405, 429, 500, 503]
  t.strictSame(
    statuses.map((status) => adapted(nginx, status).status),
    [200, 401, 401, 403, 401, 403, 403, 403, 403, 500, 503],
  )
  t.match(adapted(nginx, 302), { headers, body: '' }, 'with the address of the login page')
})
