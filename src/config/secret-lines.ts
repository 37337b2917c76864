import { closest } from './closest.ts'
import { lineAt, lineStarts } from './line-index.ts'
import type { Path } from './problem.ts'
import { isBareReference } from './references.ts'
import { KEYS } from './schema.ts'
import { eachScalar, type Node } from './tree.ts'

/** Keys whose value, or whose whole map of values, no message may show. */
// `key` names a file; who puts the key itself there must not see it in an excerpt.
const SECRET_KEYS = [
  'master_key',
  'request_headers',
  'secret',
  'key',
  'application_secret',
  'consumer_key',
  'api_key_secret',
  'auth_token',
] as const

const KNOWN_KEYS: ReadonlySet<string> = new Set([...KEYS.values()].flat())

/** Whether the value at `path` travels as a `Secret`. */
export function isSecretPath(path: Path): boolean {
  return (
    path[0] === 'master_key' ||
    (path[0] === 'mail' && path[1] === 'password') ||
    (path[0] === 'apps' && path[2] === 'request_headers') ||
    (path[0] === 'apps' && path[2] === 'upstream_login' && path[3] === 'password') ||
    (path[0] === 'apps' && path[2] === 'webhooks' && path[4] === 'secret') ||
    (path[0] === 'sms' && path[1] === 'providers' && SECRET_KEYS.some((key) => key === path[3]))
  )
}

/**
 * For each line (from 0) that may hold a secret, the offset from which it is not to be shown.
 *
 * The text is read line by line as well as through the tree, because excerpts are shown of
 * files that do not parse and of keys that are misspelt. When in doubt, a line is masked. A
 * value that is nothing but a reference is shown: it says where the secret is, not what it is.
 */
export function secretLines(text: string, root: Node | undefined): ReadonlyMap<number, number> {
  const lines = text.split('\n')
  const hidden = new Map<number, number>()
  const hide = (line: number, from: number) => {
    hidden.set(line, Math.min(from, hidden.get(line) ?? Number.POSITIVE_INFINITY))
  }
  hideByText(lines, hide)
  if (root !== undefined) hideByTree(root, lines, hide)
  return hidden
}

const NAME =
  /^\s*(?:- +)*["']?([A-Za-z][\w-]{0,63})["']?\s*[:=]?(?=\s|$)|(?<![\w-])["']?([A-Za-z][\w-]{0,63})["']?\s*:(?=\s|$)/g

function hideByText(lines: readonly string[], hide: (line: number, from: number) => void): void {
  let block: number | undefined
  let mayBeGroup = false
  for (const [index, line] of lines.entries()) {
    const indent = line.search(/\S/)
    if (indent < 0) continue
    const item = line[indent] === '-'
    if (block !== undefined && (indent > block || (indent === block && item))) {
      const key = /^\s*["']?[A-Za-z0-9_-]+["']?\s*:(?=\s)/.exec(line)?.[0].length ?? indent
      if (mayBeGroup && key > indent) continue
      if (!showable(line.slice(key))) hide(index, valueStart(line, key))
      continue
    }
    block = undefined
    // A key, or at the start of a line what may be a key without its colon.
    for (const match of line.matchAll(NAME)) {
      const name = match[1] ?? match[2] ?? ''
      const end = match.index + match[0].length
      // `login.password` is a group of keys, `mail.password` a secret.
      mayBeGroup = name === 'password'
      if (mayBeGroup ? /^\s*\{/.test(line.slice(end)) : !isSecretName(name)) continue
      block = line.indexOf(name, match.index)
      if (!showable(line.slice(end))) hide(index, valueStart(line, end))
      break
    }
  }
}

function hideByTree(
  root: Node,
  lines: readonly string[],
  hide: (line: number, from: number) => void,
): void {
  const starts = lineStarts(lines.join('\n'))
  eachScalar(root, (scalar, path) => {
    if (!isSecretPath(path)) return
    const text = scalar.written
    if (text !== undefined && isBareReference(text)) return
    const { start, end } = scalar.span
    for (let index = lineAt(starts, start); index < starts.length; index++) {
      const lineStart = starts[index] ?? end
      if (lineStart >= end) break
      hide(index, Math.max(0, start - lineStart))
    }
  })
}

function isSecretName(name: string): boolean {
  if (SECRET_KEYS.some((key) => key === name)) return true
  if (KNOWN_KEYS.has(name)) return false
  return (
    /key|secret|token|pass|pwd|credential|authorization|cookie|request.?header/i.test(name) ||
    closest(name, SECRET_KEYS) !== undefined
  )
}

/** Nothing there, or nothing but a reference. */
function showable(rest: string): boolean {
  const value = rest.replace(/\s+#.*$/, '').trim()
  return value === '' || isBareReference(value.replace(/^(["'])(.*)\1$/, '$2'))
}

function valueStart(line: string, from: number): number {
  const blanks = /^\s*/.exec(line.slice(from))?.[0].length ?? 0
  return from + blanks
}
