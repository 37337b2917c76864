import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import type { EnrolledFactors } from '../../src/factors/enrolled.ts'
import { bestWayPath, otherWays, waysOf } from '../../src/portal/sign-in/ways.ts'
import { fakeClock } from '../support/fake-clock.ts'

const account = { id: 'usr_x' } as Account

/** An account with these factors, which was last seen to do these things. */
function having(factors: Partial<EnrolledFactors>, ...events: readonly string[]) {
  const all = { totp: 0, passkeys: 0, sms: false, recoveryCodes: 0, ...factors }
  return {
    clock: fakeClock(),
    enrolled: { of: async () => all, hasSecond: async () => true },
    activity: async () =>
      events.map((text) => {
        const [event = '', outcome = 'success'] = text.split(' ')
        return { at: 0, event, outcome, detail: '', address: '', userAgent: '' }
      }),
  }
}

t.test('waysOf() puts what was used last first, and a recovery code last', async (t) => {
  const all = { totp: 1, passkeys: 2, sms: true, recoveryCodes: 3 }
  const ways = async (...args: Parameters<typeof having>) => waysOf(having(...args), account)
  t.strictSame(await ways(all), ['passkey', 'totp', 'sms', 'recovery'])
  t.strictSame(await ways(all, 'auth.password', 'auth.sms', 'auth.totp'), [
    'sms',
    'passkey',
    'totp',
    'recovery',
  ])
  t.strictSame((await ways(all, 'auth.sms failure', 'auth.totp'))[0], 'totp')
  t.strictSame((await ways(all, 'auth.recovery_code'))[0], 'passkey', 'never the last resort')
  t.strictSame(await ways({ totp: 1 }, 'auth.passkey'), ['totp'], 'never what it has not')
  t.strictSame(await ways({ sms: true, totp: 1 }, 'auth.passkey'), ['totp', 'sms'])
  t.strictSame(await ways({}), [])
})

t.test('otherWays() keeps the ticket and the purpose', async (t) => {
  const deps = having({ totp: 1, passkeys: 1, recoveryCodes: 1 })
  t.strictSame(await otherWays(deps, account, 'totp', { returnTicket: 'a.b', confirm: false }), [
    { kind: 'passkey', path: '/.sallyport/login/passkey?rt=a.b' },
    { kind: 'recovery', path: '/.sallyport/login/recovery?rt=a.b' },
  ])
  t.strictSame(await otherWays(deps, account, 'passkey', { returnTicket: '', confirm: true }), [
    { kind: 'totp', path: '/.sallyport/login/totp?confirm=1' },
    { kind: 'recovery', path: '/.sallyport/login/recovery?confirm=1' },
  ])
  t.equal(
    await bestWayPath(deps, account, { confirm: true }),
    '/.sallyport/login/passkey?confirm=1',
  )
})
