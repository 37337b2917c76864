import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from 'yaml'
import type { BothLanguages, Fault, Span } from './problem.ts'
import { syntaxReason } from './syntax-reason.ts'
import type { Entry, Node, ScalarNode } from './tree.ts'

/** What a configuration file may measure. */
export const MAX_FILE_BYTES = 1024 * 1024
const MAX_NODES = 50_000
const MAX_ALIASES = 100
const MAX_DEPTH = 20

/**
 * Reads YAML 1.2 into a tree that knows its places. Refused beyond what YAML refuses: keys set
 * twice, several documents, explicit tags, merge keys. Aliases are followed, within bounds.
 * `root` is absent when the text cannot be understood well enough to go on checking it.
 */
export function readDocument(text: string): {
  readonly root?: Node
  readonly faults: readonly Fault[]
} {
  if (text.length > MAX_FILE_BYTES) return { faults: [tooBig(MAX_SIZE, { start: 0, end: 0 })] }
  const lines = new LineCounter()
  let document: Document.Parsed
  try {
    document = parseDocument(text, {
      version: '1.2',
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      // NOTE: the parser compares every pair of keys; `readMap` does it in one pass.
      uniqueKeys: false,
      resolveKnownTags: false,
      // NOTE: with 'silent' a second document would be dropped without a word.
      logLevel: 'error',
    })
  } catch (cause) {
    // The parser is recursive: brackets nested a few thousand deep end its stack.
    if (!(cause instanceof RangeError)) throw cause
    return { faults: [tooBig(MAX_SIZE, { start: 0, end: 0 })] }
  }
  const broken = syntaxFaults(document, lines, text)
  if (broken.length > 0) return { faults: broken }

  const reader = createReader(document, lines)
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    reader.faults.push(unsupported({ start: 0, end: 5 }, YAML_VERSION))
  }
  const root = reader.read(document.contents, 0)
  const cut = reader.faults.some(({ kind }) => kind === 'too_big')
  return root === undefined || cut ? { faults: reader.faults } : { root, faults: reader.faults }
}

function createReader(document: Document.Parsed, lines: LineCounter) {
  const faults: Fault[] = []
  const open = new Set<unknown>()
  let nodes = 0
  let aliases = 0

  function read(source: unknown, depth: number): Node | undefined {
    const span = spanOf(source)
    if (++nodes > MAX_NODES || depth > MAX_DEPTH) {
      if (nodes <= MAX_NODES + 1)
        faults.push(tooBig(depth > MAX_DEPTH ? MAX_NESTING : MAX_COUNT, span))
      nodes = MAX_NODES + 1
      return undefined
    }
    if (source === null) return { kind: 'scalar', span, value: null }
    if (isAlias(source)) {
      if (++aliases > MAX_ALIASES) {
        if (aliases === MAX_ALIASES + 1) faults.push(tooBig(ALIAS_COUNT, span))
        return undefined
      }
      const target = source.resolve(document)
      if (target !== undefined && !open.has(target)) return read(target, depth + 1)
      faults.push({ kind: 'bad_alias', params: { name: source.source }, span })
      return undefined
    }
    if (hasForeignTag(source)) {
      faults.push(unsupported(span, TAG))
      return undefined
    }
    if (isScalar(source)) return readScalar(source.value, span)
    open.add(source)
    const node = isMap(source)
      ? readMap(source.items, span, depth)
      : isSeq(source)
        ? readList(source.items, span, depth)
        : undefined
    open.delete(source)
    return node
  }

  function readMap(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    span: Span,
    depth: number,
  ): Node {
    const entries = new Map<string, Entry>()
    for (const pair of pairs) {
      const key = isScalar(pair.key) ? pair.key.value : undefined
      const place = spanOf(pair.key)
      if (typeof key !== 'string') {
        faults.push(unsupported(place, COMPLEX_KEY))
        continue
      }
      const earlier = entries.get(key)
      if (earlier !== undefined) {
        const line = String(lines.linePos(earlier.key.start).line)
        faults.push({ kind: 'duplicate_key', params: { key, line }, span: place })
        continue
      }
      if (key === '<<') {
        faults.push(unsupported(place, MERGE_KEY))
        continue
      }
      const node = read(pair.value ?? null, depth + 1)
      // An empty value has no place of its own: the key stands for it.
      const sound = node ?? { kind: 'scalar', span: place, value: undefined }
      entries.set(key, {
        key: place,
        node: sound.span.end === 0 ? { ...sound, span: place } : sound,
      })
    }
    return { kind: 'map', span, entries }
  }

  function readList(items: readonly unknown[], span: Span, depth: number): Node {
    const nodes = items.map((item) => read(item, depth + 1))
    return {
      kind: 'list',
      span,
      items: nodes.map((node) => node ?? { kind: 'scalar', span, value: undefined }),
    }
  }

  return { read: (source: unknown, depth: number) => read(source, depth), faults }
}

function readScalar(value: unknown, span: Span): ScalarNode {
  if (typeof value === 'bigint') return { kind: 'scalar', span, value: Number(value) }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'scalar', span, value }
  }
  return { kind: 'scalar', span, value: null }
}

/** One fault a line: what follows the first is mostly its echo. */
function syntaxFaults(
  document: Document.Parsed,
  lines: LineCounter,
  text: string,
): readonly Fault[] {
  const faults = new Map<number, Fault>()
  for (const { code, pos } of document.errors) {
    const [start, end] = pos
    const { line } = lines.linePos(start)
    if (faults.has(line)) continue
    const span = { start, end: Math.max(end, start + 1) }
    // Inside brackets YAML takes the brace of a reference for its own, and is lost from there.
    if (text.startsWith('${', start - 1)) {
      return [...faults.values(), { kind: 'syntax', params: { reason: UNQUOTED_REFERENCE }, span }]
    }
    faults.set(line, syntaxFault(code, span))
  }
  return [...faults.values()]
}

function syntaxFault(code: ErrorCode, span: Span): Fault {
  if (code === 'MULTIPLE_DOCS') return unsupported(span, SECOND_DOCUMENT)
  if (code === 'RESOURCE_EXHAUSTION') return tooBig(MAX_NESTING, span)
  return { kind: 'syntax', params: { reason: syntaxReason(code) }, span }
}

function spanOf(source: unknown): Span {
  const range =
    isScalar(source) || isMap(source) || isSeq(source) || isAlias(source) ? source.range : null
  return range == null ? { start: 0, end: 0 } : { start: range[0], end: range[1] }
}

const CORE_TAGS: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
)

function hasForeignTag(source: unknown): boolean {
  const tag = isScalar(source) || isMap(source) || isSeq(source) ? source.tag : undefined
  return tag !== undefined && !CORE_TAGS.has(tag)
}

function unsupported(span: Span, what: BothLanguages): Fault {
  return { kind: 'unsupported_yaml', params: { what }, span }
}

function tooBig(limit: BothLanguages, span: Span): Fault {
  return { kind: 'too_big', params: { limit }, span }
}

const MAX_SIZE = { en: '1 MiB and a few levels of nesting', fr: '1 Mio et quelques niveaux' }
const MAX_COUNT = { en: '50,000 values, aliases followed', fr: '50 000 valeurs, alias compris' }
const ALIAS_COUNT = { en: '100 aliases', fr: '100 alias' }
const MAX_NESTING = { en: '20 levels', fr: '20 niveaux' }
const YAML_VERSION = { en: 'another version than YAML 1.2', fr: 'une autre version que YAML 1.2' }
const TAG = { en: 'an explicit tag', fr: 'une étiquette explicite' }
const COMPLEX_KEY = {
  en: 'a key that is not plain text',
  fr: 'une clé qui n’est pas un simple texte',
}
const MERGE_KEY = { en: 'the merge key "<<"', fr: 'la clé de fusion «\u00a0<<\u00a0»' }
const UNQUOTED_REFERENCE = {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: references are written like this
  en: 'inside brackets a reference needs quotes: "${NAME}"',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: references are written like this
  fr: 'entre crochets ou accolades, une référence se met entre guillemets\u00a0: "${NOM}"',
}
const SECOND_DOCUMENT = { en: 'a second document', fr: 'un second document' }
