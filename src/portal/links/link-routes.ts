import { unreachable } from '../../lib/unreachable.ts'
import { signInLinkPage } from '../../pages/links/link-page.ts'
import { PATHS } from '../../pages/paths.ts'
import { LINK_SESSION_FOR } from '../../sessions/sessions.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { endPrevious } from '../sign-in/login-routes.ts'
import { loginContext, redirect, sessionCookie, tooMany } from '../signing-in.ts'
import { linkGone, oneTimePage } from './one-time-page.ts'

/** An operator's way in for somebody who is locked out. A link alone signs nobody in. */
export function linkRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.signInLink,
      handle: async (visit, query) => {
        const token = query.get('token') ?? ''
        const peek = await deps.signInLinks.open(token)
        if (peek.kind !== 'open') return linkGone(deps, visit, peek.kind)
        const view = { token, username: peek.account.name, lasts: LINK_SESSION_FOR }
        return oneTimePage(deps, visit, 200, (page) => signInLinkPage(page, view), {
          path: PATHS.signInLink,
          token,
        })
      },
    },
    {
      method: 'POST',
      path: PATHS.signInLink,
      handle: async (visit, form) => {
        const outcome = await deps.signInLinks.use(form.value('token'), loginContext(deps, visit))
        switch (outcome.kind) {
          case 'signed_in':
            await endPrevious(deps, visit)
            // The browser may be anybody's: it is not remembered as one the owner signs in from.
            return redirect(PATHS.account, [sessionCookie(deps, visit, outcome.issued)])
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'expired':
          case 'gone':
            return linkGone(deps, visit, outcome.kind)
          default:
            return unreachable(outcome)
        }
      },
    },
  ]
}
