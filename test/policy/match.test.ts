import t from 'tap'
import { parseHost } from '../../src/http/host.ts'
import { readRequestPath } from '../../src/http/request-path.ts'
import type { Principal, UserId } from '../../src/identity/principal.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { type Decision, decide } from '../../src/policy/decide.ts'
import { match } from '../../src/policy/match.ts'
import type { AppPolicy, RuleSource } from '../../src/policy/rule.ts'

const rule = (policy: RuleSource['policy'], change: Partial<RuleSource> = {}): RuleSource => ({
  policy,
  hosts: [],
  paths: [],
  methods: [],
  networks: [],
  users: [],
  groups: [],
  ...change,
})
const app = (...rules: readonly RuleSource[]): AppPolicy => {
  const compiled = compilePolicy([{ name: 'app', hosts: ['app.test'], rules }]).appOf('app.test')
  if (compiled === undefined) throw new Error('no app')
  return compiled
}
const person = (name: string, level: Principal['level'], ...groups: string[]): Principal => ({
  userId: 'usr_x' as UserId,
  name,
  displayName: name,
  email: '',
  groups,
  level,
  proved: [],
  secondFactorDue: undefined,
})
/** When every request is judged here. */
const NOW = Date.UTC(2026, 0, 5, 9)
const BOB = person('bob', 'one_factor', 'staff')
const BOB2 = person('bob', 'two_factor', 'staff')
const ADA = person('ada', 'two_factor', 'staff', 'admins')

type Asked = { readonly method?: string; readonly host?: string; readonly address?: string }

/** The decision in one word, through the same reading of the path as a request gets. */
function ask(policy: AppPolicy, path: string, who?: Principal, asked: Asked = {}): string {
  const { method = 'GET', host = 'app.test', address = '192.0.2.1' } = asked
  const read = readRequestPath(path)
  if (read.kind === 'ambiguous') return read.reason
  const target = { method, host, address, readings: read.path.readings }
  return inWords(decide(match(policy, target), who, NOW))
}
function inWords(decision: Decision): string {
  switch (decision.kind) {
    case 'allow':
      return decision.principal === undefined ? 'open' : 'allow'
    case 'sign_in':
      return `sign_in ${decision.level}`
    case 'second_factor':
      return 'second_factor'
    case 'confirm':
      return `confirm ${decision.rule.name}`
    case 'forbidden':
      return `${decision.reason} ${decision.rule.name}`
  }
}

t.test(
  'match() lets the first rule that covers the target decide, and denies without one',
  async (t) => {
    const policy = app(
      rule('public', { paths: ['/open/**'] }),
      rule('two_factor', { paths: ['/open/not', '/strong/**'] }),
      rule('one_factor', { paths: ['/some/**'] }),
    )
    t.equal(ask(policy, '/open/not'), 'open', 'the first, not the strictest')
    t.equal(ask(policy, '/strong'), 'sign_in two_factor')
    t.equal(ask(policy, '/some/x'), 'sign_in one_factor')
    t.equal(ask(policy, '/other'), 'denied default')
    t.equal(ask(policy, '/other', ADA), 'denied default', 'for everybody')
    t.equal(ask(app(), '/'), 'denied default', 'no rules at all')
  },
)

t.test('match() has GET rules cover HEAD, and no other method', async (t) => {
  const policy = app(
    rule('public', { methods: ['GET'] }),
    rule('one_factor', { methods: ['HEAD', 'POST'] }),
  )
  for (const [method, expected] of Object.entries({
    GET: 'open',
    HEAD: 'open',
    POST: 'sign_in one_factor',
    OPTIONS: 'denied default',
    get: 'denied default',
    PROPFIND: 'denied default',
    '': 'denied default',
  })) {
    t.equal(ask(policy, '/', undefined, { method }), expected, method)
  }
  const post = app(rule('public', { methods: ['POST'] }))
  t.equal(ask(post, '/', undefined, { method: 'HEAD' }), 'denied default')
})

t.test('match() looks at host and network', async (t) => {
  const policy = app(
    rule('public', { networks: ['10.0.0.0/8', '2001:db8::/32'] }),
    rule('one_factor', { hosts: ['*.app.test'] }),
    rule('two_factor', { hosts: ['app.test'] }),
  )
  const from = (address: string) => ask(policy, '/', undefined, { address })
  t.equal(from('10.200.0.1'), 'open')
  t.equal(from('::ffff:10.1.2.3'), 'open', 'mapped')
  t.equal(from('2001:db8:ffff::1'), 'open')
  for (const address of ['11.0.0.1', '2001:db9::1', 'rubbish', '', '10.0.0.1, 9.9.9.9']) {
    t.equal(from(address), 'sign_in two_factor', address)
  }
  t.equal(ask(policy, '/', undefined, { host: 'x.app.test' }), 'sign_in one_factor')
  t.equal(ask(policy, '/', undefined, { host: 'xapp.test' }), 'denied default')
})

t.test(
  'decide() takes users and groups for part of the demand, never for part of the match',
  async (t) => {
    const policy = app(
      rule('two_factor', { paths: ['/admin/**'], groups: ['admins'] }),
      rule('one_factor', { paths: ['/both/**'], users: ['bob'], groups: ['admins'] }),
      rule('public'),
    )
    t.equal(ask(policy, '/admin/x'), 'sign_in two_factor')
    t.equal(ask(policy, '/admin/x', BOB2), 'not_granted 1', 'and not handed on to the public rule')
    t.equal(ask(policy, '/admin/x', BOB), 'not_granted 1', 'before a second factor is asked for')
    t.equal(ask(policy, '/admin/x', ADA), 'allow')
    t.equal(ask(policy, '/admin/x', person('ada', 'one_factor', 'admins')), 'second_factor')
    t.equal(ask(policy, '/both/x', BOB), 'allow', 'a user or a group is enough')
    t.equal(ask(policy, '/both/x', ADA), 'allow')
    t.equal(ask(policy, '/both/x', person('eve', 'two_factor', 'staff')), 'not_granted 2')
    for (const name of ['admins', '', 'bo', 'bobb', 'BOB']) {
      t.equal(
        ask(policy, '/both/x', person(name, 'two_factor', '')),
        'not_granted 2',
        `named "${name}"`,
      )
    }
    t.equal(ask(policy, '/x', BOB), 'open', 'an open target is told of nobody')
  },
)

t.test('a deny rule that names people refuses those and hands on the others', async (t) => {
  const policy = app(
    rule('deny', { paths: ['/x/**'], users: ['bob'], groups: ['guests'] }),
    rule('public', { paths: ['/x/open'] }),
    rule('one_factor', { paths: ['/x/**'] }),
    rule('deny', { paths: ['/no/**'] }),
    rule('public'),
  )
  t.equal(ask(policy, '/x/y', BOB), 'denied 1')
  t.equal(ask(policy, '/x/open', BOB), 'denied 1', 'also where others need nothing')
  t.equal(ask(policy, '/x/y', ADA), 'allow')
  t.equal(ask(policy, '/x/y', person('eve', 'two_factor', 'guests')), 'denied 1')
  t.equal(ask(policy, '/x/y'), 'sign_in one_factor')
  t.equal(ask(policy, '/x/open'), 'open')
  t.equal(ask(policy, '/no/x'), 'denied 4', 'a deny for all does not ask who')
  t.equal(ask(policy, '/no/x', ADA), 'denied 4')
})

t.test('match() holds every reading of a path: the stricter wins (B3-B5)', async (t) => {
  const policy = app(
    rule('two_factor', { paths: ['/admin/**'], groups: ['admins'] }),
    rule('deny', { paths: ['/Secret'] }),
    rule('deny', { paths: ['/vip/**'], users: ['bob'] }),
    rule('one_factor', { paths: ['/docs/**'] }),
    rule('public'),
  )
  const admin = [
    '/ADMIN/x',
    '//admin/x',
    '/admin;a=b/x',
    '/;/admin',
    '/admin/',
    '/%61dmin',
    '/admin%3fx',
    '/admin%23',
  ]
  admin.push('/Admin./x', '/admin%20/x', '/admin%EF%BC%9Bx', '/%EF%BD%81dmin', '/admin.%3bx%3f')
  for (const path of admin) {
    t.equal(ask(policy, path), 'sign_in two_factor', path)
    t.equal(ask(policy, path, BOB2), 'not_granted 1', path)
  }
  for (const path of ['/secret', '/SECRET', '/secret/', '/Secret;x', '/secret%3f.png']) {
    t.equal(ask(policy, path, ADA), 'denied 2', path)
  }
  t.equal(ask(policy, '/Vip/x', BOB), 'denied 3', 'a refusal of one reading is a refusal')
  t.equal(ask(policy, '/docs;/../x'), 'dot_segment')
  t.equal(ask(policy, '/x;/docs/'), 'open', 'what is public in every reading')
  t.equal(ask(policy, '/administrator'), 'open')

  const both = app(
    rule('one_factor', { paths: ['/a/**'], users: ['bob'] }),
    rule('one_factor', { paths: ['/A/**'], groups: ['admins'] }),
  )
  t.equal(ask(both, '/A/x', BOB), 'not_granted 2', 'two readings, two demands: both hold')
  t.equal(ask(both, '/A/x', person('bob', 'one_factor', 'admins')), 'allow')
})

t.test(
  'compilePolicy() gives a host to one app: exact name first, then the longest wildcard',
  async (t) => {
    const one = (name: string, ...hosts: string[]) => ({ name, hosts, rules: [] })
    const set = compilePolicy([
      one('wide', '*.example.com'),
      one('long', '*.b.example.com'),
      one('exact', 'a.example.com', 'example.com'),
    ])
    const owner = (host: string) => set.appOf(host)?.name
    t.equal(owner('a.example.com'), 'exact')
    t.equal(owner('x.b.example.com'), 'long')
    t.equal(owner('b.example.com'), 'wide')
    t.equal(owner('example.com'), 'exact')
    for (const host of [
      'evilexample.com',
      'a.example.com.evil',
      '.example.com',
      '',
      '__proto__',
      'constructor',
    ]) {
      t.equal(owner(host), undefined, host)
    }
  },
)

t.test('B7 a verdict is the same among 1 host, 101 and 1,000, whatever the case', async (t) => {
  const rules = [
    rule('deny', { paths: ['/Foo_bar', '/x.y/Z'] }),
    rule('two_factor', { hosts: ['*.b.example.com'], paths: ['/admin/**'] }),
    rule('one_factor', { paths: ['/foo/bar', '/É/**'] }),
    rule('public', { paths: ['/foo/**', '/foo_barbaz'] }),
    rule('one_factor'),
  ]
  const paths = ['/foo/bar', '/foo/barbaz', '/foo_bar', '/foo_barbaz', '/admin/x', '/x.y/z', '/é/x']
  const hosts = ['a.b.example.com', 'a.example.com', 'h7.example.com']
  const cases = (text: string) =>
    [0, 2047, 1365, 682, 819, 1, 37, 1024].map((bits) =>
      [...text].map((c, i) => ((bits >> (i % 11)) & 1 ? c.toUpperCase() : c)).join(''),
    )
  const verdicts = new Map<string, Set<string>>()
  for (const count of [1, 101, 1000]) {
    const others = Array.from({ length: count - 1 }, (_, i) => `h${i}.other.example.com`)
    const set = compilePolicy([
      { name: 'main', hosts: ['*.b.example.com', ...hosts.slice(1), ...others], rules },
      ...others.map((_, i) => ({ name: `o${i}`, hosts: [`o${i}.example.com`], rules: [] })),
    ])
    for (const spelled of hosts.flatMap(cases)) {
      const { name = '' } = parseHost(spelled) ?? {}
      const owner = set.appOf(name)
      if (owner?.name !== 'main') throw new Error(`${spelled} has no app`)
      for (const path of paths) {
        const key = `${name} ${path}`
        const said = cases(path).map((one) => ask(owner, encodeURI(one), BOB, { host: name }))
        verdicts.set(key, new Set([...(verdicts.get(key) ?? []), ...said]))
      }
    }
  }
  t.strictSame(
    [...verdicts].map(([key, said]) => [key, ...said].join(' → ')),
    hosts.flatMap((host) => [
      `${host} /foo/bar → allow`,
      // A public rule opens its own spelling; in another case there is no more than the last rule.
      `${host} /foo/barbaz → open → allow`,
      `${host} /foo_bar → denied 1`,
      `${host} /foo_barbaz → open → allow`,
      `${host} /admin/x → ${host.includes('.b.') ? 'second_factor' : 'allow'}`,
      `${host} /x.y/z → denied 1`,
      `${host} /é/x → allow`,
    ]),
  )
})

t.test('B15 no verdict depends on what was asked before', async (t) => {
  const parts = ['a', 'ab', 'b', 'a.b', 'bc', 'c', 'a/b', 'abc']
  const hosts = parts.flatMap((first) =>
    ['.example.com', '.c.example.com'].map((end) => `${first.replace('/', '-')}${end}`),
  )
  const sources = [...new Set(hosts)].map((host, i) => ({
    name: host,
    hosts: [host],
    rules: [rule('deny', { paths: [`/${parts[i % parts.length]}`] }), rule('public')],
  }))
  const verdict = (set: ReturnType<typeof compilePolicy>, host: string, path: string) => {
    const owner = set.appOf(parseHost(host)?.name ?? '')
    return owner === undefined ? 'nobody' : `${owner.name} ${ask(owner, path)}`
  }
  const old = compilePolicy(sources)
  const differ = [...hosts, ...parts].flatMap((host) =>
    parts.flatMap((first) =>
      ['', ...parts, 'example.com', '.example.com/a']
        .map((second) => `/${first}${second}`)
        .filter((path) => verdict(old, host, path) !== verdict(compilePolicy(sources), host, path)),
    ),
  )
  t.strictSame(differ, [])
})
