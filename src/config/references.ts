import { resolve } from 'node:path'
import { closest } from './closest.ts'
import type { Fault, Path, Reading, Span } from './problem.ts'
import { bad, good } from './problem.ts'
import { decodeText, isWorldReadable, type ReadFile, readFailure } from './source-file.ts'
import { eachScalar, type Node, type ScalarNode } from './tree.ts'

/** Where references are looked up. */
export type ReferenceSources = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: ReadFile
  /** What relative paths start from. */
  readonly directory: string
}

const MAX_SECRET_BYTES = 64 * 1024
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Puts in the values that the scalars refer to: `${NAME}`, `${NAME:-default}`,
 * `${NAME:?message}` as in Compose files, `${file:/path}`, and `$$` for a dollar sign. Any other
 * `$` stands for itself. This happens after parsing, so no value can change the file's structure.
 * A scalar whose reference fails has the value `undefined`.
 */
export async function resolveReferences(
  root: Node,
  source: string,
  sources: ReferenceSources,
): Promise<{ readonly root: Node; readonly faults: readonly (Fault & { readonly path: Path })[] }> {
  const found: { readonly scalar: ScalarNode; readonly path: Path; readonly text: string }[] = []
  eachScalar(root, (scalar, path) => {
    if (typeof scalar.value === 'string' && scalar.value.includes('$')) {
      found.push({ scalar, path, text: scalar.value })
    }
  })
  const faults: (Fault & { readonly path: Path })[] = []
  const replaced = new Map<ScalarNode, ScalarNode>()
  for (const { scalar, path, text } of found) {
    if (replaced.has(scalar)) continue
    let value = ''
    let failed = false
    let plain = true
    for (const piece of split(text)) {
      if (piece.kind === 'text') {
        value += piece.text
        continue
      }
      plain = false
      const outcome = await follow(piece, sources)
      if (outcome.kind === 'faults') failed = true
      else value += outcome.value.text
      const problems = outcome.kind === 'faults' ? outcome.faults : outcome.value.warnings
      const span = placeIn(source, scalar.span, piece.whole)
      faults.push(...problems.map((fault) => ({ ...fault, path, span })))
    }
    replaced.set(scalar, {
      ...scalar,
      value: failed ? undefined : value,
      ...(plain ? {} : { written: text }),
    })
  }
  return { root: replaced.size === 0 ? root : replace(root, replaced), faults }
}

/** Whether a text is nothing but one reference that holds no value itself. */
export function isBareReference(text: string): boolean {
  return /^\$\{(?:[A-Za-z_][A-Za-z0-9_]*(?::\?[^${}]*)?|file:[^${}]*)\}$/.test(text)
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reference'; readonly whole: string; readonly inner: string }

function split(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let rest = 0
  while (rest < text.length) {
    const dollar = text.indexOf('$', rest)
    if (dollar < 0) break
    if (dollar > rest) pieces.push({ kind: 'text', text: text.slice(rest, dollar) })
    const next = text[dollar + 1]
    if (next === '{') {
      const close = text.indexOf('}', dollar)
      const end = close < 0 ? text.length : close + 1
      const whole = text.slice(dollar, end)
      pieces.push({ kind: 'reference', whole, inner: close < 0 ? '' : whole.slice(2, -1) })
      rest = end
    } else {
      pieces.push({ kind: 'text', text: '$' })
      rest = dollar + (next === '$' ? 2 : 1)
    }
  }
  if (rest < text.length) pieces.push({ kind: 'text', text: text.slice(rest) })
  return pieces
}

type Followed = { readonly text: string; readonly warnings: readonly Fault[] }

async function follow(
  { whole, inner }: { readonly whole: string; readonly inner: string },
  sources: ReferenceSources,
): Promise<Reading<Followed>> {
  if (inner.startsWith('file:')) return followFile(inner.slice('file:'.length), sources)
  const [, name = '', operator, operand = ''] = /^([^:]*)(?:(:[-?])([\s\S]*))?$/.exec(inner) ?? []
  if (!NAME.test(name) || operand.includes('$')) {
    // NOTE: only the start is shown: a default may be a secret.
    return bad('reference_syntax', { reference: /^\$\{\w*/.exec(whole)?.[0] ?? '' })
  }
  const value = Object.hasOwn(sources.env, name) ? sources.env[name] : undefined
  if (operator === ':-') return followed(value === undefined || value === '' ? operand : value)
  if (operator === ':?' && (value === undefined || value === '')) {
    return bad('variable_required', { name, message: operand })
  }
  if (value === undefined) {
    const near = closest(name, Object.keys(sources.env))
    return bad('variable_unset', { name, example: `\${${name}:-…}` }, near)
  }
  return followed(value)
}

async function followFile(path: string, sources: ReferenceSources): Promise<Reading<Followed>> {
  if (path === '') return bad('reference_syntax', { reference: 'file:' })
  const file = resolve(sources.directory, path)
  let source: Awaited<ReturnType<ReadFile>>
  try {
    source = await sources.readFile(file, MAX_SECRET_BYTES)
  } catch (cause) {
    return bad('secret_file_unreadable', { file, reason: readFailure(cause) })
  }
  const text =
    source.bytes.length > MAX_SECRET_BYTES
      ? undefined
      : decodeText(source.bytes)?.replace(/\r?\n$/, '')
  if (text === undefined || text === '') {
    return bad('secret_file_unfit', { file, limit: '64 KiB' })
  }
  return followed(
    text,
    isWorldReadable(source.mode) ? [{ kind: 'world_readable', params: { file } }] : [],
  )
}

function followed(text: string, warnings: readonly Fault[] = []): Reading<Followed> {
  return good({ text, warnings })
}

/** Where in the scalar the reference stands; the scalar itself when quoting or folding hides it. */
function placeIn(source: string, scalar: Span, reference: string): Span {
  const start = source.indexOf(reference, scalar.start)
  const end = start + reference.length
  return start < 0 || end > scalar.end ? scalar : { start, end }
}

function replace(node: Node, replaced: ReadonlyMap<ScalarNode, ScalarNode>): Node {
  if (node.kind === 'scalar') return replaced.get(node) ?? node
  if (node.kind === 'list') {
    return { ...node, items: node.items.map((item) => replace(item, replaced)) }
  }
  return {
    ...node,
    entries: new Map(
      [...node.entries].map(([key, entry]) => [
        key,
        { ...entry, node: replace(entry.node, replaced) },
      ]),
    ),
  }
}
