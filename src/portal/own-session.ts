import type { Account } from '../accounts/account.ts'
import type { Answer } from '../http/answer.ts'
import type { Visit } from '../http/visit.ts'
import { type Level, levelOf } from '../identity/principal.ts'
import { PATHS } from '../pages/paths.ts'
import type { Session } from '../sessions/session.ts'
import type { PortalDeps } from './portal-deps.ts'
import { currentSession, toPage } from './signing-in.ts'

/** Whose account is looked at, or where that person is to go first. */
export type OwnSession =
  | {
      readonly kind: 'own'
      readonly session: Session
      readonly account: Account
      readonly level: Level
    }
  | { readonly kind: 'elsewhere'; readonly answer: Answer }

/**
 * A session that has proved everything its account can prove: it may look at the account, which
 * shows no secret, and do what needs no fresh proof. Others come back to `path` afterwards.
 */
export async function ownSession(
  deps: PortalDeps,
  visit: Visit,
  path: string,
): Promise<OwnSession> {
  const current = await currentSession(deps, visit)
  const elsewhere = (first: string): OwnSession => {
    const back = deps.tickets.issue(`${visit.site.origin}${path}`)
    return { kind: 'elsewhere', answer: toPage(first, back) }
  }
  if (current.kind === 'none') return elsewhere(PATHS.login)
  if (current.kind === 'pending') {
    return elsewhere(current.owes === 'password' ? PATHS.changePassword : PATHS.secondStep)
  }
  const { session, account } = current
  const level = levelOf(session.factors)
  if (level === 'one_factor' && (await deps.enrolled.hasSecond(account.id))) {
    return elsewhere(PATHS.secondStep)
  }
  return { kind: 'own', session, account, level }
}
