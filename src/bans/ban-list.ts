import { canonicalNetwork, maskedAt, parseAddress } from '../lib/cidr.ts'
import { remember } from '../lib/remember.ts'
import type { Ban } from './ban.ts'

/** Bans in a form in which an address is looked up in. It never changes. */
export type BanList = {
  readonly size: number
  /** The ban that keeps the address out longest, `undefined` when there is none; it may be over. */
  readonly find: (address: string) => Ban | undefined
}

/**
 * Sorts the bans by family and prefix: a look-up takes one step for each length of prefix there
 * is, however many bans, and addresses that come again none.
 */
export function banList(bans: readonly Ban[]): BanList {
  const shelves = { 4: new Map<number, Shelf>(), 6: new Map<number, Shelf>() }
  for (const ban of bans) {
    const network = canonicalNetwork(ban.network)
    if (network === undefined) continue
    const { family, prefix, first } = network
    const shelf = shelves[family].get(prefix) ?? new Map()
    shelf.set(first, ban)
    shelves[family].set(prefix, shelf)
  }
  const find = remember((address): Found => {
    const parsed = parseAddress(address)
    if (parsed === undefined) return NONE
    const width = parsed.family === 4 ? 32 : 128
    let longest: Ban | undefined
    for (const [prefix, shelf] of shelves[parsed.family]) {
      const ban = shelf.get(maskedAt(parsed.value, width, prefix))
      if (ban !== undefined && ban.endsAt > (longest?.endsAt ?? 0)) longest = ban
    }
    return longest === undefined ? NONE : { ban: longest }
  })
  return {
    size: bans.length,
    find: (address) => (bans.length === 0 ? undefined : find(address).ban),
  }
}

type Shelf = Map<bigint, Ban>
type Found = { readonly ban?: Ban }
const NONE: Found = {}
