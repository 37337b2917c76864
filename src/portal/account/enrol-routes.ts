import type { Account } from '../../accounts/account.ts'
import { freeLabel, readLabel } from '../../factors/device-label.ts'
import {
  MAX_TOTP_DEVICES,
  otpauthUri,
  parseTotpCode,
  type TotpSecret,
} from '../../factors/totp/totp.ts'
import { totpQrSvg } from '../../factors/totp/totp-qr.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { totpEnrolPage } from '../../pages/account/totp-enrol-page.ts'
import { PATHS } from '../../pages/paths.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { TotpEnrolView } from '../../pages/views.ts'
import { rememberDevice } from '../known-devices.ts'
import { noting } from '../noting.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import { follow } from '../returning.ts'
import type { Route } from '../route.ts'
import {
  currentSession,
  freshSession,
  loginContext,
  noSessionCookie,
  redirect,
  sessionCookie,
  tooMany,
  toPage,
} from '../signing-in.ts'
import { freshCodes } from './recovery-code-routes.ts'

/** Setting up an authenticator app. */
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
        const taken = (await deps.totp.devices(account.id)).map((device) => device.label)
        if (taken.length >= MAX_TOTP_DEVICES) return redirect(FULL)
        const secret =
          (await deps.totp.enrolmentOf(account.id)) ?? (await deps.totp.startEnrolment(account.id))
        const required = query.has('required')
        return enrolPage(deps, visit, 200, account, secret, { returnTicket, required, taken })
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
        const required = form.has('required')
        const taken = (await deps.totp.devices(account.id)).map((device) => device.label)
        if (taken.length >= MAX_TOTP_DEVICES) return redirect(FULL)
        const typed = readLabel(form.value('label'))
        const label = typed === '' ? defaultLabel(deps, visit) : typed
        const secret = await deps.totp.enrolmentOf(account.id)
        const again = { returnTicket, label, required, taken }
        if (secret === undefined) {
          // Loaded again after it went well: the codes that came then are not shown twice.
          if (deps.shownCodes.get(session.id) !== undefined) {
            return toPage(PATHS.newRecoveryCodes, returnTicket)
          }
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
          const drift = outcome.kind === 'refused' ? outcome.drift : undefined
          return enrolPage(deps, visit, 422, account, secret, {
            ...again,
            problem: 'wrong',
            ...(drift === undefined ? {} : { drift }),
          })
        }
        const cookies = [
          sessionCookie(deps, visit, outcome.issued),
          rememberDevice(deps.keys, visit, account.id),
        ]
        const { left } = await deps.recoveryCodes.left(account.id)
        if (left > 0) {
          const location = await follow(deps, visit, returnTicket)
          return redirect(noting(visit, location, 'totp_added'), cookies)
        }
        return freshCodes(deps, visit, outcome.issued.session, account, returnTicket, cookies)
      },
    },
  ]
}

const FULL = `${PATHS.account}?notice=totp_full`

/** What most people would call it. */
function defaultLabel(deps: PortalDeps, visit: Visit): string {
  return catalogue(deps.frame.language(visit)).device.defaultName
}

function enrolPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  account: Account,
  secret: TotpSecret,
  view: Pick<TotpEnrolView, 'returnTicket' | 'required' | 'problem' | 'drift'> & {
    /** As typed; absent: the usual name, with a number if need be. */
    readonly label?: string
    readonly taken: readonly string[]
  },
): Answer {
  const { taken, label = freeLabel(defaultLabel(deps, visit), taken), ...rest } = view
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
        label,
        ...rest,
      }),
    { self: toSelf(`${PATHS.newTotp}${view.required ? '?required=1' : ''}`, view.returnTicket) },
  )
}
