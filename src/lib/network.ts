import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'
import { remember } from './remember.ts'

/** A set of networks in CIDR notation that an address can be looked up in. */
export type NetworkSet = {
  readonly size: number
  readonly has: (address: string) => boolean
}

/** Whether `text` is an address or a network in CIDR notation (RFC 4632, RFC 4291 2.3). */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0 || address.includes('%')) return false
  if (prefix === undefined) return true
  return /^(0|[1-9][0-9]{0,2})$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

/**
 * Builds the set. Each entry must satisfy `isNetwork`.
 * A v4-mapped IPv6 address is looked up as the IPv4 address it carries.
 */
export function networkSet(networks: readonly string[]): NetworkSet {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    list.addSubnet(
      address,
      prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix),
      family,
    )
  }
  return {
    size: networks.length,
    has: remember((address) => {
      const known = canonicalAddress(address)
      if (known === undefined) return false
      return list.check(known, isIPv4(known) ? 'ipv4' : 'ipv6')
    }),
  }
}

/**
 * One spelling for each address: IPv6 compressed and in lower case without a zone,
 * v4-mapped IPv6 as IPv4. `undefined` when it is not an address.
 */
export function canonicalAddress(text: string): string | undefined {
  return canonical(text) || undefined
}

/** `''` stands for "no address". */
const canonical = remember((text): string => {
  if (isIPv4(text)) return text
  const address = text.split('%', 1)[0] ?? ''
  if (isIP(address) !== 6) return ''
  const short = new SocketAddress({ address, family: 'ipv6' }).address.toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(short)?.[1]
  return mapped ?? short
})

/**
 * What one host can change at will counts as one: an IPv4 address as it is, an IPv6 address
 * by its /64, because a single subscriber is given at least that much (RFC 6177).
 */
export function networkKey(address: string): string {
  const known = canonicalAddress(address)
  if (known === undefined || isIPv4(known)) return known ?? address
  const [head = '', tail] = known.split('::', 2)
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}
