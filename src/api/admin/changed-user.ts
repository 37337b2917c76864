import type { Account } from '../../accounts/account.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import type { ApiResult } from '../route.ts'
import { type AdminCall, tell } from './told.ts'
import { userAnswer } from './users.ts'

/**
 * Answers with an account as it is after a change, and writes down what became another.
 *
 * @param after `undefined`: it was deleted meanwhile
 */
export function changedUser(
  deps: Pick<ApiDeps, 'audit' | 'isAdmin'>,
  call: AdminCall,
  before: Account,
  after: Account | undefined,
): ApiResult {
  if (after === undefined) return refuse('not_found')
  const detail = changes(before, after)
  if (detail !== '') {
    tell(deps, call, { event: 'account.changed', outcome: 'success', detail }, { account: after })
  }
  return { kind: 'json', status: 200, body: userAnswer(deps, after) }
}

/** What is another, in the words of the command line. */
function changes(before: Account, after: Account): string {
  return [
    ...(before.email === after.email ? [] : ['email']),
    ...(before.displayName === after.displayName ? [] : ['name']),
    ...(before.language === after.language ? [] : ['language']),
    ...after.groups.filter((one) => !before.groups.includes(one)).map((one) => `+${one}`),
    ...before.groups.filter((one) => !after.groups.includes(one)).map((one) => `-${one}`),
  ].join(' ')
}
