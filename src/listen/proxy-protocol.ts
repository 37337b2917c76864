import { isIPv4, isIPv6 } from 'node:net'
import { canonicalAddress } from '../lib/network.ts'

/** Where a connection came from, as its PROXY header tells. */
export type ProxySource =
  | { readonly kind: 'address'; readonly address: string }
  /** The proxy itself connected, e.g. to see whether we are there. */
  | { readonly kind: 'local' }
  /** It does not say, or not by an address. */
  | { readonly kind: 'unknown' }

/** What the first bytes of a connection are. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  /** The connection's own bytes start at `length`. */
  | { readonly kind: 'header'; readonly length: number; readonly source: ProxySource }
  | { readonly kind: 'invalid' }

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
const INVALID: ProxyHeader = { kind: 'invalid' }
const LOCAL: ProxySource = { kind: 'local' }
const UNKNOWN: ProxySource = { kind: 'unknown' }

/**
 * Reads a header of the PROXY protocol, version 1 or 2 (haproxy.org/download/2.9/doc/
 * proxy-protocol.txt, 2.1 and 2.2). Whatever is no header yet, and cannot become one, is invalid at
 * its first wrong byte; no more than 16 KiB ever count as incomplete.
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (startsLike(buffer, V2_SIGNATURE)) return version2(buffer)
  if (startsLike(buffer, V1_START)) return version1(buffer)
  return INVALID
}

const V1_START = Buffer.from('PROXY ', 'latin1')
/** With its CRLF. */
const V1_LONGEST = 107
const V2_SIGNATURE = Buffer.from([13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10])
const V2_FIXED = 16
/** Addresses and additional fields together; the longest that is known to be sent is a certificate. */
const V2_LONGEST = 16 * 1024 - V2_FIXED

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, length, 0, length) === 0
}

function version1(bytes: Buffer): ProxyHeader {
  const lineFeed = bytes.subarray(0, V1_LONGEST).indexOf(10)
  if (lineFeed < 0) return bytes.length < V1_LONGEST ? INCOMPLETE : INVALID
  if (bytes[lineFeed - 1] !== 13) return INVALID
  const line = bytes.toString('latin1', V1_START.length, lineFeed - 1)
  const length = lineFeed + 1
  // What follows UNKNOWN is to be passed over, whatever it is.
  if (/^UNKNOWN(?: |$)/.test(line)) return { kind: 'header', length, source: UNKNOWN }
  const [family, source = '', destination = '', sourcePort, destinationPort, ...rest] =
    line.split(' ')
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined
  const sound =
    isAddress?.(source) === true &&
    isAddress(destination) &&
    isPort(sourcePort) &&
    isPort(destinationPort) &&
    rest.length === 0
  return sound ? { kind: 'header', length, source: sourceAt(source) } : INVALID
}

function version2(bytes: Buffer): ProxyHeader {
  const command = bytes[12] ?? 0x20
  if (command !== 0x20 && command !== 0x21) return INVALID
  if (bytes.length < V2_FIXED) return INCOMPLETE
  const size = bytes.readUInt16BE(14)
  if (size > V2_LONGEST) return INVALID
  const length = V2_FIXED + size
  // Family and addresses of a LOCAL header say nothing, whatever they are (2.2).
  const family = command === 0x20 ? 'local' : FAMILIES.get(bytes[13] ?? 0xff)
  if (family === undefined || (family !== 'local' && size < ADDRESS_BYTES[family])) return INVALID
  if (bytes.length < length) return INCOMPLETE
  switch (family) {
    case 'local':
      return { kind: 'header', length, source: LOCAL }
    case 'ipv4':
      return { kind: 'header', length, source: sourceAt(bytes.subarray(16, 20).join('.')) }
    case 'ipv6': {
      const groups = bytes.toString('hex', 16, 32).match(/.{4}/g) ?? []
      return { kind: 'header', length, source: sourceAt(groups.join(':')) }
    }
    default:
      return { kind: 'header', length, source: UNKNOWN }
  }
}

type Family = 'none' | 'ipv4' | 'ipv6' | 'unix'

/** Streams; no connection of ours ever came in datagrams. */
const FAMILIES: ReadonlyMap<number, Family> = new Map([
  [0x00, 'none'],
  [0x11, 'ipv4'],
  [0x21, 'ipv6'],
  [0x31, 'unix'],
])

/** Both addresses, with ports where there are some. */
const ADDRESS_BYTES = { none: 0, ipv4: 12, ipv6: 36, unix: 216 } as const satisfies Readonly<
  Record<Family, number>
>

function sourceAt(text: string): ProxySource {
  const address = canonicalAddress(text)
  return address === undefined ? UNKNOWN : { kind: 'address', address }
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535
}
