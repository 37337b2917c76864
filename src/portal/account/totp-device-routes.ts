import type { Account } from '../../accounts/account.ts'
import { readLabel } from '../../factors/device-label.ts'
import type { ShownDevice } from '../../factors/totp/totp.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { removeOwnFactor, renameOwnTotp } from '../../login/factor-changes.ts'
import { type TotpDeviceView, totpDevicePage } from '../../pages/account/totp-device-page.ts'
import { askPage } from '../../pages/ask-page.ts'
import { withQuery } from '../../pages/link.ts'
import { PATHS } from '../../pages/paths.ts'
import { problemPage } from '../../pages/problems/problem-page.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import {
  currentSession,
  freshSession,
  loginContext,
  noSessionCookie,
  redirect,
  sessionCookie,
  toPage,
} from '../signing-in.ts'

/** One authenticator app: another name for it, or its end. */
export function totpDeviceRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.totpDevice,
      handle: async (visit, query) => {
        const found = await ownDevice(deps, visit, query.get('id') ?? '')
        if (found.kind === 'first') return found.answer
        return renamePage(deps, visit, 200, found.device)
      },
    },
    {
      method: 'POST',
      path: PATHS.totpDevice,
      handle: async (visit, form) => {
        const found = await ownDevice(deps, visit, form.value('id'))
        if (found.kind === 'first') return found.answer
        const { device, account, session } = found
        const label = readLabel(form.value('label'))
        if (label === '') {
          return renamePage(deps, visit, 422, { id: device.id, label, problem: 'empty' })
        }
        const by = { account, session, context: loginContext(deps, visit) }
        const named = await renameOwnTotp(deps, by, device.id, label)
        if (named === undefined) return notFound(deps, visit)
        return redirect(`${PATHS.account}?notice=totp_renamed`)
      },
    },
    {
      method: 'GET',
      path: PATHS.removeTotp,
      handle: async (visit, query) => {
        const found = await ownDevice(deps, visit, query.get('id') ?? '')
        if (found.kind === 'first') return found.answer
        const allowed = await deps.duty.mayRemove(found.account, 'totp')
        return removePage(deps, visit, found, allowed)
      },
    },
    {
      method: 'POST',
      path: PATHS.removeTotp,
      handle: async (visit, form) => {
        const found = await ownDevice(deps, visit, form.value('id'))
        if (found.kind === 'first') return found.answer
        const { device, account, session } = found
        const by = { account, session, context: loginContext(deps, visit) }
        const factor = { kind: 'totp', id: device.id } as const
        const removal = await removeOwnFactor(deps, by, factor, device.label)
        switch (removal.kind) {
          case 'needed':
            return removePage(deps, visit, found, false)
          case 'session_gone':
            return toPage(PATHS.login, '', [noSessionCookie(visit)])
          case 'unknown':
            return redirect(`${PATHS.account}?notice=totp_removed`)
          case 'removed':
            return redirect(`${PATHS.account}?notice=totp_removed`, [
              sessionCookie(deps, visit, removal.issued),
            ])
          default:
            return unreachable(removal)
        }
      },
    },
  ]
}

type Found = {
  readonly kind: 'found'
  readonly session: Session
  readonly account: Account
  readonly device: ShownDevice
}

/** The device, for its owner with a fresh proof; another's is as good as none. */
async function ownDevice(
  deps: PortalDeps,
  visit: Visit,
  id: string,
): Promise<Found | { readonly kind: 'first'; readonly answer: Answer }> {
  const fresh = await freshSession(deps, visit, await currentSession(deps, visit), '')
  if (fresh.kind === 'first') return fresh
  const { session, account } = fresh
  const device = (await deps.totp.devices(account.id)).find((one) => one.id === id)
  if (device === undefined) return { kind: 'first', answer: notFound(deps, visit) }
  return { kind: 'found', session, account, device }
}

function notFound(deps: PortalDeps, visit: Visit): Answer {
  return deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'not_found' }))
}

function renamePage(deps: PortalDeps, visit: Visit, status: number, view: TotpDeviceView): Answer {
  return deps.frame.page(visit, status, (page) => totpDevicePage(page, view), {
    self: withQuery(PATHS.totpDevice, 'id', view.id),
  })
}

async function removePage(
  deps: PortalDeps,
  visit: Visit,
  { account, device }: Found,
  allowed: boolean,
): Promise<Answer> {
  const { totp, passkeys, sms } = await deps.enrolled.of(account.id)
  const last = totp === 1 && passkeys === 0 && !sms
  const status = allowed ? 200 : 422
  return deps.frame.page(
    visit,
    status,
    (page) => {
      const words = catalogue(page.language).device
      return askPage(page, {
        title: words.removeTitle(device.label),
        lead: allowed && last ? `${words.removeLead} ${words.removeLast}` : words.removeLead,
        submit: words.removeSubmit,
        backPath: PATHS.account,
        fields: { id: device.id },
        ...(allowed ? {} : { refused: words.removeRefused }),
      })
    },
    { self: withQuery(PATHS.removeTotp, 'id', device.id) },
  )
}
