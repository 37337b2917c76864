import t from 'tap'
import { type Authorize, createAuthorize } from '../../src/access/authorize.ts'
import { coveringRules } from '../../src/access/covering-rules.ts'
import type { Account } from '../../src/accounts/account.ts'
import type { Principal, UserId } from '../../src/identity/principal.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { RuleSource } from '../../src/policy/rule.ts'
import type { Session } from '../../src/sessions/session.ts'
import type { Resolution } from '../../src/sessions/sessions.ts'
import type { ApiTokenScope } from '../../src/tokens/api-token.ts'
import { fakeClock } from '../support/fake-clock.ts'

const clock = fakeClock()

const rule = (
  policy: RuleSource['policy'],
  path: string,
  users: readonly string[] = [],
): RuleSource => ({
  policy,
  hosts: [],
  paths: [path],
  methods: [],
  networks: [],
  users,
  groups: [],
})
const policy = compilePolicy([
  {
    name: 'app',
    hosts: ['app.test'],
    rules: [
      rule('deny', '/shut'),
      rule('deny', '/open/not-bob', ['bob']),
      rule('public', '/open/**'),
      rule('one_factor', '/one'),
      rule('two_factor', '/two'),
    ],
  },
])
const account = { name: 'bob', disabled: false } as Account
const session = { id: 'ses_x' } as Session
const bob = (level: Principal['level']): Resolution => ({
  kind: 'active',
  session,
  account,
  principal: {
    userId: 'usr_x' as UserId,
    name: 'bob',
    displayName: '',
    email: '',
    groups: [],
    level,
    proved: [{ kind: 'password', at: 0 }],
    secondFactorDue: undefined,
  },
})
/** Both steps, as the gate takes them. */
const run = (
  authorize: Authorize,
  target: Parameters<Authorize['match']>[0],
  who: Parameters<Authorize['decide']>[1],
) => authorize.decide(authorize.match(target), who)
const PENDING: Resolution = { kind: 'pending', owes: 'second_factor', session, account }

const ask = async (
  resolution: Resolution | Promise<Resolution>,
  path: string,
  host = 'app.test',
) => {
  let asked = 0
  const resolve = () => {
    asked++
    return resolution
  }
  const authorize = createAuthorize({ policy, clock })
  const readings = [{ path, ignoreCase: false }]
  const answer = await run(
    authorize,
    { host, method: 'GET', readings, address: '192.0.2.1' },
    resolve,
  )
  return answer.kind === 'decided' ? [answer.decision.kind, asked] : [answer.kind, asked]
}

t.test('authorize() asks who it is only where that matters', async (t) => {
  t.strictSame(
    await ask(bob('one_factor'), '/open/x'),
    ['allow', 0],
    'an open target costs no look-up',
  )
  t.strictSame(await ask(bob('one_factor'), '/open/not-bob'), ['forbidden', 1])
  t.strictSame(await ask(bob('one_factor'), '/one'), ['allow', 1])
  t.strictSame(await ask(bob('one_factor'), '/two'), ['second_factor', 1])
  t.strictSame(await ask(bob('two_factor'), '/two'), ['allow', 1])
  t.strictSame(await ask(bob('two_factor'), '/shut'), ['forbidden', 1], 'to say who was refused')
  t.strictSame(await ask(bob('two_factor'), '/nothing'), ['forbidden', 1])
  t.strictSame(await ask(bob('two_factor'), '/one', 'other.test'), ['unknown_host', 0])
})

t.test('authorize() takes a session that owes its second factor for nobody (E5)', async (t) => {
  for (const path of ['/one', '/two']) t.strictSame(await ask(PENDING, path), ['sign_in', 1])
  t.strictSame(await ask(PENDING, '/shut'), ['forbidden', 1])
  t.strictSame(await ask(Promise.resolve(PENDING), '/one'), ['sign_in', 1])
})

t.test('authorize() never turns an error into an answer', async (t) => {
  const authorize = createAuthorize({ policy, clock })
  const late = () => Promise.reject(new Error('store down'))
  const throwing = () => {
    throw new Error('store down')
  }
  const target = (path: string) => ({
    host: 'app.test',
    method: 'GET',
    readings: [{ path, ignoreCase: false }],
    address: '192.0.2.1',
  })
  for (const path of ['/one', '/two', '/shut', '/open/not-bob']) {
    await t.rejects(Promise.resolve(run(authorize, target(path), late)), /store down/)
    t.throws(() => run(authorize, target(path), throwing), /store down/)
  }
  const open = await run(authorize, target('/open/x'), late)
  t.match(open, { kind: 'decided', decision: { kind: 'allow' } }, 'open targets stay open')
  const nobody = await run(authorize, target('/one'), undefined)
  t.match(nobody, { decision: { kind: 'sign_in' } }, 'and nobody stays nobody')
})

t.test('authorize() answers at once when the session is at hand', async (t) => {
  const authorize = createAuthorize({ policy, clock })
  const readings = [{ path: '/one', ignoreCase: false }]
  const answer = run(
    authorize,
    { host: 'app.test', method: 'GET', readings, address: '192.0.2.1' },
    () => bob('one_factor'),
  )
  t.notOk(answer instanceof Promise)
})

t.test('authorize() holds a token to its scope, in every reading of the path', async (t) => {
  const authorize = createAuthorize({ policy, clock })
  const active = bob('two_factor')
  if (active.kind !== 'active') throw new Error('bob is signed in')
  const ask = async (
    scope: Partial<ApiTokenScope>,
    method: string,
    ...paths: readonly string[]
  ): Promise<string> => {
    const readings = paths.map((path) => ({ path, ignoreCase: false }))
    const answer = await run(
      authorize,
      { host: 'app.test', method, readings, address: '192.0.2.1' },
      () => ({
        kind: 'program',
        holder: 'tok_x',
        account: undefined,
        principal: active.principal,
        scope: { apps: [], methods: [], paths: [], ...scope },
      }),
    )
    if (answer.kind !== 'decided') return answer.kind
    const { decision } = answer
    return decision.kind === 'forbidden' ? decision.reason : decision.kind
  }
  t.equal(await ask({}, 'GET', '/one'), 'allow')
  t.equal(await ask({ apps: ['app'] }, 'GET', '/one'), 'allow')
  t.equal(await ask({ apps: ['other'] }, 'GET', '/one'), 'out_of_scope')
  t.equal(await ask({ apps: ['other'] }, 'GET', '/open/x'), 'allow', 'what is open is open')
  t.equal(await ask({ apps: ['other'] }, 'GET', '/shut'), 'denied', 'the rules speak first')
  t.equal(await ask({ methods: ['GET'] }, 'GET', '/one'), 'allow')
  t.equal(await ask({ methods: ['GET'] }, 'POST', '/one'), 'out_of_scope')
  t.equal(await ask({ paths: ['/one'] }, 'GET', '/one'), 'allow')
  t.equal(await ask({ paths: ['/two/**', '/one'] }, 'GET', '/one'), 'allow')
  t.equal(await ask({ paths: ['/two/**'] }, 'GET', '/one'), 'out_of_scope')
  t.equal(await ask({ paths: ['/ONE'] }, 'GET', '/one'), 'out_of_scope', 'capitals count')
  t.equal(await ask({ paths: ['/one'] }, 'GET', '/one', '/two'), 'out_of_scope', 'each reading')
  t.equal(await ask({ paths: ['/one', '/two'] }, 'GET', '/one', '/two'), 'allow')
})

t.test(
  'authorize() takes a refused credential for nobody, and passes on what was not judged',
  async (t) => {
    const authorize = createAuthorize({ policy, clock })
    const target = (path: string) => ({
      host: 'app.test',
      method: 'GET',
      readings: [{ path, ignoreCase: false }],
      address: '192.0.2.1',
    })
    const refused = await run(authorize, target('/one'), () => ({ kind: 'refused' }))
    t.match(refused, { kind: 'decided', decision: { kind: 'sign_in' } })
    const busy = await run(authorize, target('/one'), async () => ({ kind: 'busy' }))
    t.strictSame(busy, { kind: 'busy' })
  },
)

t.test('coveringRules() gives the rules of every reading, so that none is cheaper', async (t) => {
  const costly = compilePolicy([
    {
      name: 'app',
      hosts: ['app.test'],
      rules: [
        { ...rule('public', '/hook'), limit: 'webhook' },
        { ...rule('one_factor', '/in'), limit: 'api' },
        rule('public', '/Open'),
        rule('deny', '/shut'),
        rule('public', '/free/**'),
        rule('one_factor', '/**'),
      ],
    },
  ])
  const authorize = createAuthorize({ policy: costly, clock })
  const covering = (...paths: readonly string[]) => {
    const readings = paths.map((path) => ({ path, ignoreCase: false }))
    const matched = authorize.match({ host: 'app.test', method: 'GET', readings, address: '' })
    if (matched.kind !== 'matched') return []
    return coveringRules(matched.requirement).map(({ name, limit }) => `${name} ${limit ?? '-'}`)
  }
  t.strictSame(covering('/free/x', '/free/x'), ['5 -'])
  t.strictSame(covering('/free/x', '/hook'), ['5 -', '1 webhook'], 'open, then open')
  t.strictSame(covering('/free/x', '/hook', '/in'), ['2 api', '5 -', '1 webhook'])
  t.strictSame(covering('/x', '/hook'), ['6 -', '1 webhook'], 'signed in, then open')
  t.strictSame(covering('/hook', '/x', '/in'), ['6 -', '2 api', '1 webhook'])
  t.strictSame(covering('/free/x', '/shut'), ['4 -'], 'what is denied costs as the denial does')
})
