import type { Account } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import { networkKey } from '../lib/network.ts'
import { BUDGETS } from '../limits/budgets.ts'
import type { Limiter } from '../limits/limiter.ts'

/** An answer that turned a request away. */
export type Refusal = {
  readonly status: number
  /** In a word, e.g. `not_granted`, a budget's name, `upstream_timeout`. */
  readonly reason: string
  readonly app?: string
  /** The rule's name: its place in the app's list. */
  readonly rule?: string
  /** Who was signed in. */
  readonly account?: Pick<Account, 'id' | 'name'>
}

/**
 * Makes an audit event of each refusal, so that the reference on its page can be explained. Of one
 * network only so many a minute: whoever sends more has read the first ones.
 */
export function createRefusals(deps: {
  readonly audit: Audit
  readonly limiter: Limiter
}): (visit: Visit, refusal: Refusal) => void {
  return (visit, { status, reason, app, rule, account }) => {
    const network = networkKey(visit.client.address)
    if (deps.limiter.take(BUDGETS.refusalsKept, network).kind === 'limited') return
    deps.audit(
      {
        event: 'request.refused',
        outcome: status === 429 ? 'limited' : status < 500 ? 'deny' : 'failure',
        reason,
        status: `${status}`,
        ...(app === undefined ? {} : { app }),
        ...(rule === undefined ? {} : { rule }),
        method: visit.method,
        host: visit.host.name,
        path: visit.target.split('?', 1)[0] ?? '',
      },
      {
        requestId: visit.requestId,
        clientIp: visit.client.address,
        userAgent: firstHeader(visit.headers, 'user-agent') ?? '',
        ...(account === undefined ? {} : { user: account.name, userId: account.id }),
      },
    )
  }
}
