import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { isOverdue } from '../../identity/principal.ts'
import { PATHS } from '../../pages/paths.ts'
import type { AddableFactor } from '../../pages/sign-in/confirm-page.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import { currentSession, toPage } from '../signing-in.ts'

/**
 * Where an account is led that should have a second factor by now and has proved none: of its own
 * pages, only those where it adds one are open to it. `undefined`: the page may answer.
 */
export async function overdueFirst(deps: PortalDeps, visit: Visit): Promise<Answer | undefined> {
  if (!isClosed(visit.target.split('?', 1)[0] ?? '')) return undefined
  const current = await currentSession(deps, visit)
  if (current.kind !== 'active' || !isOverdue(current.principal, deps.clock.now())) return undefined
  return toPage(PATHS.secondFactorDue, '')
}

/** What can be added as a second factor, best first, on the way to where the ticket leads. */
export function addable(
  deps: PortalDeps,
  visit: Visit,
  returnTicket: string,
): readonly AddableFactor[] {
  const totp = { kind: 'totp', path: toSelf(PATHS.newTotp, returnTicket) } as const
  if (!deps.passkeys.usableAt(visit.site.origin)) return [totp]
  return [{ kind: 'passkey', path: toSelf(PATHS.newPasskey, returnTicket) }, totp]
}

function isClosed(path: string): boolean {
  if (OPEN.has(path)) return false
  return path === PATHS.launcher || path === PATHS.changePassword || path.startsWith(PATHS.account)
}

/** Adding a factor, and what belongs to it. */
const OPEN: ReadonlySet<string> = new Set([
  PATHS.secondFactorDue,
  PATHS.newTotp,
  PATHS.newPasskey,
  PATHS.phone,
  PATHS.verifyPhone,
])
