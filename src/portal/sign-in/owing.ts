import type { Account } from '../../accounts/account.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { type Level, levelOf } from '../../identity/principal.ts'
import { PATHS } from '../../pages/paths.ts'
import type { Session } from '../../sessions/session.ts'
import { lostCookiePage, sessionCookieLost } from '../lost-cookie.ts'
import type { PortalDeps } from '../portal-deps.ts'
import { currentSession, onward, toPage } from '../signing-in.ts'

/** Who may prove a second factor now, or where they are to go instead. */
export type Owing =
  | {
      readonly kind: 'owes'
      readonly session: Session
      readonly account: Account
      /** `second_step`: after the password. `confirm`: again, for a change or a rule. */
      readonly purpose: 'second_step' | 'confirm'
    }
  | { readonly kind: 'elsewhere'; readonly answer: Answer }

/**
 * Only a session that still lacks its second factor, or one that is to confirm it, has business on
 * the pages of the second step. Every one of them asks here first.
 */
export async function whoOwes(
  deps: PortalDeps,
  visit: Visit,
  asked: { readonly returnTicket: string; readonly confirm: boolean },
): Promise<Owing> {
  const { returnTicket, confirm } = asked
  const current = await currentSession(deps, visit)
  if (current.kind === 'none') {
    if (sessionCookieLost(deps, visit, returnTicket)) {
      return { kind: 'elsewhere', answer: lostCookiePage(deps, visit, 'session', returnTicket) }
    }
    const expired = visit.method === 'POST' ? `${PATHS.login}?notice=session_ended` : PATHS.login
    return { kind: 'elsewhere', answer: toPage(expired, returnTicket) }
  }
  const { session, account } = current
  if (current.kind === 'pending') {
    if (current.owes === 'password' && !(await lacksSecond(deps, session, account))) {
      return { kind: 'elsewhere', answer: toPage(PATHS.changePassword, returnTicket) }
    }
    return { kind: 'owes', session, account, purpose: 'second_step' }
  }
  if (!(await deps.enrolled.hasSecond(account.id))) {
    const next = confirm ? PATHS.confirm : withoutSecond(deps, account, current.principal.level)
    return { kind: 'elsewhere', answer: toPage(next, returnTicket) }
  }
  if (current.principal.level === 'one_factor') {
    return { kind: 'owes', session, account, purpose: 'second_step' }
  }
  if (confirm) return { kind: 'owes', session, account, purpose: 'confirm' }
  return { kind: 'elsewhere', answer: await onward(deps, visit, session, returnTicket) }
}

/**
 * Whether the session has proved less than its account has: it began before there was a second
 * factor. SECURITY: it changes no password either, be that due or not.
 */
export async function lacksSecond(
  deps: Pick<PortalDeps, 'enrolled'>,
  session: Session,
  account: Account,
): Promise<boolean> {
  return levelOf(session.factors) === 'one_factor' && (await deps.enrolled.hasSecond(account.id))
}

/** Where somebody goes who has no second factor: to add one, unless the sign-in was worth two. */
function withoutSecond(deps: PortalDeps, account: Account, level: Level): string {
  if (level === 'two_factor') return PATHS.account
  if (deps.duty.of(account).kind === 'required') return PATHS.secondFactorDue
  return `${PATHS.newTotp}?required=1`
}
