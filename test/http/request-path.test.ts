import t from 'tap'
import { type PathRefusal, readRequestPath } from '../../src/http/request-path.ts'

const readings = (target: string, encodedSlash = false): readonly string[] => {
  const read = readRequestPath(target, { encodedSlash })
  if (read.kind === 'ambiguous') return [read.reason]
  return read.path.readings.map(({ path, ignoreCase }) => (ignoreCase ? `~${path}` : path))
}
const refusal = (target: string, encodedSlash = false): PathRefusal | undefined => {
  const read = readRequestPath(target, { encodedSlash })
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
  const cases: Readonly<Record<PathRefusal, readonly string[]>> = {
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

t.test('readRequestPath() reads %2F both ways where an app may have it', async (t) => {
  t.strictSame([...new Set(readings('/@scope%2fname', true))].slice(0, 2), [
    '/@scope/name',
    '/@scope_name',
  ])
  t.strictSame(refusal('/@scope%2fname'), 'encoded_separator')
  const read = readRequestPath('/a%2Fb', { encodedSlash: true })
  t.equal(read.kind === 'path' && read.path.text, '/a%2Fb', 'as it came')
  for (const [target, reason] of Object.entries({
    '/a%2f..%2fb': 'dot_segment',
    '/%2e%2e%2fx': 'dot_segment',
    '/..%2fx': 'dot_segment',
    '/a%252fb': 'double_encoding',
    '/a%5cb': 'encoded_separator',
    '/a%2f%00': 'encoded_control',
    '/a%EF%BC%8Fb': 'encoded_separator',
  })) {
    t.equal(refusal(target, true), reason, target)
  }
  t.ok(readings('/a%2f%2fb', true).includes('/a/b'))
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
  ]
  for (const body of bodies) {
    for (const end of ['', '!', '/', '%zz', '%3f']) {
      const target = `/${body.repeat(16_000 / body.length)}${end}`
      const started = performance.now()
      readRequestPath(target)
      readRequestPath(target, { encodedSlash: true })
      const took = performance.now() - started
      t.ok(took < 250, `${body}…${end}: ${took} ms`)
    }
  }
})
