import type { Account } from '../accounts/account.ts'
import type { AuditContext, AuditEvent, StepEvent, StepFailure } from '../audit/audit.ts'
import type { Milliseconds } from '../lib/duration.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import type { Session } from '../sessions/session.ts'
import type { Issued } from '../sessions/sessions.ts'

/** Where an attempt comes from. */
export type LoginContext = {
  readonly requestId: string
  readonly address: string
  readonly userAgent: string
  /** Device ids this browser proves it signed in from before, one for each account; may be empty. */
  readonly knownDevice: (account: Account) => string | undefined
}

/** The part of it that is written down. */
export type StepOrigin = Pick<LoginContext, 'requestId' | 'address' | 'userAgent'>

/** What came of a step. Every refusal is one `refused`: the audit log alone knows why. */
export type StepOutcome =
  | {
      readonly kind: 'signed_in'
      readonly issued: Issued
      readonly account: Account
      /** `second_step`: the account has a second factor, which is asked for next. */
      readonly next: 'second_step' | 'done'
    }
  | {
      readonly kind: 'refused'
      /** The code is right by a clock that is ahead by so much, behind if negative. */
      readonly drift?: Milliseconds
    }
  /** Too many attempts from this network. */
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  /** Too many sign-ins at once on this server; nothing was judged or counted. */
  | { readonly kind: 'busy' }
  /** The session was revoked or raised in the meantime: start again. */
  | { readonly kind: 'gone' }

/**
 * When `work` throws, nothing was judged: `undo` takes back what was counted for it, so that a
 * store that is out does not lock out whoever tries again meanwhile.
 */
export async function orUndo<T>(work: () => Promise<T>, undo: () => void): Promise<T> {
  try {
    return await work()
  } catch (error) {
    undo()
    throw error
  }
}

/** A step that was refused, for the audit log. */
export function failure(event: StepEvent, reason: StepFailure): AuditEvent {
  return { event, outcome: 'failure', reason }
}

/** Who, where and under which reference, for the audit log. */
export function auditContext(
  context: StepOrigin & Partial<Pick<LoginContext, 'knownDevice'>>,
  known: { readonly account?: Account; readonly session?: Session },
): AuditContext {
  return {
    requestId: context.requestId,
    clientIp: context.address,
    userAgent: context.userAgent,
    ...(known.account === undefined ? {} : { user: known.account.name, userId: known.account.id }),
    ...(known.session === undefined ? {} : { session: known.session.id }),
    ...browserOf(context.knownDevice, known),
  }
}

/** What the owner is told by: whether it is a browser of theirs. A link is told of as such. */
function browserOf(
  knownDevice: LoginContext['knownDevice'] | undefined,
  { account, session }: { readonly account?: Account; readonly session?: Session },
): Pick<AuditContext, 'stage' | 'browser'> {
  if (session === undefined) return {}
  const { stage } = session
  if (account === undefined || knownDevice === undefined) return { stage }
  if (session.factors.some(({ kind }) => kind === 'link')) return { stage }
  return { stage, browser: knownDevice(account) === undefined ? 'new' : 'known' }
}
