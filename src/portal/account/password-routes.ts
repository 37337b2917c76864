import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { Secret } from '../../lib/secret.ts'
import { unreachable } from '../../lib/unreachable.ts'
import {
  type ChangePasswordView,
  changePasswordPage,
} from '../../pages/account/change-password-page.ts'
import { PATHS } from '../../pages/paths.ts'
import type { Session } from '../../sessions/session.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { lacksSecond } from '../sign-in/owing.ts'
import { bestWayPath } from '../sign-in/ways.ts'
import {
  arrive,
  currentSession,
  type Fresh,
  freshSession,
  loginContext,
  noSessionCookie,
  tooMany,
  toPage,
} from '../signing-in.ts'

/** Changing one's own password, because one wants to or because one must. */
export function passwordRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.changePassword,
      handle: async (visit, query) => {
        const returnTicket = query.get('rt') ?? ''
        const fresh = await mayChange(deps, visit, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        return show(deps, visit, 200, fresh, { returnTicket, endOthers: true, problems: [] })
      },
    },
    {
      method: 'POST',
      path: PATHS.changePassword,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const fresh = await mayChange(deps, visit, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        const { session, account } = fresh
        const endOthers = form.value('end_others') === '1'
        const again = (status: number, problems: ChangePasswordView['problems']) =>
          show(deps, visit, status, fresh, { returnTicket, endOthers, problems })

        const [current, next] = [form.value('current_password'), form.value('new_password')]
        const noCurrent = deps.passwordChange.asksCurrent(session) && current === ''
        if (noCurrent || next === '') {
          return again(422, [
            ...(noCurrent ? ['empty_current' as const] : []),
            ...(next === '' ? [{ problem: 'empty' as const }] : []),
          ])
        }
        const outcome = await deps.passwordChange.change(
          session,
          account,
          { current: new Secret(current), next: new Secret(next), endOthers },
          loginContext(deps, visit),
        )
        switch (outcome.kind) {
          case 'changed': {
            const answer = await arrive(deps, visit, outcome.account, outcome.issued, returnTicket)
            return toldOnAccountPage(answer)
          }
          case 'wrong':
            return again(422, ['wrong_current'])
          case 'refused':
            return again(422, [outcome.refusal])
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy': {
            const busy = again(503, ['busy'])
            return { ...busy, headers: [...busy.headers, ['Retry-After', '5']] }
          }
          case 'gone':
            return toPage(`${PATHS.login}?notice=session_ended`, returnTicket, [
              noSessionCookie(visit),
            ])
          default:
            return unreachable(outcome)
        }
      },
    },
  ]
}

/**
 * Whoever must change it may do nothing else, and needs no newer proof than that of their sign-in;
 * whoever wants to needs a fresh one, as for every setting.
 */
async function mayChange(deps: PortalDeps, visit: Visit, returnTicket: string): Promise<Fresh> {
  const current = await currentSession(deps, visit)
  if (current.kind === 'pending' && current.owes === 'password') {
    const { session, account } = current
    if (await lacksSecond(deps, session, account)) {
      const path = await bestWayPath(deps, account, { confirm: false })
      return { kind: 'first', answer: toPage(path, returnTicket) }
    }
    return { kind: 'fresh', session, account }
  }
  return freshSession(deps, visit, current, returnTicket)
}

/** Where nobody waits for them, people are told that it is done. */
function toldOnAccountPage(answer: Answer): Answer {
  return {
    ...answer,
    headers: answer.headers.map(([name, value]): readonly [string, string] =>
      name === 'Location' && value === PATHS.account
        ? [name, `${value}?notice=password_changed`]
        : [name, value],
    ),
  }
}

function show(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  {
    session,
    account,
  }: { readonly session: Session; readonly account: Extract<Fresh, { kind: 'fresh' }>['account'] },
  view: Pick<ChangePasswordView, 'returnTicket' | 'endOthers' | 'problems'>,
): Answer {
  const { passwordDue: due } = account
  return deps.frame.page(
    visit,
    status,
    (page) =>
      changePasswordPage(page, {
        username: account.name,
        asked: deps.passwordPolicy.asked,
        ...(due === '' ? {} : { due }),
        asksCurrent: deps.passwordChange.asksCurrent(session),
        ...view,
      }),
    { self: toSelf(PATHS.changePassword, view.returnTicket) },
  )
}
