import type { Account } from '../../accounts/account.ts'
import { parseTotpCode } from '../../factors/totp/totp.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { PATHS } from '../../pages/paths.ts'
import { smsPage } from '../../pages/sign-in/sms-page.ts'
import type { SmsProblem } from '../../pages/sign-in/sms-sent.ts'
import type { Session } from '../../sessions/session.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { arrive, loginContext, noSessionCookie, tooMany, toPage } from '../signing-in.ts'
import { type Owing, whoOwes } from './owing.ts'
import { stepQuery } from './second-step-routes.ts'
import { sentView, tooSoon, whileSmsIsOn } from './sms-view.ts'
import { otherWays, type StepQuery, wayPath } from './ways.ts'

/** The second step by text message. Showing the page sends nothing; a button does. */
export function smsRoutes(deps: PortalDeps): readonly Route[] {
  return whileSmsIsOn(deps, [
    {
      method: 'GET',
      path: PATHS.sms,
      handle: async (visit, search) => {
        const query = stepQuery(search)
        const owing = await whoOwes(deps, visit, query)
        if (owing.kind === 'elsewhere') return owing.answer
        return page(deps, visit, 200, owing, query)
      },
    },
    {
      method: 'POST',
      path: PATHS.sms,
      handle: async (visit, form) => {
        const query = { returnTicket: form.value('rt'), confirm: form.value('confirm') === '1' }
        const owing = await whoOwes(deps, visit, query)
        if (owing.kind === 'elsewhere') return owing.answer
        if (form.has('send')) return send(deps, visit, owing, query)
        const { session, account } = owing
        const again = (problem: SmsProblem, status = 422) =>
          page(deps, visit, status, owing, query, problem)

        const code = parseTotpCode(form.value('sms_code'))
        if (code.kind !== 'ok') return again(code.kind)
        const outcome = await deps.sms.prove(
          { session, account, context: loginContext(deps, visit) },
          purposeOf(owing),
          code.code,
        )
        switch (outcome.kind) {
          case 'signed_in':
            return arrive(
              deps,
              visit,
              account,
              outcome.issued,
              query.returnTicket,
              owing.purpose === 'second_step' ? form : undefined,
            )
          case 'refused':
            return again('wrong')
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy':
            return again('busy', 503)
          case 'gone':
            return toPage(PATHS.login, query.returnTicket, [noSessionCookie(visit)])
          default:
            return unreachable(outcome)
        }
      },
    },
  ])
}

/** Sends a code and shows the page where it is given. */
async function send(
  deps: PortalDeps,
  visit: Visit,
  owing: Owes,
  query: StepQuery,
): Promise<Answer> {
  const { session, account } = owing
  const outcome = await deps.sms.request(
    { session, account, context: loginContext(deps, visit) },
    purposeOf(owing),
    deps.frame.language(visit),
  )
  switch (outcome.kind) {
    case 'sent':
      return toPage(wayPath('sms', query), query.returnTicket)
    case 'too_soon':
      return tooSoon(deps, outcome.retryAt, (problem) =>
        page(deps, visit, 429, owing, query, problem),
      )
    case 'failed':
      return page(deps, visit, 503, owing, query, 'failed')
    case 'limited':
      return tooMany(deps, visit, outcome.budget, outcome.take)
    case 'no_number':
      return toSecondStep(query)
    default:
      return unreachable(outcome)
  }
}

type Owes = Extract<Owing, { kind: 'owes' }>

function purposeOf({ purpose }: Owes): 'login' | 'confirm' {
  return purpose === 'confirm' ? 'confirm' : 'login'
}

function toSecondStep({ returnTicket, confirm }: StepQuery): Answer {
  return toPage(confirm ? `${PATHS.secondStep}?confirm=1` : PATHS.secondStep, returnTicket)
}

/** Asks for a code, or offers to send one; leads on where there is no number. */
async function page(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  owing: Owes,
  query: StepQuery,
  problem?: SmsProblem,
): Promise<Answer> {
  const { session, account } = owing
  const phone = await deps.phones.shown(account.id)
  if (phone === undefined) return toSecondStep(query)
  const sent = await waiting(deps, session, owing)
  const view = {
    username: account.name,
    ...query,
    end: phone.masked.slice(-2),
    ...(sent === undefined ? {} : { sent }),
    ...(problem === undefined ? {} : { problem }),
    others: await others(deps, account, query),
  }
  const answer = deps.frame.page(visit, status, (context) => smsPage(context, view), {
    self: toSelf(wayPath('sms', query), query.returnTicket),
  })
  if (status !== 503) return answer
  return { ...answer, headers: [...answer.headers, ['Retry-After', '60']] }
}

async function waiting(deps: PortalDeps, session: Session, owing: Owes) {
  const code = await deps.sms.waiting(session, purposeOf(owing))
  return code && sentView(deps, code)
}

function others(deps: PortalDeps, account: Account, query: StepQuery) {
  return otherWays(deps, account, 'sms', query)
}
