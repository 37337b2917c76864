import type { Account } from '../accounts/account.ts'
import type { AuditEvent } from '../audit/audit.ts'
import { createMailService } from '../compose/mail.ts'
import type { Vault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { systemClock } from '../lib/clock.ts'
import { auditFromCli } from './cli-audit.ts'

/**
 * Writes down what an operator did to an account, and the mail its owner is told of it by, which a
 * running server sends. A mail that cannot be written keeps nothing from being done.
 * @throws AppError `store_unavailable`
 */
export async function auditAndTell(
  vault: Vault,
  settings: Settings,
  event: AuditEvent,
  account: Pick<Account, 'id' | 'name'>,
): Promise<void> {
  await auditFromCli(vault, event, account)
  const log = { info: () => {}, warn: () => {} }
  const mail = createMailService({ ...vault, clock: systemClock, log }, settings)
  mail.audit(event, { user: account.name, userId: account.id })
  await mail.settled()
}
