import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import type { EnrolledFactors } from '../../src/factors/enrolled.ts'
import { DAY } from '../../src/lib/duration.ts'
import { createDuty, createSecondFactorDue, type RuleDuty } from '../../src/login/duty.ts'

const START = Date.UTC(2026, 0, 5, 9)
const person = (name: string, groups: readonly string[] = [], secondFactorAskedAt = 0) =>
  ({ id: `usr_${name}`, name, groups, secondFactorAskedAt }) as unknown as Account
const nobody = { everybody: false, users: [], groups: [], grace: 7 * DAY }

t.test('createSecondFactorDue() counts from when it was first asked for', async (t) => {
  const due = createSecondFactorDue({ ...nobody, users: ['bob'], groups: ['staff'] }, START)
  t.equal(due(person('eve', ['guests']), START), undefined)
  t.equal(due(person('bob', [], START - 6 * DAY), START), START + DAY)
  t.equal(due(person('ann', ['staff'], START - 60 * DAY), START), START - 53 * DAY)
  t.equal(due(person('bob'), START - 20 * DAY), START + 7 * DAY, 'signed in before the start')
  t.equal(due(person('bob'), START + DAY), START + 8 * DAY, 'signed in since')
  const all = createSecondFactorDue({ ...nobody, everybody: true }, START)
  t.equal(all(person('eve', [], START), START), START + 7 * DAY)
})

const rule = (policy: RuleDuty['policy'], more: Partial<RuleDuty> = {}): RuleDuty => ({
  policy,
  users: [],
  groups: [],
  ...more,
})

t.test('mayRemove() keeps the last factor that somebody needs', async (t) => {
  const has = (
    factors: Partial<EnrolledFactors>,
    rules: readonly RuleDuty[],
    policy: Partial<typeof nobody> = {},
  ) => {
    const all = { totp: 0, passkeys: 0, sms: false, recoveryCodes: 9, ...factors }
    const due = createSecondFactorDue({ ...nobody, ...policy }, START)
    return createDuty({ enrolled: { of: async () => all }, due }, { rules })
  }
  const bob = person('bob', ['staff'])
  const open = [rule('one_factor'), rule('public')]
  const strong = [rule('one_factor'), rule('two_factor')]
  const admins = [rule('two_factor', { groups: ['admins'] }), rule('one_factor')]
  t.equal(await has({ totp: 1 }, open).mayRemove(bob, 'totp'), true, 'nothing needs it')
  t.equal(await has({ totp: 1 }, strong).mayRemove(bob, 'totp'), false)
  t.equal(await has({ totp: 2 }, strong).mayRemove(bob, 'totp'), true)
  t.equal(await has({ totp: 1, sms: true }, strong).mayRemove(bob, 'totp'), true)
  t.equal(await has({ totp: 1, sms: true }, strong).mayRemove(bob, 'phone'), true)
  t.equal(await has({ sms: true }, strong).mayRemove(bob, 'phone'), false)
  t.equal(await has({ passkeys: 1 }, strong).mayRemove(bob, 'passkey'), false)
  t.equal(await has({ totp: 1 }, admins).mayRemove(bob, 'totp'), true, 'a rule for others')
  const admin = person('ann', ['admins'])
  t.equal(await has({ totp: 1 }, admins).mayRemove(admin, 'totp'), false)
  const named = [rule('two_factor', { users: ['bob'] })]
  t.equal(await has({ totp: 1 }, named).mayRemove(bob, 'totp'), false)
  t.equal(await has({ totp: 1 }, open, { everybody: true }).mayRemove(bob, 'totp'), false)
  t.equal(
    await has({ totp: 1 }, open, { groups: ['staff'] } as never).mayRemove(bob, 'totp'),
    false,
  )

  const passkey = [rule('two_factor', { factor: 'passkey' })]
  t.equal(await has({ totp: 1, passkeys: 1 }, passkey).mayRemove(bob, 'passkey'), false)
  t.equal(await has({ totp: 1, passkeys: 2 }, passkey).mayRemove(bob, 'passkey'), true)
  t.equal(await has({ totp: 1, passkeys: 1 }, passkey).mayRemove(bob, 'totp'), true)
  const failing = createDuty(
    { enrolled: { of: () => Promise.reject(new Error('store')) }, due: () => undefined },
    { rules: strong },
  )
  await t.rejects(failing.mayRemove(bob, 'totp'), /store/, 'an error is no permission')
})
