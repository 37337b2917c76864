import t from 'tap'
import {
  PATH_OPENINGS,
  type PathOpening,
  type PathRefusal,
  readRequestPath,
} from '../../src/http/request-path.ts'

const readings = (target: string, ...opened: readonly PathOpening[]): readonly string[] => {
  const read = readRequestPath(target, new Set(opened))
  if (read.kind === 'ambiguous') return [read.reason]
  return read.path.readings.map(({ path, ignoreCase }) => (ignoreCase ? `~${path}` : path))
}
const refusal = (target: string, ...opened: readonly PathOpening[]): PathRefusal | undefined => {
  const read = readRequestPath(target, new Set(opened))
  return read.kind === 'ambiguous' ? read.reason : undefined
}

t.test('readRequestPath() keeps the bytes and parts the query off at the first ?', async (t) => {
  const cases: readonly (readonly [target: string, text: string, query: string])[] = [
    ['/', '/', ''],
    ['/a/b', '/a/b', ''],
    ['/a?b', '/a', '?b'],
    ['/a?', '/a', '?'],
    ['/a?b?c=/../%zz', '/a', '?b?c=/../%zz'],
    ['/%41;x//y/?q=%20', '/%41;x//y/', '?q=%20'],
    ["/a-b._~!$&'()*+,=:@z", "/a-b._~!$&'()*+,=:@z", ''],
    ['/[x]|{y}^`"<>', '/[x]|{y}^`"<>', ''],
  ]
  for (const [target, text, query] of cases) {
    const read = readRequestPath(target)
    t.equal(read.kind, 'path', target)
    if (read.kind === 'path') t.match(read.path, { text, query })
  }
})

t.test('readRequestPath() gives one reading where there is one', async (t) => {
  for (const path of ['/', '/a', '/a/b.c', '/a/...b', '/x.y/z', '/.git', '/a..b', '/~ada/@x:y']) {
    t.strictSame(readings(path), [path])
  }
})

t.test('readRequestPath() gives every reading a program is known for', async (t) => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    '/Admin': ['/Admin', '~/admin'],
    '/%61dmin': ['/admin', '~/admin'],
    '/caf%C3%A9': ['/café', '~/café'],
    '/a/': ['/a/', '/a', '~/a/', '~/a'],
    '//a': ['//a', '/a', '~//a', '~/a'],
    '/a//b': ['/a//b', '/a/b', '~/a//b', '~/a/b'],
    '/a;x=1/b': ['/a;x=1/b', '/a/b', '~/a;x=1/b', '~/a/b'],
    '/a%3Bx': ['/a;x', '/a', '~/a;x', '~/a'],
    '/;': ['/;', '/', '~/;', '~/'],
    '/a%3Fb': ['/a?b', '/a', '~/a?b', '~/a'],
    '/a%23/b': ['/a#/b', '/a', '~/a#/b', '~/a'],
    '/a./b': ['/a./b', '~/a./b', '~/a/b'],
    '/a%20': ['/a ', '~/a ', '~/a'],
    '/...': ['/...', '~/...', '~/'],
    '/%EF%BC%A1%EF%BC%9Bx': ['/Ａ；x', '~/a;x', '~/a'],
    '/a%EF%BC%9Fb': ['/a？b', '~/a?b', '~/a'],
    '/100%25': ['/100%', '~/100%'],
  }
  for (const [target, expected] of Object.entries(cases)) {
    t.strictSame([...new Set(readings(target))], expected, target)
  }
})

t.test('readRequestPath() refuses what no two programs agree on (B4, B5, B17)', async (t) => {
  const cases: Readonly<Record<Exclude<PathRefusal, 'too_many_readings'>, readonly string[]>> = {
    not_origin_form: ['', '*', 'a', 'a/b', 'http://app/a', '?x', '#', '\\a', ' /a', 'foo:bar', '.'],
    forbidden_character: [
      ...[
        '/a b',
        '/a\tb',
        '/a\0',
        '/a#b',
        '/a\\b',
        '/\\\\evil',
        '/é',
        '/\u0080',
        '/a\x7f',
        '/a\r\nb',
      ],
      ...['/a?b c', '/a?\0', '/a?#', '/a?é'],
    ],
    bad_escape: [
      '/%',
      '/%2',
      '/%zz',
      '/a%2',
      '/%u002f',
      '/%%32%66',
      '/%ff',
      '/%c0%af',
      '/%c0%ae%c0%ae/x',
      '/%ed%a0%80',
      '/%e0%80%af',
    ],
    encoded_separator: [
      '/a%2fb',
      '/a%2Fb',
      '/%2f',
      '/a%5cb',
      '/a%5C..',
      '/a%EF%BC%8Fb',
      '/a%E2%84%80',
    ],
    encoded_control: [
      '/%00',
      '/a%0a',
      '/%0D%0A',
      '/%1f',
      '/%7f',
      '/%7F',
      '/%09',
      '/%c2%85',
      '/a%EF%BC%BCb',
      '/a%EF%B9%A8',
    ],
    double_encoding: [
      '/%252f',
      '/%252e%252e/',
      '/%25%32%66',
      '/%2500',
      '/a%2561',
      '/%25ff',
      '/%EF%BC%85%32%66',
    ],
    dot_segment: [
      ...[
        '/.',
        '/..',
        '/./a',
        '/../a',
        '/a/..',
        '/a/.',
        '/a/../b',
        '/%2e',
        '/%2E%2e/x',
        '/.%2e',
        '/..;/x',
      ],
      ...[
        '/..;a=b',
        '/.;/x',
        '/%2e%2e%3b/x',
        '/a/..%20/b',
        '/a/%20../b',
        '/..%3fx',
        '/a/..%23',
        '/..%3b%3f',
      ],
      ...[
        '/%EF%BC%8E%EF%BC%8E/x',
        '/%E2%80%A5/x',
        '/%E2%80%A4/x',
        '/..%C2%A0/x',
        '/..%E3%80%80',
        '/%EF%BC%8E./x',
      ],
    ],
    too_long: [`/${'a'.repeat(16_384)}`, `/a?${'b'.repeat(16_384)}`],
  }
  for (const [reason, targets] of Object.entries(cases)) {
    for (const target of targets)
      t.equal(refusal(target), reason, JSON.stringify(target.slice(0, 40)))
  }
})

t.test('readRequestPath() reads what an app may have in every way (B4)', async (t) => {
  const exact = (target: string, ...opened: readonly PathOpening[]) => [
    ...new Set(readings(target, ...opened).filter((path) => !path.startsWith('~'))),
  ]
  t.strictSame(exact('/@scope%2fname', 'encoded_slash'), ['/@scope/name', '/@scope_name'])
  t.strictSame(exact('/a%5Cb', 'backslash'), ['/a/b', '/a_b'])
  t.strictSame(exact('/a\\b', 'backslash'), ['/a/b', '/a_b'])
  t.strictSame(
    exact('/a\\b%5cc', 'backslash'),
    ['/a/b/c', '/a_b/c', '/a/b_c', '/a_b_c'],
    'a program may know one of the two only',
  )
  t.strictSame(exact('/a%2541b', 'encoded_percent'), ['/a%41b', '/aAb'])
  t.strictSame(exact('/a%252fb', 'encoded_percent', 'encoded_slash'), ['/a%2fb', '/a/b', '/a_b'])
  t.ok(readings('/a%2f%2fb', 'encoded_slash').includes('/a/b'))
  t.ok(readings('/Admin%253Bx/y', 'encoded_percent').includes('~/admin/y'))
  for (const target of ['/a%2Fb', '/a%5cb', '/a\\b', '/a%2541']) {
    const read = readRequestPath(target, new Set(PATH_OPENINGS))
    t.equal(read.kind === 'path' && read.path.text, target, 'as it came')
    t.not(refusal(target), undefined, 'and refused unless opened')
  }
})

t.test('readRequestPath() opens nothing but what it was told to (B4)', async (t) => {
  const cases: readonly (readonly [PathRefusal, PathOpening, readonly string[]])[] = [
    ['encoded_separator', 'encoded_slash', ['/a%5cb', '/a%2f%5C', '/a%EF%BC%8Fb']],
    ['forbidden_character', 'encoded_slash', ['/a\\b', '/a%2f\\']],
    ['double_encoding', 'encoded_slash', ['/a%252fb', '/a%2f%2541']],
    ['encoded_separator', 'backslash', ['/a%2fb', '/a\\%2f']],
    ['encoded_control', 'backslash', ['/a%EF%BC%BCb', '/a%EF%B9%A8']],
    ['double_encoding', 'backslash', ['/a%255cb']],
    [
      'encoded_separator',
      'encoded_percent',
      ['/a%252fb', '/a%255cb', '/a%2fb', '/a%25EF%25BC%258F'],
    ],
    ['bad_escape', 'encoded_percent', ['/a%25ff', '/%25c0%25af', '/a%', '/%zz']],
  ]
  for (const [reason, opened, targets] of cases) {
    for (const target of targets) t.equal(refusal(target, opened), reason, `${opened}: ${target}`)
  }
})

t.test('readRequestPath() opens dot segments and control bytes for nobody (B4, B5)', async (t) => {
  const cases: Partial<Record<PathRefusal, readonly string[]>> = {
    dot_segment: [
      ...['/..', '/a/../b', '/%2e%2e/x', '/a%2f..%2fb', '/%2e%2e%2fx', '/..%2fx', '/a\\..\\b'],
      ...['/..\\x', '/a%5c..%5Cb', '/..%5c', '/%252e%252e/x', '/%252e%2e/', '/a%252f..%252fb'],
      ...['/a%2f.%5c', '/..%253bx', '/..;\\x', '/%252e%252e%255cx', '/a/..%2520/', '/..%253f'],
    ],
    encoded_control: ['/%00', '/a%2f%00', '/a\\%00', '/%2500', '/a%250d', '/%257f', '/%25c2%2585'],
    double_encoding: ['/%25252f', '/%252541', '/%25%32%35%32%66', '/%2525EF', '/%EF%BC%85%32%66'],
  }
  for (const [reason, targets] of Object.entries(cases)) {
    for (const target of targets) t.equal(refusal(target, ...PATH_OPENINGS), reason, target)
  }
  t.equal(refusal('/a%2f%5c\\%252f%2541%255cb', ...PATH_OPENINGS), 'too_many_readings')
})

t.test('readRequestPath() takes its time in proportion (J5)', async (t) => {
  const bodies = [
    'a',
    'A;',
    '%20',
    './',
    '//',
    '%3b',
    '.',
    '%2e',
    'A.',
    '%EF%BC%8E',
    ';.',
    '%',
    'x%3f',
    '%2fA;',
    '%2f\\%5cA;x./',
    '%252fA;',
    '%2541%2f;.',
  ]
  for (const body of bodies) {
    for (const end of ['', '!', '/', '%zz', '%3f']) {
      const target = `/${body.repeat(16_000 / body.length)}${end}`
      const started = performance.now()
      readRequestPath(target)
      readRequestPath(target, new Set(PATH_OPENINGS))
      const took = performance.now() - started
      t.ok(took < 250, `${body}…${end}: ${took} ms`)
    }
  }
})
