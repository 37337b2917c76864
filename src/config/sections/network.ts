import { z } from 'zod'
import { canonicalNetwork, coversNetwork, type ParsedNetwork } from '../../lib/cidr.ts'
import type { Fault } from '../problem.ts'
import { entriesAt, valueAt } from '../readable.ts'
import { leaf } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { network } from '../values/network.ts'

/** Who may reach Sallyport at all, by address. An empty `allow` stands for everybody. */
export type NetworkLists = { readonly allow: readonly string[]; readonly deny: readonly string[] }

export const NETWORK_DEFAULTS: NetworkLists = { allow: [], deny: [] }

/** The key `network`. */
export const networkSchema = z.strictObject({
  allow: leaf(listOf(network)).default(NETWORK_DEFAULTS.allow),
  deny: leaf(listOf(network, { mayBeEmpty: true })).default(NETWORK_DEFAULTS.deny),
})

/** Looks for entries that say less, or more, than they seem to. All of it is warnings. */
export function checkNetworks(file: unknown): readonly Fault[] {
  const section = valueAt(file, 'network')
  const lists = (['allow', 'deny'] as const).map((key) => ({ key, entries: read(section, key) }))
  return [
    ...lists.flatMap(({ key, entries }) =>
      entries.flatMap((entry, index) =>
        checkEntry(entry, entries.slice(0, index), entries).map((fault) => ({
          ...fault,
          path: ['network', key, ...(entry.index === undefined ? [] : [entry.index])],
        })),
      ),
    ),
    ...leavesOutLoopback(lists[0]?.entries ?? []),
  ]
}

type Entry = {
  readonly text: string
  readonly network: ParsedNetwork
  /** `undefined`: it stands without a list around it. */
  readonly index: number | undefined
}

function read(section: unknown, key: string): readonly Entry[] {
  const isList = Array.isArray(valueAt(section, key))
  return entriesAt(section, key).flatMap((raw, index) => {
    const reading = network(raw)
    const parsed = reading.kind === 'value' ? canonicalNetwork(reading.value) : undefined
    if (reading.kind === 'faults' || parsed === undefined) return []
    return [{ text: reading.value, network: parsed, index: isList ? index : undefined }]
  })
}

function checkEntry(
  { text, network: own }: Entry,
  earlier: readonly Entry[],
  all: readonly Entry[],
): readonly Fault[] {
  if (own.hostBits) {
    return [{ kind: 'network_host_bits', params: { value: text }, suggestion: own.text }]
  }
  const wider =
    earlier.find((other) => other.text !== text && coversNetwork(other.network, own)) ??
    all.find((other) => other.network.text !== own.text && coversNetwork(other.network, own))
  if (wider === undefined) return []
  return [{ kind: 'network_covered', params: { value: text, other: wider.text } }]
}

function leavesOutLoopback(allow: readonly Entry[]): readonly Fault[] {
  if (allow.length === 0) return []
  const covered = ['127.0.0.1', '::1'].some((address) => {
    const own = canonicalNetwork(address)
    return own !== undefined && allow.some((entry) => coversNetwork(entry.network, own))
  })
  return covered ? [] : [{ kind: 'network_no_loopback', path: ['network', 'allow'], part: 'key' }]
}
