import type { Account } from '../../accounts/account.ts'
import type { Visit } from '../../http/visit.ts'
import { DAY } from '../../lib/duration.ts'
import type { Form } from '../form.ts'
import type { PortalDeps } from '../portal-deps.ts'

/** A passkey that was put off is offered again after this, and this often in all. */
const AGAIN_AFTER = 30 * DAY
const MOST_OFFERS = 3

/**
 * Whether somebody who has just signed in is offered a passkey: their browser said that it can
 * keep one, they have none, and they did not put it off lately.
 */
export async function isPasskeyDue(
  deps: Pick<PortalDeps, 'passkeys' | 'clock'>,
  visit: Visit,
  account: Account,
  form: Form,
): Promise<boolean> {
  if (form.value('pk') !== '1' || !deps.passkeys.offered) return false
  if (!deps.passkeys.usableAt(visit.site.origin) || account.passwordDue !== '') return false
  const { count, lastAt } = account.passkeyOffers
  if (count >= MOST_OFFERS || deps.clock.now() - lastAt < AGAIN_AFTER) return false
  return (await deps.passkeys.ofUser(account.id)).length === 0
}
