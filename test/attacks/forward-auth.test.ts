import t from 'tap'
import type { RawResponse } from '../support/raw-http.ts'
import { addBob, HANDSHAKE, STRANGER, startGate, type Wanted } from './gate.ts'
import { meaningsOf, otherForms, spellingsOf } from './spellings.ts'

/** The endpoints that front proxies ask: the same answers as in front of the app, and no more. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const cookie = await gate.signIn(bob)

type Fields = readonly (readonly [name: string, value: string])[]
type Asked = { readonly target?: string; readonly host?: string; readonly method?: string }

const ASK: Readonly<Record<string, (asked: Asked) => Fields>> = {
  caddy: ({ target = '/x', host = 'asked.example.com', method = 'GET' }) => [
    ['X-Forwarded-Method', method],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Uri', target],
    ['X-Forwarded-For', '192.0.2.7'],
  ],
  traefik: (asked) => ASK['caddy']?.(asked) ?? [],
  nginx: ({ target = '/x', host = 'asked.example.com', method = 'GET' }) => [
    ['X-Original-Method', method],
    ['X-Original-URL', `https://${host}${target}`],
    ['X-Forwarded-For', '192.0.2.7'],
  ],
  haproxy: (asked) => ASK['caddy']?.(asked) ?? [],
}
const CONTRACTS = Object.keys(ASK)

function check(contract: string, fields: Fields, more: Wanted = {}): Wanted {
  const { headers = [], ...rest } = more
  const target = `/.sallyport/check/${contract}`
  return { target, host: 'asked.example.com', headers: [...fields, ...headers], ...rest }
}
const ask = (contract: string, asked: Asked, more?: Wanted): Wanted =>
  check(contract, ASK[contract]?.(asked) ?? [], more)
/** How HAProxy tells of an upgrade. */
const TOLD = ['X-Forwarded-Upgrade', 'websocket'] as const
const isClosed = (path: string) => /^\/(?:admin|denied)(?:\/|$)|^\/secret$/.test(path)

t.test('nobody but a trusted proxy is answered (A1)', async (t) => {
  const wanted = CONTRACTS.flatMap((contract) =>
    ['/public/x', '/x'].map((target) => ask(contract, { target }, { cookie })),
  )
  const answers = await gate.askAll(wanted, STRANGER)
  t.strictSame(new Set(answers.map((answer) => answer?.status)), new Set([401]))
  t.notMatch(answers.map((answer) => answer?.headers.join()).join(), /remote-user/i)
})

t.test('a header that is missing, blank, doubled or misspelled is 400 (A6, A16)', async (t) => {
  const wanted = CONTRACTS.flatMap((contract) => {
    const fields = ASK[contract]?.({ target: '/public/x' }) ?? []
    return fields.flatMap(([name, value], i) => {
      const others = fields.filter((_, at) => at !== i)
      const instead: readonly Fields[] = [
        [],
        [[name, '']],
        [[name, ' ']],
        [
          [name, value],
          [name, value],
        ],
        [
          [name, value],
          [name.toLowerCase(), ''],
        ],
        [[name.replaceAll('-', '_'), value]],
        [[name.replaceAll('-', '.'), value]],
      ]
      return instead.map((fault) => check(contract, [...others, ...fault], { cookie }))
    })
  })
  const answers = await gate.askAll(wanted)
  t.strictSame(new Set(answers.map((answer) => answer?.status)), new Set([400]))
  const bare = await gate.askAll(CONTRACTS.map((contract) => check(contract, [], { cookie })))
  t.ok(
    bare.every((answer) => answer?.status === 400),
    'a proxy that tells nothing is told nothing',
  )
})

t.test(
  'a value no program of the contract sends is 400, never an allow (B9, B12, B14)',
  async (t) => {
    const hosts = [
      '',
      ' ',
      'x@asked.example.com',
      'asked.example.com/x',
      '[::1',
      'a b',
      'é',
      '..',
      ':80',
    ]
    const methods = ['get', 'GeT', 'G ET', 'A'.repeat(40), 'GET,POST', 'M_SEARCH', '']
    const protocols = ['ftp', 'HTTPS', 'https,http', 'javascript', 'wss:']
    const urls = [
      'https://asked.example.com',
      'asked.example.com/x',
      '/x',
      'https:/asked.example.com/x',
    ]
    urls.push(
      'https://[::1',
      '//asked.example.com/x',
      'https://a@asked.example.com/public/x',
      'https://',
    )
    urls.push('https://asked.example.com?/public/x', 'ftp://asked.example.com/public/x')
    const change = (contract: string, name: string, value: string) =>
      check(
        contract,
        (ASK[contract]?.({ target: '/public/x' }) ?? []).map(([n, v]) => [
          n,
          n === name ? value : v,
        ]),
        { cookie },
      )
    const wanted = [
      ...['caddy', 'traefik', 'haproxy'].flatMap((contract) => [
        ...hosts.map((value) => change(contract, 'X-Forwarded-Host', value)),
        ...methods.map((value) => change(contract, 'X-Forwarded-Method', value)),
        ...protocols.map((value) => change(contract, 'X-Forwarded-Proto', value)),
      ]),
      change('caddy', 'X-Forwarded-Proto', 'wss'),
      ...methods.map((value) => change('nginx', 'X-Original-Method', value)),
      ...urls.map((value) => change('nginx', 'X-Original-URL', value)),
    ]
    const answers = await gate.askAll(wanted)
    t.strictSame(new Set(answers.map((answer) => answer?.status)), new Set([400]))
  },
)

t.test(
  'no spelling of a path is allowed that the app could take for a closed one (B4, B5, B9, B11)',
  async (t) => {
    for (const contract of CONTRACTS) {
      const paths = ['/admin/x', '/secret'].flatMap((path) => spellingsOf(path))
      const targets = [...paths, ...otherForms('/admin/x', 'asked-open.example.com'), '/%', '/%zz']
      const host = 'asked-open.example.com'
      const wanted = targets.map((target) => ask(contract, { target, host }))
      const answers = await gate.askAll(wanted)
      const allowed = targets.filter((_, i) => (answers[i]?.status ?? 400) < 300)
      t.ok(allowed.length > 20)
      t.strictSame(
        allowed.filter((target) => [...meaningsOf(target)].some(isClosed)),
        [],
        contract,
      )
      const statuses = new Set(answers.map((answer) => answer?.status))
      t.ok([...statuses].every((status) => [200, 400, 401, 403].includes(status ?? 0)))
    }
  },
)

t.test("another contract's headers, and the client's own, are not read (A7)", async (t) => {
  const lies: Fields = [
    ...(ASK['caddy']?.({ target: '/public/x' }) ?? []),
    ...(ASK['nginx']?.({ target: '/public/x' }) ?? []),
    ['X-Original-URI', '/public/x'],
    ['X-Rewrite-URL', '/public/x'],
    ['X-Forwarded-Path', '/public/x'],
    ['Forwarded', 'for=1.2.3.4;host=asked-open.example.com'],
    ['X-HTTP-Method-Override', 'GET'],
    ['X_Forwarded_Uri', '/public/x'],
    ['Remote-User', 'admin'],
    ['User-Agent', 'kube-probe/1.31'],
  ]
  const wanted = CONTRACTS.map((contract) => {
    const own = ASK[contract]?.({ target: '/admin/x' }) ?? []
    const names = new Set(own.map(([name]) => name))
    return check(contract, [...own, ...lies.filter(([name]) => !names.has(name))])
  })
  const answers = await gate.askAll(wanted)
  t.strictSame(
    answers.map((answer) => answer?.status),
    CONTRACTS.map(() => 401),
  )
})

t.test('an allow carries the whole identity, empty for nobody (A5, A18)', async (t) => {
  const forged = {
    headers: [
      ['Remote-User', 'admin'],
      ['remote_groups', 'admins'],
    ],
  } as const
  const four = (answer: RawResponse) =>
    ['user', 'groups', 'name', 'email'].map((part) => answer.all(`remote-${part}`))
  for (const contract of CONTRACTS) {
    const [known, open, upgrade] = await gate.askAll([
      ask(contract, {}, { ...forged, cookie }),
      ask(contract, { target: '/public/x' }, forged),
      ask(
        contract,
        {},
        {
          cookie,
          headers: [...HANDSHAKE, TOLD],
        },
      ),
    ])
    const bobs = [['bob'], ['staff'], ['Bob B.'], ['bob@example.com']]
    for (const answer of [known, upgrade]) {
      t.equal(answer?.status, 200, contract)
      t.strictSame(answer && four(answer), bobs)
      t.equal(answer?.text, '')
    }
    t.equal(open?.status, 200)
    t.strictSame(open && four(open), [[''], [''], [''], ['']])
  }
})

t.test("a WebSocket that another site's page opens is refused (D8)", async (t) => {
  const opened = (contract: string, origin: string): Wanted =>
    ask(contract, {}, { cookie, headers: [...HANDSHAKE, TOLD, ['Origin', origin]] })
  for (const contract of CONTRACTS) {
    const answers = await gate.askAll([
      opened(contract, 'https://asked.example.com'),
      opened(contract, 'https://evil.example'),
      opened(contract, 'https://asked.example.com.evil.example'),
      opened(contract, 'null'),
    ])
    t.strictSame(
      answers.map((answer) => answer?.status),
      [200, 403, 403, 403],
      contract,
    )
  }
})

t.test(
  'a denial is one that the proxy passes on, small and with an absolute address',
  async (t) => {
    const page: Fields = [
      ['Accept', 'text/html'],
      ['Sec-Fetch-Mode', 'navigate'],
      ['Sec-Fetch-Dest', 'document'],
    ]
    const cases: readonly Wanted[] = CONTRACTS.flatMap((contract) => [
      ask(contract, { target: '/x?a=1&rd=https://evil.example' }, { headers: page }),
      ask(contract, { target: '/denied/x' }, { headers: page }),
      ask(contract, { target: '/%2e%2e/x' }, { headers: page }),
      ask(contract, { host: 'evil.example' }, { headers: page }),
      ask(contract, { method: 'TRACE' }, { headers: page }),
      ask(contract, { method: 'POST' }, { headers: [...page, ['Sec-Fetch-Site', 'same-origin']] }),
      ask(contract, {}, {}),
    ])
    const answers = await gate.askAll(cases)
    const statuses = CONTRACTS.map((_, i) =>
      answers.slice(i * 7, i * 7 + 7).map((one) => one?.status),
    )
    t.strictSame(statuses, [
      [302, 403, 400, 404, 405, 401, 401],
      [302, 403, 400, 404, 405, 401, 401],
      [401, 403, 403, 403, 403, 401, 401],
      [302, 403, 400, 404, 405, 401, 401],
    ])
    for (const answer of answers) {
      const size = (answer?.headers.join('\r\n').length ?? 0) + (answer?.body.length ?? 0)
      t.ok(size < 8192, `${size} bytes`)
      const location = answer?.header('location')
      if (location !== undefined)
        t.match(location, /^https:\/\/auth\.example\.com\/\.sallyport\/login\?rt=[\w.-]+$/)
    }
  },
)
