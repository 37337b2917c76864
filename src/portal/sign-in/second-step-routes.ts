import type { Account } from '../../accounts/account.ts'
import { parseTotpCode } from '../../factors/totp/totp.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import type { Milliseconds } from '../../lib/duration.ts'
import { unreachable } from '../../lib/unreachable.ts'
import type { StepOutcome } from '../../login/step.ts'
import { PATHS } from '../../pages/paths.ts'
import { recoveryPage } from '../../pages/sign-in/recovery-page.ts'
import { totpPage } from '../../pages/sign-in/totp-page.ts'
import type { SecondStepView } from '../../pages/views.ts'
import { afterRecoveryCode } from '../account/recovery-code-routes.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { arrive, loginContext, noSessionCookie, tooMany, toPage } from '../signing-in.ts'
import { whoOwes } from './owing.ts'
import { bestWayPath, otherWays, type StepQuery, wayPath } from './ways.ts'

type CodeWay = {
  readonly kind: 'totp' | 'recovery'
  readonly path: typeof PATHS.totp | typeof PATHS.recovery
  readonly field: 'totp' | 'recovery_code'
  readonly render: typeof totpPage
}

const TOTP: CodeWay = { kind: 'totp', path: PATHS.totp, field: 'totp', render: totpPage }
const RECOVERY: CodeWay = {
  kind: 'recovery',
  path: PATHS.recovery,
  field: 'recovery_code',
  render: recoveryPage,
}

/** The best second step, and two of them: six-digit code and recovery code. */
export function secondStepRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.secondStep,
      handle: async (visit, search) => {
        const query = stepQuery(search)
        const owing = await whoOwes(deps, visit, query)
        if (owing.kind === 'elsewhere') return owing.answer
        return toPage(await bestWayPath(deps, owing.account, query), query.returnTicket)
      },
    },
    ...[TOTP, RECOVERY].flatMap((way) => [showWay(deps, way), submitWay(deps, way)]),
  ]
}

/** What the address of a second step's page says. */
export function stepQuery(search: URLSearchParams): StepQuery {
  return { returnTicket: search.get('rt') ?? '', confirm: search.get('confirm') === '1' }
}

function showWay(deps: PortalDeps, way: CodeWay): Route {
  return {
    method: 'GET',
    path: way.path,
    handle: async (visit, search) => {
      const query = stepQuery(search)
      const owing = await whoOwes(deps, visit, query)
      if (owing.kind === 'elsewhere') return owing.answer
      return page(deps, visit, way, 200, owing.account, query)
    },
  }
}

function submitWay(deps: PortalDeps, way: CodeWay): Route {
  return {
    method: 'POST',
    path: way.path,
    handle: async (visit, form) => {
      const returnTicket = form.value('rt')
      const query: StepQuery = { returnTicket, confirm: form.value('confirm') === '1' }
      const owing = await whoOwes(deps, visit, query)
      if (owing.kind === 'elsewhere') return owing.answer
      const { session, account } = owing
      const again = (problem: SecondStepView['problem'], status = 422, drift?: Milliseconds) =>
        page(deps, visit, way, status, account, query, problem, drift)

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
          const finished = owing.purpose === 'second_step' ? form : undefined
          return way.field === 'recovery_code'
            ? afterRecoveryCode(deps, visit, account, outcome.issued, returnTicket)
            : arrive(deps, visit, account, outcome.issued, returnTicket, finished)
        }
        case 'refused':
          return again('wrong', 422, outcome.drift)
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

async function page(
  deps: PortalDeps,
  visit: Visit,
  way: CodeWay,
  status: number,
  account: Account,
  query: StepQuery,
  problem?: SecondStepView['problem'],
  drift?: Milliseconds,
): Promise<Answer> {
  const view: SecondStepView = {
    username: account.name,
    ...query,
    others: await otherWays(deps, account, way.kind, query),
    ...(problem === undefined ? {} : { problem }),
    ...(drift === undefined ? {} : { drift }),
  }
  return deps.frame.page(visit, status, (context) => way.render(context, view), {
    self: toSelf(wayPath(way.kind, query), query.returnTicket),
  })
}
