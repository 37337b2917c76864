import t from 'tap'
import { compileHostPattern } from '../../src/policy/host-pattern.ts'
import { compilePathPattern } from '../../src/policy/path-pattern.ts'

const covered = (pattern: string, paths: readonly string[]) => {
  const { covers } = compilePathPattern(pattern)
  return paths.filter((path) => covers(path))
}

t.test('covers() reads every kind of glob', async (t) => {
  const paths = [
    ...[
      '/',
      '/admin',
      '/admin/',
      '/admin/x',
      '/admin/x/y',
      '/adminx',
      '/admi',
      '/x/admin',
      '/Admin',
    ],
    ...['/api/1/status', '/api/status', '/api/1/2/status', '/api/1/status/', '/api//status'],
    ...['/a.js', '/x/a.js', '/x/y/a.js', '/a.jsx', '/a.j', '/x/y'],
  ]
  const cases: Readonly<Record<string, readonly string[]>> = {
    '/**': paths,
    '**': paths,
    '/': ['/'],
    '/admin': ['/admin'],
    '/admin/': ['/admin/'],
    '/admin/*': ['/admin/', '/admin/x'],
    '/admin/**': ['/admin', '/admin/', '/admin/x', '/admin/x/y'],
    '/admin*': ['/admin', '/adminx'],
    '/*': ['/', '/admin', '/adminx', '/admi', '/Admin', '/a.js', '/a.jsx', '/a.j'],
    '/api/*/status': ['/api/1/status', '/api//status'],
    '/api/**/status': ['/api/1/status', '/api/status', '/api/1/2/status', '/api//status'],
    '/**/*.js': ['/a.js', '/x/a.js', '/x/y/a.js'],
    '/*.js': ['/a.js'],
    '/**/admin': ['/admin', '/x/admin'],
    '/x/**/y': ['/x/y'],
    '/nothing/*': [],
  }
  for (const [pattern, expected] of Object.entries(cases)) {
    t.strictSame(covered(pattern, paths), expected, pattern)
  }
})

t.test('covers() takes everything but * for itself', async (t) => {
  t.strictSame(covered('/a.c', ['/a.c', '/abc']), ['/a.c'])
  t.strictSame(covered('/(a|b)+$', ['/(a|b)+$', '/a', '/b']), ['/(a|b)+$'])
  t.strictSame(covered('/[ab]?', ['/[ab]?', '/a']), ['/[ab]?'])
  t.strictSame(covered('/foo%2fbar', ['/foo%2fbar', '/foo%2fbarbaz', '/foo/bar']), ['/foo%2fbar'])
  t.strictSame(covered('/été/*', ['/été/x', '/ete/x']), ['/été/x'])
})

t.test('covers() agrees with a plain reading of the same glob on random input', async (t) => {
  const regexOf = (pattern: string) => {
    const parts = pattern.split('/').slice(1)
    const source = parts.map((part) =>
      part === '**'
        ? '(?:/[^/]*)*'
        : `/${part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}`,
    )
    return new RegExp(`^${source.join('')}$`)
  }
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const pick = (words: readonly string[]) => words[random(words.length)] ?? ''
  const join = (words: readonly string[]) =>
    Array.from({ length: 1 + random(5) }, () => `/${pick(words)}`).join('')
  for (let i = 0; i < 4000; i++) {
    const pattern = join(['a', 'b', '*', '**', 'a*', '*b', 'a*b*', '']).replace(
      /\*\*(?:\/\*\*)+/g,
      '**',
    )
    const path = join(['a', 'b', 'ab', 'aab', 'ba', 'aXb', '', 'abab'])
    const expected = regexOf(pattern).test(path)
    if (compilePathPattern(pattern).covers(path) !== expected) t.fail(`${pattern} on ${path}`)
  }
})

t.test('covers() needs linear time whatever the path (J5)', async (t) => {
  const long = 65_536
  const paths = [
    `/${'a'.repeat(long)}!`,
    '/a'.repeat(long / 2),
    '/'.repeat(long),
    `/${'ab'.repeat(long / 2)}`,
    `/x${'/aaaaaaaa'.repeat(long / 9)}`,
  ]
  const patterns = [
    '/**/a*a*a*a*b',
    '/*a*a*a*a*a*!x',
    '/**/a/**/a/**/b',
    '/**/*a*/**/*b*/x',
    '/a*b*c*d',
    // Scopes of tokens are chosen by who sends the path.
    `/*${'a'.repeat(1000)}b`,
    `/*b${'a'.repeat(1000)}*`,
  ]
  for (const pattern of patterns) {
    const { covers } = compilePathPattern(pattern)
    for (const path of paths) {
      const started = performance.now()
      covers(path)
      const took = performance.now() - started
      t.ok(took < 150, `${pattern.slice(0, 20)} on ${path.slice(0, 12)}…: ${took} ms`)
    }
  }
})

t.test(
  'a host pattern covers a name or what is below a domain, and never a look-alike (B14, C2)',
  async (t) => {
    const hosts = [
      'example.com',
      'a.example.com',
      'b.a.example.com',
      'aexample.com',
      'example.com.evil',
      '.example.com',
      '',
    ]
    const covers = (pattern: string) => hosts.filter(compileHostPattern(pattern).covers)
    t.strictSame(covers('example.com'), ['example.com'])
    t.strictSame(covers('*.example.com'), ['a.example.com', 'b.a.example.com'])
    t.strictSame(covers('a.example.com'), ['a.example.com'])
  },
)
