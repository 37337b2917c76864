import type { Account } from '../accounts/account.ts'
import type { Audit, AuditEvent } from '../audit/audit.ts'
import type { RemovableFactor } from '../factors/factor-removal.ts'
import type { AdditionVerdict, CeremonyAt, Passkeys } from '../factors/passkeys/passkeys.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { Totp } from '../factors/totp/totp.ts'
import type { Clock } from '../lib/clock.ts'
import type { Session } from '../sessions/session.ts'
import type { Issued, Sessions } from '../sessions/sessions.ts'
import type { RemoveFactor } from './factor-removal.ts'
import { auditContext, type LoginContext } from './step.ts'

/** Who changes something of their own account, with a proof that is recent enough. */
export type ChangedBy = {
  readonly session: Session
  readonly account: Account
  readonly context: LoginContext
}

type Noted = { readonly audit: Audit }
type Renews = Noted & { readonly sessions: Pick<Sessions, 'renew'> }

/** What came of a removal. */
export type FactorRemoval =
  | { readonly kind: 'removed'; readonly issued: Issued }
  /** Too little would be left, or there was no such factor; nothing changed. */
  | { readonly kind: 'needed' | 'unknown' }
  /** It is removed, and the session ended meanwhile. */
  | { readonly kind: 'session_gone' }

/**
 * Takes a second factor away, unless the account needs it; the session goes on under a new id.
 *
 * @param label its name, for the audit log
 */
export async function removeOwnFactor(
  deps: Renews & { readonly removeFactor: RemoveFactor },
  by: ChangedBy,
  factor: RemovableFactor,
  label = '',
): Promise<FactorRemoval> {
  const removal = await deps.removeFactor(by.account, factor)
  if (removal !== 'removed') return { kind: removal === 'needed' ? 'needed' : 'unknown' }
  const event = `factor.${factor.kind}_removed` as const
  deps.audit({ event, outcome: 'success', ...(label === '' ? {} : { detail: label }) }, trailOf(by))
  const issued = await deps.sessions.renew(by.session)
  return issued === undefined ? { kind: 'session_gone' } : { kind: 'removed', issued }
}

/** The name it has now, numbered where another has it; `undefined`: the account has no such app. */
export async function renameOwnTotp(
  deps: Noted & { readonly totp: Pick<Totp, 'rename'> },
  by: ChangedBy,
  id: string,
  label: string,
): Promise<string | undefined> {
  const detail = await deps.totp.rename(by.account.id, id, label)
  if (detail === undefined) return undefined
  deps.audit({ event: 'factor.totp_renamed', outcome: 'success', detail }, trailOf(by))
  return detail
}

/** `false`: the account has no such passkey. */
export async function renameOwnPasskey(
  deps: Noted & { readonly passkeys: Pick<Passkeys, 'rename'> },
  by: ChangedBy,
  id: string,
  label: string,
): Promise<boolean> {
  if (!(await deps.passkeys.rename(by.account.id, id, label))) return false
  const event: AuditEvent = { event: 'factor.passkey_renamed', outcome: 'success', detail: label }
  deps.audit(event, trailOf(by))
  return true
}

export type PasskeyAddition =
  | { readonly kind: 'added'; readonly id: string; readonly issued: Issued }
  /** It is added, and the session ended meanwhile. */
  | { readonly kind: 'session_gone' }
  | Exclude<AdditionVerdict, { readonly kind: 'added' }>

/** Adds what a browser's answer brings. It was just proved, so the session rises by it. */
export async function addOwnPasskey(
  deps: Noted & {
    readonly sessions: Pick<Sessions, 'raise'>
    readonly passkeys: Pick<Passkeys, 'add'>
    readonly clock: Clock
  },
  by: ChangedBy,
  answer: {
    readonly json: string
    readonly ceremony: 'register' | 'register_key'
    readonly origin: string
    readonly labelFor: (aaguid: string) => string
  },
): Promise<PasskeyAddition> {
  const { session, account } = by
  const { json, ceremony, origin, labelFor } = answer
  const at: CeremonyAt = { ...creationPurpose(ceremony, session), origin }
  const verdict = await deps.passkeys.add(json, at, account.id, labelFor)
  if (verdict.kind !== 'added') return verdict
  const { id, label, userVerified } = verdict.passkey
  deps.audit({ event: 'factor.passkey_added', outcome: 'success', detail: label }, trailOf(by))
  const kind = userVerified && ceremony === 'register' ? 'passkey' : 'security_key'
  const issued = await deps.sessions.raise(session, { kind, at: deps.clock.now() })
  return issued === undefined ? { kind: 'session_gone' } : { kind: 'added', id, issued }
}

/** What a challenge of such a ceremony is made for. */
export function creationPurpose<Ceremony extends 'register' | 'register_key'>(
  ceremony: Ceremony,
  session: Session,
) {
  return { ceremony, userId: session.userId, holder: session.id }
}

/** New recovery codes, stored before they are given; earlier ones are dead. `busy`: they are not. */
export async function newOwnCodes(
  deps: Noted & { readonly recoveryCodes: Pick<RecoveryCodes, 'create'> },
  by: ChangedBy,
): Promise<Awaited<ReturnType<RecoveryCodes['create']>>> {
  const made = await deps.recoveryCodes.create(by.account.id)
  if (made.kind === 'created') {
    deps.audit({ event: 'factor.recovery_codes_created', outcome: 'success' }, trailOf(by))
  }
  return made
}

function trailOf({ context, account, session }: ChangedBy) {
  return auditContext(context, { account, session })
}
