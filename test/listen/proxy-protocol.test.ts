import t from 'tap'
import { type ProxyHeader, parseProxyHeader } from '../../src/listen/proxy-protocol.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

function v2(command: number, family: number, body: Uint8Array, size = body.length): Buffer {
  const fixed = Buffer.from([command, family, size >> 8, size & 0xff])
  return Buffer.concat([SIGNATURE, fixed, body])
}

const IPV4 = Buffer.from([203, 0, 113, 7, 192, 0, 2, 1, 0xc3, 0x50, 1, 0xbb])
const IPV6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from([0xc3, 0x50, 1, 0xbb]),
])
const MAPPED = Buffer.concat([
  Buffer.from('00000000000000000000ffffcb007107', 'hex'),
  IPV6.subarray(16),
])
const TLV = Buffer.from([0x01, 0, 2, 0x68, 0x32])

const line = (text: string): Buffer => Buffer.from(`PROXY ${text}\r\n`, 'latin1')
const address = (text: string) => ({ kind: 'address', address: text }) as const

const WHOLE: readonly (readonly [Buffer, Extract<ProxyHeader, { kind: 'header' }>['source']])[] = [
  [line('TCP4 203.0.113.7 192.0.2.1 50000 443'), address('203.0.113.7')],
  [line('TCP4 255.255.255.255 255.255.255.255 65535 65535'), address('255.255.255.255')],
  [line('TCP6 2001:DB8::1 2001:db8::2 0 443'), address('2001:db8::1')],
  [line('TCP6 ::ffff:203.0.113.7 ::1 1 2'), address('203.0.113.7')],
  [line('UNKNOWN'), { kind: 'unknown' }],
  [line('UNKNOWN ffff:f...f:ffff whatever \t it says'), { kind: 'unknown' }],
  [v2(0x21, 0x11, IPV4), address('203.0.113.7')],
  [v2(0x21, 0x11, Buffer.concat([IPV4, TLV])), address('203.0.113.7')],
  [v2(0x21, 0x21, IPV6), address('2001:db8::1')],
  [v2(0x21, 0x21, MAPPED), address('203.0.113.7')],
  [v2(0x21, 0x31, Buffer.alloc(216, 0x61)), { kind: 'unknown' }],
  [v2(0x21, 0x00, Buffer.alloc(0)), { kind: 'unknown' }],
  [v2(0x20, 0x00, Buffer.alloc(0)), { kind: 'local' }],
  [v2(0x20, 0xff, Buffer.from('anything')), { kind: 'local' }],
]

t.test('parseProxyHeader() reads versions 1 and 2, however the bytes arrive', async (t) => {
  for (const [bytes, source] of WHOLE) {
    const shown = bytes.toString('latin1').slice(0, 60)
    for (let end = 0; end < bytes.length; end++) {
      if (parseProxyHeader(bytes.subarray(0, end)).kind !== 'incomplete') {
        t.fail(`${shown}: decided after ${end} of ${bytes.length} bytes`)
      }
    }
    const expected = { kind: 'header', length: bytes.length, source }
    t.strictSame(parseProxyHeader(bytes), expected, shown)
    const more = Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')])
    t.strictSame(parseProxyHeader(more), expected, `${shown} and what follows`)
  }
})

t.test('parseProxyHeader() refuses whatever else comes, at its first wrong byte', async (t) => {
  const bad: readonly Buffer[] = [
    ...[
      'TCP4 203.0.113.7 192.0.2.1 50000',
      'TCP4 203.0.113.7 192.0.2.1 50000 443 1',
      'TCP4  203.0.113.7 192.0.2.1 50000 443',
      'TCP4 203.0.113.7 192.0.2.1 050 443',
      'TCP4 203.0.113.7 192.0.2.1 65536 443',
      'TCP4 203.0.113.7 192.0.2.1 -1 443',
      'TCP4 0203.0.113.7 192.0.2.1 1 443',
      'TCP4 2001:db8::1 2001:db8::2 1 443',
      'TCP6 203.0.113.7 192.0.2.1 1 443',
      'TCP6 fe80::1%eth0 ::1 1 443',
      'tcp4 203.0.113.7 192.0.2.1 1 443',
      'UDP4 203.0.113.7 192.0.2.1 1 443',
      'UNKNOWNX',
      '',
    ].map(line),
    Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 1 443\n'),
    Buffer.from('PROXY\tTCP4'),
    Buffer.from('proxy '),
    Buffer.from('GET / HTTP/1.1\r\n'),
    Buffer.from([0x16, 3, 1]),
    Buffer.from(`PROXY ${'x'.repeat(102)}`),
    Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`),
    Buffer.concat([SIGNATURE.subarray(0, 11), Buffer.from([0])]),
    v2(0x11, 0x11, IPV4),
    v2(0x22, 0x11, IPV4),
    v2(0x21, 0x12, IPV4),
    v2(0x21, 0x41, IPV4),
    v2(0x21, 0x11, IPV4.subarray(1)),
    v2(0x21, 0x21, IPV4),
    v2(0x21, 0x31, Buffer.alloc(215)),
    v2(0x21, 0x11, IPV4, 65_535),
    v2(0x20, 0x00, Buffer.alloc(0), 16_384),
  ]
  for (const bytes of bad) {
    t.strictSame(
      parseProxyHeader(bytes),
      { kind: 'invalid' },
      bytes.toString('latin1').slice(0, 60),
    )
  }
  t.equal(parseProxyHeader(Buffer.from('PRX')).kind, 'invalid')
})

t.test('parseProxyHeader() stays within its bounds on 20,000 broken headers', async (t) => {
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed % below
  }
  for (let round = 0; round < 20_000; round++) {
    const [whole] = WHOLE[random(WHOLE.length)] ?? [Buffer.alloc(0)]
    const bytes = Buffer.from(whole)
    for (let flips = 1 + random(3); flips > 0; flips--) bytes[random(bytes.length)] = random(256)
    const header = parseProxyHeader(bytes)
    if (header.kind !== 'header') continue
    if (header.length > bytes.length) t.fail(`longer than it is: ${bytes.toString('hex')}`)
    if (header.source.kind === 'address' && !/^[0-9a-f.:]+$/.test(header.source.address)) {
      t.fail(`not an address: ${bytes.toString('hex')}`)
    }
  }
  for (const start of [Buffer.from('PROXY '), v2(0x21, 0x11, Buffer.alloc(0), 16_000)]) {
    const endless = Buffer.concat([start, Buffer.alloc(16_384 - start.length, 0x20)])
    t.not(parseProxyHeader(endless).kind, 'incomplete', 'no more than 16 KiB are waited for')
  }
})
