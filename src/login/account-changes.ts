import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { SessionId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ChangedBy } from './factor-changes.ts'
import { auditContext } from './step.ts'

/** Chooses what pages and mail are written in; empty: what the browser asks for. */
export async function changeLanguage(
  deps: {
    readonly accounts: Pick<AccountStore, 'setLanguage'>
    readonly sessions: Pick<Sessions, 'reread'>
    readonly audit: Audit
    readonly clock: Clock
  },
  { account, session, context }: ChangedBy,
  language: Account['language'],
): Promise<void> {
  if (account.language === language) return
  await deps.accounts.setLanguage(account.id, language, deps.clock.now())
  deps.sessions.reread()
  deps.audit(
    { event: 'account.changed', outcome: 'success', detail: 'language' },
    auditContext(context, { account, session }),
  )
}

type Ends = { readonly sessions: Pick<Sessions, 'ofUser' | 'end' | 'endOfUser'> }

/** Ends one of the account's sessions. Somebody else's is as unknown as one that is gone. */
export async function endOwnSession(
  deps: Ends & { readonly audit: Audit },
  { account, context }: ChangedBy,
  id: SessionId | undefined,
): Promise<'ended' | 'unknown'> {
  const own = (await deps.sessions.ofUser(account.id)).find((one) => one.id === id)
  if (own === undefined || !(await deps.sessions.end(own.id))) return 'unknown'
  deps.audit(
    { event: 'session.ended', outcome: 'success', reason: 'revoked' },
    auditContext(context, { account, session: own }),
  )
  return 'ended'
}

/** Ends all of the account's sessions but this one; gives how many. */
export async function endOtherSessions(
  deps: Ends & { readonly audit: Audit },
  { account, session, context }: ChangedBy,
): Promise<number> {
  const others = (await deps.sessions.ofUser(account.id)).filter(({ id }) => id !== session.id)
  await deps.sessions.endOfUser(account.id, session.id)
  for (const one of others) {
    deps.audit(
      { event: 'session.ended', outcome: 'success', reason: 'revoked' },
      auditContext(context, { account, session: one }),
    )
  }
  return others.length
}
