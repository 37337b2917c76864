import { PATHS } from '../pages/paths.ts'
import { signOutPage } from '../pages/sign-out-page.ts'
import { signedOutPage } from '../pages/signed-out-page.ts'
import { auditTrail, type PortalDeps } from './portal-deps.ts'
import { askedReturn } from './returning.ts'
import type { Route } from './route.ts'
import { currentSession, noSessionCookie, redirect, toPage } from './signing-in.ts'

/** Where signing out leads. */
export const SIGNED_OUT = '/.sallyport/signed-out'

/** Signing out. A link alone ends nothing: it shows a page with one button. */
export function signOutRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.logout,
      handle: async (visit, query) => {
        const current = await currentSession(deps, visit)
        const leadsTo = askedReturn(deps, visit, query)
        if (current.kind === 'none') return redirect(leadsTo ?? SIGNED_OUT)
        return deps.frame.page(visit, 200, (page) =>
          signOutPage(page, {
            username: current.account.name,
            ...(leadsTo === undefined ? {} : { leadsTo }),
          }),
        )
      },
    },
    {
      method: 'POST',
      path: PATHS.logout,
      handle: async (visit, form) => {
        const current = await currentSession(deps, visit)
        if (current.kind !== 'none') {
          await deps.sessions.end(current.session.id)
          deps.audit(
            { event: 'session.ended', outcome: 'success', reason: 'sign_out' },
            { ...auditTrail(visit, current.account), session: current.session.id },
          )
        }
        // "Use another account" keeps the way back to where this person was going.
        const returnTicket = form.value('rt')
        if (deps.tickets.read(returnTicket) !== undefined) {
          return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
        }
        // As our page had it, or as an app's own form has it: judged here in any case.
        const asked = form.has('rd')
          ? new URLSearchParams({ rd: form.value('rd') })
          : new URLSearchParams(visit.target.split('?')[1] ?? '')
        return redirect(askedReturn(deps, visit, asked) ?? SIGNED_OUT, [noSessionCookie(visit)])
      },
    },
    {
      method: 'GET',
      path: SIGNED_OUT,
      handle: async (visit) =>
        deps.frame.page(visit, 200, (page) => signedOutPage(page, { loginPath: PATHS.launcher })),
    },
  ]
}
