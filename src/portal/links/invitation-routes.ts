import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { Secret } from '../../lib/secret.ts'
import { unreachable } from '../../lib/unreachable.ts'
import type { InvitationProblem, OpenInvitation } from '../../login/invitation.ts'
import { type InvitationView, invitationPage } from '../../pages/links/invitation-page.ts'
import { PATHS } from '../../pages/paths.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { endPrevious } from '../sign-in/login-routes.ts'
import { loginContext, tooMany } from '../signing-in.ts'
import { linkGone, oneTimePage } from './one-time-page.ts'
import { enrolFirst } from './setup-routes.ts'

/** An account of one's own, by invitation. */
export function invitationRoutes(deps: PortalDeps): readonly Route[] {
  const show = (
    visit: Visit,
    status: number,
    invitation: OpenInvitation,
    view: Omit<InvitationView, 'asked' | 'email' | 'givenName'>,
  ): Answer =>
    oneTimePage(
      deps,
      visit,
      status,
      (page) =>
        invitationPage(page, {
          ...view,
          email: invitation.email,
          givenName: invitation.name,
          asked: deps.passwordPolicy.asked,
        }),
      { path: PATHS.invitation, token: view.token },
    )

  return [
    {
      method: 'GET',
      path: PATHS.invitation,
      handle: async (visit, query) => {
        const token = query.get('token') ?? ''
        const peek = await deps.invitations.open(token)
        if (peek.kind !== 'open') return linkGone(deps, visit, peek.kind)
        return show(visit, 200, peek, { token, username: '', displayName: '', problems: [] })
      },
    },
    {
      method: 'POST',
      path: PATHS.invitation,
      handle: async (visit, form) => {
        const token = form.value('token')
        const typed = {
          username: form.value('username'),
          displayName: form.value('display_name'),
        }
        const outcome = await deps.invitations.accept(
          token,
          { ...typed, password: new Secret(form.value('password')) },
          loginContext(deps, visit),
        )
        switch (outcome.kind) {
          case 'created':
            await endPrevious(deps, visit)
            return enrolFirst(deps, visit, outcome.issued)
          case 'invalid':
            return show(visit, 422, outcome.invitation, {
              token,
              ...typed,
              problems: outcome.problems.flatMap(shown),
            })
          case 'busy': {
            const view = { token, ...typed, problems: [], problem: 'busy' as const }
            return show(visit, 503, outcome.invitation, view)
          }
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

function shown(problem: InvitationProblem): InvitationView['problems'] {
  const { field, ...rest } = problem
  return field === 'groups' ? [] : [{ field, ...rest }]
}
