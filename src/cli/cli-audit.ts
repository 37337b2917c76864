import type { Account } from '../accounts/account.ts'
import type { AuditEvent } from '../audit/audit.ts'
import { auditRow } from '../audit/audit-trail.ts'
import type { Vault } from '../compose/vault.ts'
import { systemClock } from '../lib/clock.ts'
import { VERSION } from '../lib/version.ts'

/**
 * Writes down what an operator did by the command line. It is on disk when the promise resolves.
 * @throws AppError `store_unavailable`
 */
export async function auditFromCli(
  vault: Pick<Vault, 'store'>,
  event: AuditEvent,
  account?: Pick<Account, 'id' | 'name'>,
): Promise<void> {
  const context = {
    userAgent: `sallyport/${VERSION} (command line)`,
    ...(account === undefined ? {} : { user: account.name, userId: account.id }),
  }
  await vault.store.audit.add([auditRow(event, context, systemClock.now())])
}
