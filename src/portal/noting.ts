import type { Visit } from '../http/visit.ts'
import type { AccountNotice } from '../pages/account/account-page.ts'
import { PATHS } from '../pages/paths.ts'

/** The same address; where it is the account page's, that one says what was just done. */
export function noting(visit: Visit, location: string, notice: AccountNotice): string {
  const { origin } = visit.site
  const account = new URL(PATHS.account, origin).href
  return new URL(location, origin).href === account ? `${PATHS.account}?notice=${notice}` : location
}
