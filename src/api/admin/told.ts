import type { Account } from '../../accounts/account.ts'
import type { AuditEvent } from '../../audit/audit.ts'
import { auditContext } from '../../login/step.ts'
import type { Session } from '../../sessions/session.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { ApiCall } from '../route.ts'

/** A call of an administrator's, whatever it carries. */
export type AdminCall = Pick<ApiCall<'admin', undefined, undefined>, 'context' | 'caller'>

/** Writes down what an administrator did, to whom, and who it was. */
export function tell(
  deps: Pick<ApiDeps, 'audit'>,
  { context, caller }: AdminCall,
  event: AuditEvent,
  about: { readonly account?: Account | undefined; readonly session?: Session } = {},
): void {
  const { account, session } = about
  deps.audit(event, {
    ...auditContext(
      { requestId: context.requestId, address: context.address, userAgent: context.userAgent },
      {
        ...(account === undefined ? {} : { account }),
        ...(session === undefined ? {} : { session }),
      },
    ),
    by: caller.account.name,
  })
}
