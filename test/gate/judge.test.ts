import t from 'tap'
import { createAuthorize } from '../../src/access/authorize.ts'
import type { Account } from '../../src/accounts/account.ts'
import type { Credentials } from '../../src/gate/credentials.ts'
import type { Denials } from '../../src/gate/denials.ts'
import type { GateApp } from '../../src/gate/gate-app.ts'
import { createJudge } from '../../src/gate/judge.ts'
import { type Host, parseHost } from '../../src/http/host.ts'
import type { Visit } from '../../src/http/visit.ts'
import type { SessionId, UserId } from '../../src/identity/principal.ts'
import { HOUR } from '../../src/lib/duration.ts'
import { namedBudgets, ownClasses } from '../../src/limits/budgets.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { rateClasses } from '../../src/limits/rate-class.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { RuleSource } from '../../src/policy/rule.ts'
import type { Session } from '../../src/sessions/session.ts'
import type { Resolution } from '../../src/sessions/sessions.ts'
import { fakeClock } from '../support/fake-clock.ts'

const rate = (count: number) => ({ count, window: HOUR })
const rule = (path: string, policy: RuleSource['policy'], limit?: string): RuleSource => ({
  policy,
  hosts: [],
  paths: [path],
  methods: [],
  networks: [],
  users: [],
  groups: [],
  ...(limit === undefined ? {} : { limit }),
})
function hostOf(name: string): Host {
  const host = parseHost(name)
  if (host === undefined) throw new Error(`${name} is no host`)
  return host
}

/** A judge over a store in which every look-up is counted. */
function setUp(resolution: Resolution) {
  const clock = fakeClock()
  const limiter = createMemoryLimiter({ clock })
  const policy = compilePolicy([
    {
      name: 'app',
      hosts: ['app.test'],
      rules: [
        rule('/exports', 'one_factor', 'exports'),
        rule('/hook', 'public', 'webhook'),
        rule('/**', 'one_factor'),
      ],
    },
  ])
  let lookUps = 0
  const credentials: Credentials = {
    read: (_headers, token) => (token === undefined ? undefined : { kind: 'cookie', token }),
    familiar: () => undefined,
    identify: () => {
      lookUps++
      return Promise.resolve(resolution)
    },
  }
  const budgets = namedBudgets({
    auth: rate(1),
    default: rate(5),
    session: rate(9),
    api: rate(3),
    webhook: rate(2),
  })
  const app = { name: 'app', allowInPaths: new Set() } as unknown as GateApp
  const answer = (status: number) => () => ({ status, headers: [], body: '' })
  const denials = {
    limited: answer(429),
    decided: answer(401),
    ambiguous: answer(400),
  } as unknown as Denials
  const quiet = () => {}
  const own = new Map([['exports', { rate: rate(2), by: 'user' }]] as const)
  const judge = createJudge({
    authorize: createAuthorize({ policy, clock }),
    credentials,
    limiter,
    classes: rateClasses(budgets, ownClasses(own)),
    anonymous: budgets.default,
    apps: new Map([['app', app]]),
    appOf: (name) => (name === 'app.test' ? app : undefined),
    denials,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  })
  const ask = async (target: string, more: Partial<Visit> = {}) => {
    const visit = {
      requestId: 'req' as Visit['requestId'],
      client: { address: '192.0.2.1', throughProxy: false },
      host: hostOf('app.test'),
      site: { binding: { kind: 'plain' } } as Visit['site'],
      method: 'GET',
      target,
      headers: ['Cookie', `sallyport=${'A'.repeat(43)}`],
      ...more,
    }
    const passage = await judge.judge(visit)
    return passage.kind === 'pass' ? 200 : passage.answer.status
  }
  return { ask, lookUps: () => lookUps }
}

const NOBODY: Resolution = { kind: 'none' }
const account = { name: 'bob', disabled: false } as Account
const BOB: Resolution = {
  kind: 'active',
  session: { id: 'ses_bob' as SessionId } as Session,
  account,
  principal: {
    userId: 'usr_bob' as UserId,
    name: 'bob',
    displayName: '',
    email: '',
    groups: [],
    level: 'one_factor',
    proved: [],
    secondFactorDue: undefined,
  },
}

t.test('judge() looks up no more strangers than their address may pay for', async (t) => {
  for (const path of ['/x', '/exports']) {
    const { ask, lookUps } = setUp(NOBODY)
    const statuses: number[] = []
    for (let i = 0; i < 100; i++) statuses.push(await ask(path))
    t.equal(statuses.filter((status) => status === 401).length, 5, path)
    t.equal(statuses.filter((status) => status === 429).length, 95)
    t.equal(lookUps(), 5, 'a refused one costs no look-up')
  }
})

t.test('judge() lets who turns out to be signed in pay for themselves', async (t) => {
  const { ask } = setUp(BOB)
  const statuses: number[] = []
  for (let i = 0; i < 12; i++) statuses.push(await ask('/x'))
  t.equal(statuses.filter((status) => status === 200).length, 9, 'session, not default')
  t.strictSame(
    [await ask('/exports'), await ask('/exports'), await ask('/exports')],
    [200, 200, 429],
  )
})

t.test('judge() takes from a class instead of from default', async (t) => {
  const { ask, lookUps } = setUp(NOBODY)
  t.strictSame([await ask('/hook'), await ask('/hook'), await ask('/hook')], [200, 200, 429])
  t.equal(lookUps(), 0)
  for (let i = 0; i < 5; i++) t.equal(await ask('/x'), 401)
  t.equal(await ask('/x'), 429)
})

t.test('judge() has everything paid for, also what it refuses', async (t) => {
  const visits: readonly [string, Partial<Visit>][] = [
    ['/a%00b', {}],
    ['/x', { method: 'TRACE' }],
    ['/x', { host: hostOf('other.test') }],
  ]
  for (const [target, more] of visits) {
    const { ask } = setUp(NOBODY)
    for (let i = 0; i < 5; i++) t.not(await ask(target, more), 429)
    t.equal(await ask(target, more), 429)
  }
})
