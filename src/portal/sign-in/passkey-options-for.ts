import type { Visit } from '../../http/visit.ts'
import { secondStepPurpose } from '../../login/passkey-login.ts'
import type { Session } from '../../sessions/session.ts'
import type { PortalDeps } from '../portal-deps.ts'

/**
 * What the sign-in page asks a browser with; nothing where passkeys do not work. The challenge is
 * for the browser that this form token belongs to.
 */
export function signInOptions(
  deps: Pick<PortalDeps, 'passkeys'>,
  visit: Visit,
  formToken: string,
): { readonly passkeyOptions?: string } {
  if (!deps.passkeys.usableAt(visit.site.origin)) return {}
  const purpose = { ceremony: 'sign_in', userId: '', holder: formToken } as const
  return { passkeyOptions: deps.passkeys.request(purpose, []) }
}

/** What the page of the second step asks with: one of this account's. */
export async function secondStepOptions(
  deps: Pick<PortalDeps, 'passkeys'>,
  visit: Visit,
  session: Session,
  ceremony: 'second_step' | 'confirm',
): Promise<{ readonly options?: string }> {
  if (!deps.passkeys.usableAt(visit.site.origin)) return {}
  const allowed = await deps.passkeys.ofUser(session.userId)
  if (allowed.length === 0) return {}
  return { options: deps.passkeys.request(secondStepPurpose(ceremony, session), allowed) }
}
