import t from 'tap'
import { readRequestPath } from '../../src/http/request-path.ts'
import {
  type FactorKind,
  levelOf,
  type Principal,
  type ProvedFactor,
  type UserId,
} from '../../src/identity/principal.ts'
import { DAY, MINUTE } from '../../src/lib/duration.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { type Decision, decide } from '../../src/policy/decide.ts'
import { match } from '../../src/policy/match.ts'
import type { RuleSource } from '../../src/policy/rule.ts'
import { lackOf, type RuleFactor, type StepUp, stricterStepUp } from '../../src/policy/step-up.ts'

const NOW = Date.UTC(2026, 0, 5, 9)

/** `totp 5`: proved five minutes ago. */
function proofs(...texts: readonly string[]): readonly ProvedFactor[] {
  return texts.map((text) => {
    const [kind = '', minutes = '0'] = text.split(' ')
    return { kind: kind as FactorKind, at: NOW - Number(minutes) * MINUTE }
  })
}

const asks = (maxAge: number | undefined, ...factors: readonly RuleFactor[]): StepUp => ({
  maxAge: maxAge === undefined ? Infinity : maxAge * MINUTE,
  factors,
})

t.test('lackOf() counts from the newest proof of what is asked for', async (t) => {
  const cases: readonly [StepUp, readonly string[], string | undefined][] = [
    [asks(10), ['password 60', 'totp 10'], undefined],
    [asks(10), ['password 60', 'totp 10.001'], 'anything'],
    [asks(10), ['password 1', 'totp 11'], 'anything'],
    [asks(10), ['password 60', 'totp 30', 'sms 1'], undefined],
    [asks(10), ['password 60', 'recovery_code 1'], undefined],
    [asks(10), ['password 5'], undefined],
    [asks(10), ['password 11'], 'anything'],
    [asks(10), ['link 5'], undefined],
    [asks(10), ['link 30', 'password 5'], undefined],
    [asks(10), ['passkey 9'], undefined],
    [asks(10), [], 'anything'],
    [asks(undefined, 'totp'), ['password 900', 'totp 900'], undefined],
    [asks(undefined, 'totp'), ['password 1', 'recovery_code 1'], 'totp'],
    [asks(undefined, 'totp'), ['passkey 1'], 'totp'],
    [asks(undefined, 'passkey'), ['password 1', 'security_key 1'], 'passkey'],
    [asks(undefined, 'any_second'), ['password 1', 'security_key 1'], undefined],
    [asks(undefined, 'any_second'), ['link 1'], 'any_second'],
    [asks(undefined, 'password'), ['passkey 1'], 'password'],
    [asks(undefined, 'password'), ['password 900', 'passkey 1'], undefined],
    [asks(10, 'password'), ['password 11', 'totp 1'], 'password'],
    [asks(10, 'password', 'totp'), ['password 1', 'totp 11'], 'totp'],
    [asks(10, 'password', 'totp'), ['password 1', 'totp 1'], undefined],
    // The clock was set back after the proof.
    [asks(10), ['password 1', 'totp -9'], undefined],
    [asks(10), ['password 1', 'totp -120'], 'anything'],
  ]
  for (const [stepUp, proved, expected] of cases) {
    const lack = lackOf(stepUp, proofs(...proved), NOW)
    t.equal(
      lack === undefined ? undefined : (lack.factor ?? 'anything'),
      expected,
      `${stepUp.maxAge / MINUTE} ${stepUp.factors} of ${proved}`,
    )
  }
})

t.test('stricterStepUp() keeps every factor and the smaller age', async (t) => {
  t.equal(stricterStepUp(undefined, undefined), undefined)
  t.strictSame(stricterStepUp(asks(10), undefined), asks(10))
  t.strictSame(stricterStepUp(undefined, asks(undefined, 'totp')), asks(undefined, 'totp'))
  t.strictSame(stricterStepUp(asks(30, 'totp'), asks(10, 'passkey')), asks(10, 'totp', 'passkey'))
  t.strictSame(stricterStepUp(asks(undefined, 'totp'), asks(10, 'totp')), asks(10, 'totp'))
})

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
const policy = compilePolicy([
  {
    name: 'app',
    hosts: ['app.test'],
    rules: [
      rule('public', { paths: ['/open'] }),
      rule('two_factor', { paths: ['/pay/**'], maxAge: 10 * MINUTE }),
      rule('two_factor', { paths: ['/keys/**'], factor: 'passkey', groups: ['admins'] }),
      rule('two_factor', { paths: ['/Pay/**'], maxAge: 30 * MINUTE, factor: 'totp' }),
      rule('one_factor', { paths: ['/mine/**'], maxAge: 5 * MINUTE }),
      rule('two_factor', { paths: ['/form'], methods: ['POST'], maxAge: MINUTE }),
      rule('one_factor'),
    ],
  },
]).appOf('app.test')

function ask(
  path: string,
  proved: readonly ProvedFactor[],
  more: Partial<Principal> & { readonly method?: string } = {},
): Decision {
  const read = readRequestPath(path)
  if (policy === undefined || read.kind === 'ambiguous') throw new Error(path)
  const { method = 'GET', ...change } = more
  const target = { host: 'app.test', address: '192.0.2.1', method, readings: read.path.readings }
  const who: Principal = {
    userId: 'usr_x' as UserId,
    name: 'bob',
    displayName: '',
    email: '',
    groups: [],
    level: levelOf(proved),
    proved,
    secondFactorDue: undefined,
    ...change,
  }
  return decide(match(policy, target), who, NOW)
}

t.test('decide() asks to confirm last, when everything else is right', async (t) => {
  const kind = (...args: Parameters<typeof ask>) => ask(...args).kind
  const fresh = proofs('password 1', 'totp 1')
  const old = proofs('password 60', 'totp 60')
  t.equal(kind('/pay/x', fresh), 'allow')
  t.equal(kind('/pay/x', old), 'confirm')
  t.equal(kind('/pay/x', proofs('password 60')), 'second_factor', 'the level first')
  t.equal(kind('/keys/x', fresh), 'forbidden', 'nobody confirms what would not let them in')
  t.equal(kind('/keys/x', fresh, { groups: ['admins'] }), 'confirm')
  t.equal(kind('/keys/x', proofs('passkey 60'), { groups: ['admins'] }), 'allow')
  t.equal(kind('/mine/x', proofs('password 4')), 'allow')
  t.equal(kind('/mine/x', proofs('password 6')), 'confirm')
  t.equal(kind('/mine/x', proofs('password 4', 'totp 6')), 'confirm', 'the second factor counts')
  t.equal(kind('/form', old), 'allow')
  t.equal(kind('/form', old, { method: 'POST' }), 'confirm')
  t.equal(kind('/open', old), 'allow')
  t.equal(kind('/other', old), 'allow')
  t.match(ask('/pay/x', old), { rule: { name: '2' }, stepUp: asks(10) })
})

t.test('decide() holds the strictest of several readings of a path', async (t) => {
  // In lower case the path is that of rule 2, as written that of rule 4.
  const both = ask('/Pay/x', proofs('password 1', 'sms 1'))
  t.match(both, { kind: 'confirm', stepUp: asks(10, 'totp') })
  t.match(ask('/Pay/x', proofs('password 1', 'totp 20')), { kind: 'confirm' })
  t.equal(ask('/Pay/x', proofs('password 1', 'totp 9')).kind, 'allow')
})

t.test('decide() wants a second factor everywhere once an account should have one', async (t) => {
  const alone = proofs('password 1')
  const at = (secondFactorDue: number | undefined, path = '/other', proved = alone) =>
    ask(path, proved, { secondFactorDue }).kind
  t.equal(at(NOW + 1), 'allow')
  t.equal(at(NOW), 'second_factor')
  t.equal(at(NOW - 30 * DAY), 'second_factor')
  t.equal(at(NOW, '/open'), 'allow', 'what is open is open')
  t.equal(at(NOW, '/other', proofs('password 1', 'sms 1')), 'allow')
  t.equal(at(NOW, '/other', proofs('link 1')), 'allow', 'an operator has let them in')
})
