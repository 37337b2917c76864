import { posix } from 'node:path'

/** Numbers that are the same in every run with the same seed (mulberry32), below a limit. */
export type Numbers = (below: number) => number

export function numbers(seed: number): Numbers {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A request in what rules look at. The parser takes all but some targets without a slash. */
export type Generated = {
  readonly method: string
  readonly target: string
  /** Value of the `Host` field. */
  readonly host: string
  /** Whether it comes with a session. */
  readonly known: boolean
}

const WORDS: readonly string[] = [
  ...['public', 'admin', 'secret', 'denied', 'x', 'a.b', 'Admin', 'ADMIN', 'SECRET', '...', 'admi'],
  ...['%61dmin', 'a%64min', '%41dmin', '%2561dmin', 'ad%6Din', 'admin.', 'admin%20', 'admin;x=1'],
  ...['%EF%BD%81dmin', '%C3%A9', '%e2%82%ac', '%E2%84%AAey', 'ſecret', 'adminx', '.git', '', ''],
  ...[
    '..',
    '.',
    '%2e%2e',
    '%2E',
    '.%2e',
    '..;',
    '%252e%252e',
    '..%20',
    '%EF%BC%8E%EF%BC%8E',
    '. .',
  ],
].filter((word) => /^[\x21-\x7e]*$/.test(word))
const PLAIN: readonly string[] = ['public', 'public', 'admin', 'secret', 'x', 'a.b', 'Admin', '~']
const JOINTS: readonly string[] = [
  ...[
    '/',
    '/',
    '/',
    '/',
    '/',
    '/',
    '/',
    '/',
    '//',
    '/./',
    '/../',
    '///',
    ';',
    ';a=b/',
    ';/',
    '/;/',
  ],
  ...['%2f', '%2F', '\\', '%5c', '%5C', '\\/', '%252f', '%252F', '%255c', '%25%32%66', '%EF%BC%8F'],
  ...['%3b', '%3B/', '%253b', '%3f', '%3F/', '%253f', '%23', '%23/', '%2523', '#', '%00', '%2500'],
  ...['%20/', './', '../', '%', '%zz', '%c0%af', '%ef%bc%9b', '%E2%81%84', '+', '%09', '%0d%0a'],
]
const MARKS: readonly string[] = [
  ...[...'!$&\'()*+,=:@~_-|^`"<>{}[].'],
  ...['%25', '%2525', '%20', '%7e', '%2b', '%ff', '%7f', '%c2%85', '%c2%a0', '%u002f', '%1f'],
]
const QUERIES: readonly string[] = [
  ...['', '', '', '', '', '', '?', '??', '?x=/admin', '?/../admin', '?%00', '?%', '?a=1&b=%20'],
  ...['?#', '?x#/admin', '?;/../admin', '?\\', '?x=/public/', '?%252e%252e/', '?"<>|'],
]
const OTHER_FORMS: readonly string[] = [
  ...['*', 'http://open.example.com/admin/x', 'http://evil.example/', 'HTTPS://open.example.com/'],
  ...['foo://bar', 'open.example.com', 'http://open.example.com', 'http:/admin', 'http://a@b/'],
]
/** Those the parser knows; `CONNECT` is another matter. */
const METHODS: readonly string[] = [
  ...['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'],
  ...['PROPFIND', 'QUERY', 'M-SEARCH', 'PURGE', 'SEARCH', 'MKCOL', 'LOCK', 'REPORT', 'SOURCE'],
]
const NAMES: readonly string[] = ['open', 'open', 'opened', 'opened', 'closed', 'closed-opened']
const HOST_ENDS: readonly string[] = ['', '', '', '', '', '.', ':443', ':0443', '.:8443', ':80']
const HOSTS: readonly string[] = [
  ...['evilopen.example.com', 'open.example.com.evil.example', 'example.com', 'open', '[::1]', ''],
  ...['open.example.com:', 'open.example.com:99999', 'open.example.com..', 'x@open.example.com'],
  ...['open.example.com/admin', 'open.example.com,closed.example.com', 'open%2eexample.com', '.'],
  ...['xn--open-x7a.example.com', '127.0.0.1', '[::ffff:127.0.0.1]', 'open_example.com', ':443'],
]

/** One request of any kind. */
export function generate(random: Numbers): Generated {
  const pick = (list: readonly string[]) => list[random(list.length)] ?? ''
  const joint = () => (random(3) > 0 ? '/' : pick(JOINTS))
  const path = (): string => {
    let text = random(100) === 0 ? '' : '/'
    for (let segment = random(4); segment >= 0; segment--) {
      text += pick(random(3) > 0 ? PLAIN : WORDS)
      if (random(9) === 0) text += pick(MARKS)
      if (segment > 0) text += joint()
    }
    return random(8) === 0 ? text + joint() : text
  }
  const target = random(60) === 0 ? pick(OTHER_FORMS) : path() + pick(QUERIES)
  const name = `${pick(NAMES)}.example.com`
  const cased =
    random(3) > 0 ? name : [...name].map((c) => (random(2) > 0 ? c.toUpperCase() : c)).join('')
  return {
    method: pick(METHODS),
    target: target === '' ? '/' : target,
    host: random(12) === 0 ? pick(HOSTS) : cased + pick(HOST_ENDS),
    known: random(4) === 0,
  }
}

/** What some program does to a path before it looks which page that is. */
type Habit = (path: string) => string

const decode: Habit = (path) =>
  path.includes('%')
    ? path.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) =>
        Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
      )
    : path
const collapse: Habit = (path) => (path.includes('//') ? path.replace(/\/{2,}/g, '/') : path)
const dots: Habit = (path) => (path.includes('/.') ? posix.normalize(`/${path}`) : path)
const parameters: Habit = (path) => (path.includes(';') ? path.replace(/;[^/]*/g, '') : path)
const backslash: Habit = (path) => path.replaceAll('\\', '/')
const lower: Habit = (path) => path.toLowerCase()
const nul: Habit = (path) => path.replace(/\0.*$/s, '')
const cut: Habit = (path) => path.replace(/[?#].*$/s, '')
const marks: Habit = (path) => (/[. ]/.test(path) ? path.replace(/[. ]+(?=\/|$)/g, '') : path)
const compatible: Habit = (path) => path.normalize('NFKC')

const HABITS: readonly Habit[] = [
  ...[decode, decode, collapse, dots, parameters, backslash, nul, cut, compatible],
]
/** Apps as they are known, each a row of habits. */
const APPS: readonly (readonly Habit[])[] = [
  [],
  [decode],
  [decode, decode],
  [collapse],
  [dots],
  [decode, dots],
  [dots, decode],
  [decode, collapse, dots],
  [dots, decode, dots, collapse],
  [parameters, decode, dots],
  [decode, parameters, dots, collapse],
  [backslash, dots, decode],
  [decode, backslash, collapse, dots],
  [decode, decode, backslash, collapse, dots],
  [decode, nul],
  [decode, cut, dots],
  [decode, lower],
  [decode, lower, marks, collapse],
  [decode, compatible, lower, backslash, collapse, dots],
  [compatible, decode, decode, parameters, nul, collapse, dots],
]

/** What that path is for each of the apps, and for one more that has its habits by chance. */
export function pathsForApps(target: string, random: Numbers): readonly string[] {
  const [path = ''] = target.split('?', 1)
  const chance = Array.from({ length: 1 + random(6) }, () => HABITS[random(HABITS.length)] ?? lower)
  const twice = chance.filter((habit) => habit === decode).length <= 2 ? chance : [decode, decode]
  // Only what ignores case as well takes away what ends a name.
  const folding = random(3) === 0 ? [...twice, lower, marks, collapse] : twice
  return [...APPS, folding].map((habits) => habits.reduce((text, habit) => habit(text), path))
}
