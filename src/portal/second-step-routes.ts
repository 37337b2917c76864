import type { Account } from '../accounts/account.ts'
import { parseTotpCode } from '../factors/totp.ts'
import type { Answer } from '../http/answer.ts'
import type { Visit } from '../http/visit.ts'
import { unreachable } from '../lib/unreachable.ts'
import type { StepOutcome } from '../login/login.ts'
import { PATHS } from '../pages/paths.ts'
import { recoveryPage } from '../pages/recovery-page.ts'
import { totpPage } from '../pages/totp-page.ts'
import type { SecondStepView } from '../pages/views.ts'
import type { Session } from '../sessions/session.ts'
import { lostCookiePage, sessionCookieLost } from './lost-cookie.ts'
import { toSelf } from './own-links.ts'
import type { PortalDeps } from './portal-deps.ts'
import type { Route } from './route.ts'
import {
  arrive,
  currentSession,
  loginContext,
  noSessionCookie,
  onward,
  tooMany,
  toPage,
} from './signing-in.ts'

type Way = {
  readonly path: typeof PATHS.totp | typeof PATHS.recovery
  readonly field: 'totp' | 'recovery_code'
  readonly render: typeof totpPage
}

const TOTP: Way = { path: PATHS.totp, field: 'totp', render: totpPage }
const RECOVERY: Way = { path: PATHS.recovery, field: 'recovery_code', render: recoveryPage }

/** Six-digit code or recovery code, after the password. */
export function secondStepRoutes(deps: PortalDeps): readonly Route[] {
  return [TOTP, RECOVERY].flatMap((way) => [showWay(deps, way), submitWay(deps, way)])
}

function showWay(deps: PortalDeps, way: Way): Route {
  return {
    method: 'GET',
    path: way.path,
    handle: async (visit, query) => {
      const returnTicket = query.get('rt') ?? ''
      const owing = await whoOwes(deps, visit, returnTicket)
      if (owing.kind === 'elsewhere') return owing.answer
      return page(deps, visit, way, 200, owing.account, returnTicket)
    },
  }
}

function submitWay(deps: PortalDeps, way: Way): Route {
  return {
    method: 'POST',
    path: way.path,
    handle: async (visit, form) => {
      const returnTicket = form.value('rt')
      const owing = await whoOwes(deps, visit, returnTicket)
      if (owing.kind === 'elsewhere') return owing.answer
      const { session, account } = owing
      const again = (problem: SecondStepView['problem'], status = 422) =>
        page(deps, visit, way, status, account, returnTicket, problem)

      const typed = form.value(way.field)
      if (typed.trim() === '') return again('empty')
      const context = loginContext(deps, visit)
      let outcome: StepOutcome
      if (way.field === 'totp') {
        const code = parseTotpCode(typed)
        if (code.kind !== 'ok') return again(code.kind)
        outcome = await deps.login.withTotp(session, account, code.code, context)
      } else {
        outcome = await deps.login.withRecoveryCode(session, account, typed, context)
      }
      switch (outcome.kind) {
        case 'signed_in': {
          const answer = await arrive(deps, visit, account, outcome.issued, returnTicket)
          // Where nobody waits for them, people are told that a code is used up.
          return way.field === 'recovery_code' ? noted(answer, 'recovery_used') : answer
        }
        case 'refused':
          return again('wrong')
        case 'limited':
          return tooMany(deps, visit, outcome.budget, outcome.take)
        case 'busy': {
          const busy = await again('busy', 503)
          return { ...busy, headers: [...busy.headers, ['Retry-After', '5']] }
        }
        case 'gone':
          return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
        default:
          return unreachable(outcome)
      }
    },
  }
}

/** The same redirect, with a notice if it leads to the account page. */
function noted(answer: Answer, notice: 'recovery_used'): Answer {
  return {
    ...answer,
    headers: answer.headers.map(([name, value]): readonly [string, string] =>
      name === 'Location' && value === PATHS.account
        ? [name, `${value}?notice=${notice}`]
        : [name, value],
    ),
  }
}

/** Only a session that still lacks its second factor has business here. */
async function whoOwes(
  deps: PortalDeps,
  visit: Visit,
  returnTicket: string,
): Promise<
  | { readonly kind: 'owes'; readonly session: Session; readonly account: Account }
  | { readonly kind: 'elsewhere'; readonly answer: Answer }
> {
  const current = await currentSession(deps, visit)
  if (current.kind === 'none') {
    if (sessionCookieLost(deps, visit, returnTicket)) {
      return { kind: 'elsewhere', answer: lostCookiePage(deps, visit, 'session', returnTicket) }
    }
    const expired = visit.method === 'POST' ? `${PATHS.login}?notice=session_ended` : PATHS.login
    return { kind: 'elsewhere', answer: toPage(expired, returnTicket) }
  }
  if (current.kind === 'active') {
    if (current.principal.level === 'two_factor') {
      return { kind: 'elsewhere', answer: await onward(deps, visit, current.session, returnTicket) }
    }
    if (!(await deps.totp.hasDevice(current.account.id))) {
      return { kind: 'elsewhere', answer: toPage(`${PATHS.newTotp}?required=1`, returnTicket) }
    }
  }
  return { kind: 'owes', session: current.session, account: current.account }
}

async function page(
  deps: PortalDeps,
  visit: Visit,
  way: Way,
  status: number,
  account: Account,
  returnTicket: string,
  problem?: SecondStepView['problem'],
): Promise<Answer> {
  const otherWay =
    way.field === 'recovery_code' || (await deps.recoveryCodes.left(account.id)).left > 0
  const view: SecondStepView = {
    username: account.name,
    returnTicket,
    otherWay,
    ...(problem === undefined ? {} : { problem }),
  }
  return deps.frame.page(visit, status, (context) => way.render(context, view), {
    self: toSelf(way.path, returnTicket),
  })
}
