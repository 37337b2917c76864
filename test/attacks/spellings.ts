import { posix } from 'node:path'

/** What is put into paths: separators, dots, ends and encodings that programs disagree about. */
const MARKS: readonly string[] = [
  ...['/', '//', '///', './', '../', '.../', '/.', '/..', '/./', '/../', 'x/../', '/x/../'],
  ...['.', '..', '...', ' ', '+', '*', '~', '-', '_', '!', '&', '=', '|', '^', '`', '"', '<', '>'],
  ...[';', ';/', ';/../', ';a=b', ';a=b/', ';/x', '..;', '..;/', '.;/', ';..', ';%2f', '/;/', ';;'],
  ...['\\', '\\..\\', '/\\', '\\/', '..\\', '%5c', '%5C', '..%5c', '%5c..%5c', '%255c'],
  ...['%2f', '%2F', '..%2f', '%2f..%2f', '%2e', '%2E/', '%2e%2e', '%2e%2e/', '%2e%2e%2f', '.%2e/'],
  ...['%252e%252e/', '%252e', '%252f', '%25', '%2525', '%25%32%66', '%%32%66', '%2', '%', '%zz'],
  ...['%00', '%00.html', '%01', '%09', '%0a', '%0d', '%0d%0a', '%1f', '%20', '%20/', '%7f', '%a0'],
  ...['%23', '%23/', '%23/..', '%2523', '#', '#/', '%3f', '%3F', '%3fx', '%253f', '?', '?x=/'],
  ...['%3b', '%3B/', '%3ba=b', '%253b', '%3a', '%40', '@', ':', ':80', '%26', '%2b', '%2a'],
  ...['%c0%af', '%c0%ae', '%c0%ae%c0%ae/', '%e0%80%af', '%f0%80%80%af', '%c1%9c', '%ff', '%c2%85'],
  ...['%ef%bc%8f', '%ef%bc%8e', '%ef%bc%8e%ef%bc%8e/', '%e2%80%a5/', '%e2%80%a4', '%ef%bc%bc'],
  ...['%ef%bc%9b', '%ef%bc%9f', '%ef%bc%83', '%ef%bc%85%32%66', '%e2%81%84', '%c2%a0', '%e3%80%80'],
  ...['%u002f', '%u2215', '%u002e', '\u00af', '\u00a0', '\u0085', '\t', '\u0001', '\u007f'],
  ...['.html', '.json', '.php', '.css', '/x.css', '%2ejson', '::$DATA', '.::', '/.git', '/~'],
]

/** Every spelling of one path that a list of this kind would hold, the plain one first. */
export function spellingsOf(path: string): readonly string[] {
  const [, first = '', ...rest] = path.split('/')
  const tail = rest.map((segment) => `/${segment}`).join('')
  const all = new Set([path, `${path}/`, `${path}?`, `${path}?x=/public/`])
  for (const mark of MARKS) {
    all.add(`${mark}${path}`)
    all.add(`/${mark}${first}${tail}`)
    all.add(`/${mark}/${first}${tail}`)
    all.add(`/${first}${mark}${tail}`)
    all.add(`/${first}/${mark}${tail}`)
    all.add(`${path}${mark}`)
    all.add(`${path}/${mark}`)
    all.add(`/public/${mark}${path}`)
    all.add(`/public${mark}${path}`)
    all.add(`/foo${path}${mark}/bar`)
    all.add(`/public/..${mark}${path}`)
  }
  for (let at = 1; at <= first.length; at++) {
    const letter = path[at] ?? ''
    const hex = letter.charCodeAt(0).toString(16)
    const wide = encodeURIComponent(String.fromCharCode(letter.charCodeAt(0) + 0xfee0))
    const others = [`%${hex}`, `%${hex.toUpperCase()}`, `%25${hex}`, `%u00${hex}`, `%%${hex}`]
    for (const other of [...others, letter.toUpperCase(), wide, wide.toLowerCase()]) {
      all.add(path.slice(0, at) + other + path.slice(at + 1))
      all.add(`/${other}${path.slice(at + 1)}`)
    }
  }
  all.add(path.toUpperCase())
  all.add([...path].map((c) => (c === '/' ? c : `%${c.charCodeAt(0).toString(16)}`)).join(''))
  return [...all]
}

/** Targets in other forms than a path (RFC 9112 3.2). */
export function otherForms(path: string, host: string): readonly string[] {
  return [
    ...['http', 'https', 'HTTP', 'ftp', 'javascript', ''].map((s) => `${s}://${host}${path}`),
    `http://evil.example${path}`,
    `http:${path}`,
    `//${host}${path}`,
    `///${host}${path}`,
    `/\\${host}${path}`,
    path.slice(1),
    host,
    `${host}:443`,
    '*',
    'foo:bar',
    '',
    '.',
    '?',
    `?${path}`,
    `#${path}`,
    `\\${path.slice(1)}`,
  ]
}

/**
 * Everything an app could take the path of this target for: what programs are known to do to a
 * path, in any order, each up to twice. Written apart from the program's own reading of paths.
 */
export function meaningsOf(target: string): ReadonlySet<string> {
  const [path = ''] = target.split('?', 1)
  const found = new Set([path])
  for (let round = 0; round < 5; round++) {
    for (const one of [...found]) {
      for (const change of CHANGES) found.add(change(one))
    }
    if (found.size > 4000) break
  }
  return found
}

const CHANGES: readonly ((path: string) => string)[] = [
  (path) =>
    path.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
    ),
  (path) => path.normalize('NFKC'),
  (path) => path.toLowerCase(),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/[?#\0].*$/s, ''),
  (path) => path.replace(/[. ]+(?=\/|$)/g, ''),
  (path) => posix.normalize(`/${path}`),
  (path) => path.replace(/\/$/, ''),
]
