import { parseSessionId } from '../../identity/principal.ts'
import { endOtherSessions, endOwnSession } from '../../login/account-changes.ts'
import { auditContext } from '../../login/step.ts'
import { PATHS } from '../../pages/paths.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { SIGNED_OUT } from '../sign-out-routes.ts'
import {
  currentSession,
  freshSession,
  loginContext,
  noSessionCookie,
  redirect,
} from '../signing-in.ts'

/** Ending sessions from the account page. */
export function sessionRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'POST',
      path: PATHS.endSession,
      handle: async (visit, form) => {
        const current = await currentSession(deps, visit)
        const id = parseSessionId(form.value('session'))
        const context = loginContext(deps, visit)
        if (current.kind !== 'none' && current.session.id === id) {
          // One's own is signed out of, with no more proof than signing out needs.
          await deps.sessions.end(id)
          deps.audit(
            { event: 'session.ended', outcome: 'success', reason: 'sign_out' },
            auditContext(context, current),
          )
          return redirect(SIGNED_OUT, [noSessionCookie(visit)])
        }
        const fresh = await freshSession(deps, visit, current, '')
        if (fresh.kind === 'first') return fresh.answer
        // Somebody else's session, or one that is gone, ends nothing and says nothing.
        await endOwnSession(deps, { ...fresh, context }, id)
        return redirect(`${PATHS.account}?notice=session_ended`)
      },
    },
    {
      method: 'POST',
      path: PATHS.endOtherSessions,
      handle: async (visit) => {
        const fresh = await freshSession(deps, visit, await currentSession(deps, visit), '')
        if (fresh.kind === 'first') return fresh.answer
        await endOtherSessions(deps, { ...fresh, context: loginContext(deps, visit) })
        return redirect(`${PATHS.account}?notice=others_ended`)
      },
    },
  ]
}
