import type { Account } from '../accounts/account.ts'
import { otpauthUri, parseTotpCode, type TotpSecret } from '../factors/totp.ts'
import { totpQrSvg } from '../factors/totp-qr.ts'
import type { Answer } from '../http/answer.ts'
import type { Visit } from '../http/visit.ts'
import { PATHS } from '../pages/paths.ts'
import { recoveryCodesPage } from '../pages/recovery-codes-page.ts'
import { totpEnrolPage } from '../pages/totp-enrol-page.ts'
import type { TotpEnrolView } from '../pages/views.ts'
import type { Session } from '../sessions/session.ts'
import { rememberDevice } from './known-devices.ts'
import { toSelf } from './own-links.ts'
import { auditTrail, type PortalDeps } from './portal-deps.ts'
import { follow } from './returning.ts'
import type { Route } from './route.ts'
import type { ShownCodes } from './shown-codes.ts'
import {
  currentSession,
  freshSession,
  loginContext,
  noSessionCookie,
  redirect,
  sessionCookie,
  tooMany,
  toPage,
} from './signing-in.ts'

/** Where the page with fresh recovery codes leads on from. */
export const CODES_SAVED = `${PATHS.newRecoveryCodes}/saved`

/** Setting up a TOTP device, and making recovery codes. */
export function enrolRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.newTotp,
      handle: async (visit, query) => {
        const returnTicket = query.get('rt') ?? ''
        const fresh = await freshSession(
          deps,
          visit,
          await currentSession(deps, visit),
          returnTicket,
        )
        if (fresh.kind === 'first') return fresh.answer
        const { account } = fresh
        const secret =
          (await deps.totp.enrolmentOf(account.id)) ?? (await deps.totp.startEnrolment(account.id))
        const required = query.has('required')
        return enrolPage(deps, visit, 200, account, secret, { returnTicket, required, label: '' })
      },
    },
    {
      method: 'POST',
      path: PATHS.newTotp,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const current = await currentSession(deps, visit)
        const fresh = await freshSession(deps, visit, current, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        const { session, account } = fresh
        const label = form.value('label').slice(0, 64).trim()
        const required = form.has('required')
        const secret = await deps.totp.enrolmentOf(account.id)
        const again = { returnTicket, label, required }
        if (secret === undefined) {
          const next = await deps.totp.startEnrolment(account.id)
          return enrolPage(deps, visit, 422, account, next, { ...again, problem: 'expired' })
        }
        const code = parseTotpCode(form.value('totp'))
        if (code.kind !== 'ok') {
          return enrolPage(deps, visit, 422, account, secret, { ...again, problem: code.kind })
        }
        const outcome = await deps.login.withNewTotp(
          session,
          account,
          { code: code.code, label },
          loginContext(deps, visit),
        )
        if (outcome.kind === 'limited') return tooMany(deps, visit, outcome.budget, outcome.take)
        if (outcome.kind === 'gone')
          return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
        if (outcome.kind !== 'signed_in') {
          return enrolPage(deps, visit, 422, account, secret, { ...again, problem: 'wrong' })
        }
        const cookies = [
          sessionCookie(deps, visit, outcome.issued),
          rememberDevice(deps.keys, visit, account.id),
        ]
        const { left } = await deps.recoveryCodes.left(account.id)
        if (left > 0) {
          const location = await follow(deps, visit, returnTicket)
          const noted = location === PATHS.account ? `${location}?notice=totp_added` : location
          return redirect(noted, cookies)
        }
        return freshCodes(deps, visit, outcome.issued.session, account, returnTicket, cookies)
      },
    },
    {
      method: 'POST',
      path: PATHS.newRecoveryCodes,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const current = await currentSession(deps, visit)
        const fresh = await freshSession(deps, visit, current, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        if (!(await deps.totp.hasDevice(fresh.account.id)))
          return toPage(PATHS.newTotp, returnTicket)
        return freshCodes(deps, visit, fresh.session, fresh.account, returnTicket, [])
      },
    },
    {
      method: 'POST',
      path: CODES_SAVED,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const current = await currentSession(deps, visit)
        if (current.kind !== 'active') return toPage(PATHS.login, returnTicket)
        const { session, account } = current
        const codes = deps.shownCodes.get(session.id)
        if (codes !== undefined && form.value('saved') === '') {
          return codesPage(deps, visit, 422, { account, codes, returnTicket, problem: 'not_saved' })
        }
        deps.shownCodes.delete(session.id)
        const location = await follow(deps, visit, returnTicket)
        return redirect(location === PATHS.account ? `${location}?notice=codes_saved` : location)
      },
    },
  ]
}

/** New codes, stored before they are shown. */
async function freshCodes(
  deps: PortalDeps,
  visit: Visit,
  session: Session,
  account: Account,
  returnTicket: string,
  cookies: readonly string[],
): Promise<Answer> {
  const made = await deps.recoveryCodes.create(account.id)
  if (made.kind === 'busy') {
    // The device counts already; the codes can be made from the account page.
    return redirect(PATHS.account, cookies)
  }
  deps.audit(
    { event: 'factor.recovery_codes_created', outcome: 'success' },
    auditTrail(visit, account),
  )
  const codes = { codes: made.codes, createdAt: deps.clock.now() }
  deps.shownCodes.set(session.id, codes)
  return codesPage(deps, visit, 200, { account, codes, returnTicket }, cookies)
}

function codesPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  view: {
    readonly account: Account
    readonly codes: ShownCodes
    readonly returnTicket: string
    readonly problem?: 'not_saved'
  },
  cookies: readonly string[] = [],
): Answer {
  const { account, codes, ...rest } = view
  return deps.frame.page(
    visit,
    status,
    (page) =>
      recoveryCodesPage(page, {
        username: account.name,
        ...codes,
        continueTo: CODES_SAVED,
        ...rest,
      }),
    { cookies, self: PATHS.account },
  )
}

function enrolPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  account: Account,
  secret: TotpSecret,
  view: Pick<TotpEnrolView, 'returnTicket' | 'required' | 'label' | 'problem'>,
): Answer {
  const base32 = secret.reveal()
  const uri = otpauthUri({ issuer: deps.brandName, account: account.name, secret })
  return deps.frame.page(
    visit,
    status,
    (page) =>
      totpEnrolPage(page, {
        username: account.name,
        issuer: deps.brandName,
        otpauthUri: uri,
        qrSvg: totpQrSvg(uri),
        key: base32.match(/.{1,4}/g)?.join(' ') ?? base32,
        ...view,
      }),
    { self: toSelf(`${PATHS.newTotp}${view.required ? '?required=1' : ''}`, view.returnTicket) },
  )
}
