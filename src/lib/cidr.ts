import { isIPv4 } from 'node:net'
import { canonicalAddress, isNetwork } from './network.ts'

/** A network taken apart. A v4-mapped IPv6 network is the IPv4 network it carries. */
export type ParsedNetwork = {
  /** CIDR notation, in one spelling for each network: `203.0.113.0/24`, `2001:db8::/32`. */
  readonly text: string
  readonly family: 4 | 6
  /** The first address of it, as a number. */
  readonly first: bigint
  readonly prefix: number
  /** Whether the text had bits set behind the prefix, as in `10.0.0.1/8`. */
  readonly hostBits: boolean
}

/**
 * Takes an address or a network in CIDR notation apart (RFC 4632, RFC 4291 2.3); an address is the
 * network of itself alone. `undefined` when it is neither.
 */
export function canonicalNetwork(text: string): ParsedNetwork | undefined {
  if (!isNetwork(text)) return undefined
  const [written = '', size] = text.split('/')
  const number = parseAddress(written)
  if (number === undefined) return undefined
  const { family, value } = number
  const width = family === 4 ? 32 : 128
  // `::ffff:192.0.2.0/120` is written with the prefix of the IPv6 address.
  const inner = family === 4 && !isIPv4(written) ? 96 : 0
  const prefix = size === undefined ? width : Number(size) - inner
  if (prefix < 0) return undefined
  const first = maskedAt(value, width, prefix)
  return {
    text: `${addressText(first, family)}/${prefix}`,
    family,
    first,
    prefix,
    hostBits: first !== value,
  }
}

/** Whether every address of `inner` is one of `outer`. */
export function coversNetwork(outer: ParsedNetwork, inner: ParsedNetwork): boolean {
  if (outer.family !== inner.family || outer.prefix > inner.prefix) return false
  return maskedAt(inner.first, inner.family === 4 ? 32 : 128, outer.prefix) === outer.first
}

/** Whether the two have an address in common. */
export function networksMeet(a: ParsedNetwork, b: ParsedNetwork): boolean {
  return coversNetwork(a, b) || coversNetwork(b, a)
}

/** The address as a number; v4-mapped IPv6 as IPv4. `undefined` when it is not an address. */
export function parseAddress(
  text: string,
): { readonly family: 4 | 6; readonly value: bigint } | undefined {
  const known = canonicalAddress(text)
  if (known === undefined) return undefined
  if (isIPv4(known)) {
    const value = known.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    return { family: 4, value: BigInt(value) }
  }
  const [head = '', tail] = known.split('::', 2)
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return { family: 6, value: BigInt(`0x${groups.map((one) => one.padStart(4, '0')).join('')}`) }
}

/** The number with everything behind the prefix set to zero. */
export function maskedAt(value: bigint, width: number, prefix: number): bigint {
  const tail = BigInt(width - prefix)
  return (value >> tail) << tail
}

/** Canonical text is hexadecimal throughout, but for addresses such as `::1.2.3.4`. */
function groupsOf(text: string): readonly string[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [group]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)]
  })
}

function addressText(value: bigint, family: 4 | 6): string {
  if (family === 4) {
    const number = Number(value)
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
  }
  const digits = value.toString(16).padStart(32, '0')
  const long = digits.replace(/(.{4})(?=.)/g, '$1:')
  // What the parser made of it always is an address.
  return canonicalAddress(long) ?? long
}
