import { levelOf, parseSessionId } from '../identity/principal.ts'
import { accountPage } from '../pages/account-page.ts'
import { PATHS } from '../pages/paths.ts'
import { describeUserAgent } from '../pages/user-agent.ts'
import type { AccountView } from '../pages/views.ts'
import { auditTrail, type PortalDeps } from './portal-deps.ts'
import type { Route } from './route.ts'
import { currentSession, redirect, toPage } from './signing-in.ts'

const NOTICES: ReadonlySet<string> = new Set([
  'session_ended',
  'others_ended',
  'recovery_used',
  'totp_added',
  'codes_saved',
] satisfies NonNullable<AccountView['notice']>[])

/** Who I am, my factors, my sessions. */
export function accountRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/.sallyport/',
      handle: async () => redirect(PATHS.account),
    },
    {
      method: 'GET',
      path: PATHS.account,
      handle: async (visit, query) => {
        const current = await currentSession(deps, visit)
        const back = deps.tickets.issue(`${visit.site.origin}${PATHS.account}`)
        if (current.kind === 'none') return toPage(PATHS.login, back)
        if (current.kind === 'pending') return toPage(PATHS.totp, back)
        const { account, session } = current
        const devices = await deps.totp.devices(account.id)
        if (devices.length > 0 && current.principal.level === 'one_factor') {
          return toPage(PATHS.totp, back)
        }
        const codes = await deps.recoveryCodes.left(account.id)
        const sessions = await deps.sessions.ofUser(account.id)
        const notice = query.get('notice') ?? ''
        const view: AccountView = {
          username: account.name,
          displayName: account.displayName,
          email: account.email,
          groups: account.groups,
          level: levelOf(session.factors),
          totp: devices.map((device) => ({ label: device.label, addedAt: device.createdAt })),
          ...(codes.total === 0 ? {} : { codesLeft: codes.left, codesTotal: codes.total }),
          sessions: sessions
            .filter((one) => one.stage === 'complete')
            .map((one) => ({
              id: one.id,
              current: one.id === session.id,
              ...describeUserAgent(one.userAgent),
              address: one.address,
              startedAt: one.createdAt,
              lastSeenAt: one.lastSeenAt,
              endsAt: one.endsAt,
            }))
            .sort((a, b) => Number(b.current) - Number(a.current) || b.lastSeenAt - a.lastSeenAt),
          ...(NOTICES.has(notice) ? { notice: notice as NonNullable<AccountView['notice']> } : {}),
        }
        return deps.frame.page(visit, 200, (page) => accountPage(page, view))
      },
    },
    {
      method: 'POST',
      path: PATHS.endSession,
      handle: async (visit, form) => {
        const current = await currentSession(deps, visit)
        if (current.kind !== 'active') return toPage(PATHS.login, '')
        const id = parseSessionId(form.value('session'))
        const own = (await deps.sessions.ofUser(current.account.id)).find((one) => one.id === id)
        // Somebody else's session, or one that is gone, ends nothing and says nothing.
        if (own !== undefined && (await deps.sessions.end(own.id))) {
          deps.audit(
            { event: 'session.ended', outcome: 'success', reason: 'revoked' },
            { ...auditTrail(visit, current.account), session: own.id },
          )
        }
        return redirect(`${PATHS.account}?notice=session_ended`)
      },
    },
    {
      method: 'POST',
      path: PATHS.endOtherSessions,
      handle: async (visit) => {
        const current = await currentSession(deps, visit)
        if (current.kind !== 'active') return toPage(PATHS.login, '')
        const others = (await deps.sessions.ofUser(current.account.id)).filter(
          (one) => one.id !== current.session.id,
        )
        await deps.sessions.endOfUser(current.account.id, current.session.id)
        for (const one of others) {
          deps.audit(
            { event: 'session.ended', outcome: 'success', reason: 'revoked' },
            { ...auditTrail(visit, current.account), session: one.id },
          )
        }
        return redirect(`${PATHS.account}?notice=others_ended`)
      },
    },
  ]
}
