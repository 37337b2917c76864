import type { Account } from '../../accounts/account.ts'
import type { Visit } from '../../http/visit.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { ApiCaller } from '../route.ts'

/** Ways to take the second step, as the routes of that step are named. */
export const WAYS = ['passkey', 'totp', 'sms', 'recovery-code'] as const
export type Way = (typeof WAYS)[number]

type Deps = Pick<ApiDeps, 'enrolled' | 'passkeys' | 'phones'>

/** The account's ways to take the second step, best first. */
export async function waysOf(
  { enrolled, passkeys, phones }: Deps,
  visit: Visit,
  account: Account,
): Promise<Way[]> {
  const has = await enrolled.of(account.id)
  const there: Readonly<Record<Way, boolean>> = {
    passkey: has.passkeys > 0 && passkeys.usableAt(visit.site.origin),
    totp: has.totp > 0,
    sms: has.sms && phones.enabled,
    'recovery-code': has.recoveryCodes > 0,
  }
  return WAYS.filter((way) => there[way])
}

/** What counts as a fresh proof, as the routes below `/confirm` are named, best first. */
export async function confirmationsOf(
  deps: Deps,
  visit: Visit,
  { account, level }: ApiCaller,
): Promise<readonly (Way | 'password')[]> {
  // Where there is a second factor, a password alone says less than the session had.
  return level === 'two_factor' ? waysOf(deps, visit, account) : ['password']
}
