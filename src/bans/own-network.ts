import { canonicalNetwork, networksMeet } from '../lib/cidr.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128'] as const

/** A network of one's own that a ban would keep out. */
export type OwnNetwork = {
  readonly whose: 'proxy' | 'machine' | 'asker'
  /** As it was given. */
  readonly network: string
}

/**
 * What a ban would take in that it is probably not meant for: a ban of a proxy, or of the machine
 * itself, may keep everybody out. `undefined`: nothing of the kind.
 * @param own.asker address of who asks for the ban
 */
export function ownNetwork(
  ban: string,
  own: { readonly trustedProxies: readonly string[]; readonly asker?: string },
): OwnNetwork | undefined {
  const banned = canonicalNetwork(ban)
  const meets = (text: string): boolean => {
    const network = canonicalNetwork(text)
    return banned !== undefined && network !== undefined && networksMeet(banned, network)
  }
  const proxy = own.trustedProxies.find(meets)
  if (proxy !== undefined) return { whose: 'proxy', network: proxy }
  const machine = LOOPBACK.find(meets)
  if (machine !== undefined) return { whose: 'machine', network: machine }
  const { asker } = own
  return asker !== undefined && meets(asker) ? { whose: 'asker', network: asker } : undefined
}
