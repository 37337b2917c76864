import type { Path, Span } from './problem.ts'

/** A value as it stands in the file, with its place. */
export type Node =
  | { readonly kind: 'map'; readonly span: Span; readonly entries: ReadonlyMap<string, Entry> }
  | { readonly kind: 'list'; readonly span: Span; readonly items: readonly Node[] }
  | ScalarNode

/** Text, a number, a switch or nothing. */
export type ScalarNode = {
  readonly kind: 'scalar'
  readonly span: Span
  /** `undefined`: it could not be had, which was reported. */
  readonly value: string | number | boolean | null | undefined
  /** The text with its references, when it has any. */
  readonly written?: string
}

/** A key with its place, and its value. */
export type Entry = { readonly key: Span; readonly node: Node }

/** The node at `path`, or the nearest one above it; `found` is how far the path exists. */
export function placeOf(
  root: Node,
  path: Path,
): { readonly node: Node; readonly key?: Span; readonly found: Path } {
  let node = root
  let key: Span | undefined
  const found: (string | number)[] = []
  for (const part of path) {
    if (node.kind === 'map' && typeof part === 'string') {
      const entry = node.entries.get(part)
      if (entry === undefined) break
      node = entry.node
      key = entry.key
    } else if (node.kind === 'list' && typeof part === 'number') {
      const item = node.items[part]
      if (item === undefined) break
      node = item
      key = undefined
    } else {
      break
    }
    found.push(part)
  }
  return key === undefined ? { node, found } : { node, key, found }
}

/** Stands for a value that could not be had, which was reported where it happened. */
export const UNREADABLE: unique symbol = Symbol('unreadable')

/** The tree as plain data, for the schema. Maps have no prototype, so no key is special. */
export function plainValue(node: Node): unknown {
  if (node.kind === 'scalar') return node.value === undefined ? UNREADABLE : node.value
  if (node.kind === 'list') return node.items.map(plainValue)
  const map: Record<string, unknown> = Object.create(null)
  for (const [key, entry] of node.entries) map[key] = plainValue(entry.node)
  return map
}

/** Calls `visit` for every scalar, in the order of the file. */
export function eachScalar(
  node: Node,
  visit: (scalar: ScalarNode, path: Path) => void,
  path: Path = [],
): void {
  if (node.kind === 'scalar') visit(node, path)
  else if (node.kind === 'list') {
    for (const [index, item] of node.items.entries()) eachScalar(item, visit, [...path, index])
  } else {
    for (const [key, entry] of node.entries) eachScalar(entry.node, visit, [...path, key])
  }
}
