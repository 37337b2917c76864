import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { Enrolled } from '../factors/enrolled.ts'
import { levelOf, type SessionId, type UserId } from '../identity/principal.ts'
import { BUDGETS } from '../limits/budgets.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Session } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { IssuedRefreshToken, RefreshTokens } from '../tokens/refresh-token.ts'
import { auditContext, type StepOrigin } from './step.ts'

/** What came of a refresh. Every refusal is one `refused`: the audit log alone knows why. */
export type RefreshOutcome =
  | {
      readonly kind: 'refreshed'
      readonly session: Session
      readonly account: Account
      readonly refresh: IssuedRefreshToken
    }
  /** A new password is owed first: nothing was spent. */
  | { readonly kind: 'password_due'; readonly session: Session; readonly account: Account }
  | { readonly kind: 'refused' }
  /** So many refreshes that the program can only be going round in circles. */
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }

/**
 * Takes a refresh token for the next one, after asking everything again that a sign-in asks: a
 * session that ended, an account that was disabled, a second factor that was added since.
 * @throws AppError `store_unavailable`
 */
export type Refresh = (text: string, origin: StepOrigin) => Promise<RefreshOutcome>

export function createRefresh(deps: {
  readonly refreshTokens: RefreshTokens
  readonly sessions: Pick<Sessions, 'resolveId' | 'end'>
  readonly accounts: Pick<AccountStore, 'byId'>
  readonly enrolled: Pick<Enrolled, 'hasSecond'>
  readonly limiter: Limiter
  readonly audit: Audit
}): Refresh {
  const { refreshTokens, sessions, limiter } = deps

  /**
   * Somebody has a copy, and nobody can tell who the thief is: the sign-in ends for both (RFC 9700
   * 4.14.2). The session first: should the rest fail, nothing of the family opens anything.
   */
  const endStolen = async (
    family: { readonly sessionId: SessionId; readonly userId: UserId },
    origin: StepOrigin,
  ): Promise<RefreshOutcome> => {
    const ended = await sessions.end(family.sessionId)
    await refreshTokens.endFamily(family.sessionId)
    // Of many at once, one ended it and tells of it.
    if (!ended) return { kind: 'refused' }
    const account = await deps.accounts.byId(family.userId)
    deps.audit(
      { event: 'token.reused', outcome: 'deny' },
      {
        ...auditContext(origin, account === undefined ? {} : { account }),
        session: family.sessionId,
      },
    )
    return { kind: 'refused' }
  }

  return async (text, origin) => {
    const found = await refreshTokens.look(text)
    if (found.kind === 'unknown') return { kind: 'refused' }
    if (found.kind === 'reused') return endStolen(found, origin)
    const resolution = await sessions.resolveId(found.sessionId)
    if (resolution.kind === 'none') return { kind: 'refused' }
    const { session, account } = resolution
    // SECURITY: an account that gained a second factor elsewhere owes it here too.
    const lacksSecond =
      levelOf(session.factors) === 'one_factor' && (await deps.enrolled.hasSecond(account.id))
    if (lacksSecond) return { kind: 'refused' }
    if (resolution.kind === 'pending') {
      return resolution.owes === 'password'
        ? { kind: 'password_due', session, account }
        : { kind: 'refused' }
    }
    if (found.kind === 'live') {
      const take = limiter.take(BUDGETS.refresh, session.id)
      if (take.kind === 'limited') return { kind: 'limited', take, budget: BUDGETS.refresh }
    }
    const rotated = await refreshTokens.rotate(text, session)
    switch (rotated.kind) {
      case 'repeated':
        // It costs a row what was spent, and only that.
        if (found.kind === 'live') limiter.refund(BUDGETS.refresh, session.id)
        return { kind: 'refreshed', session, account, refresh: rotated }
      case 'rotated':
        return { kind: 'refreshed', session, account, refresh: rotated }
      case 'reused':
        return endStolen(found, origin)
      case 'unknown':
        return { kind: 'refused' }
    }
  }
}
