import type { Account } from '../../accounts/account.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { PATHS } from '../../pages/paths.ts'
import { passkeyPage } from '../../pages/sign-in/passkey-page.ts'
import type { ForgottenPasskey, PasskeyProblem } from '../../pages/sign-in/passkey-problem.ts'
import type { Session } from '../../sessions/session.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { arrive, loginContext, noSessionCookie, tooMany, toPage } from '../signing-in.ts'
import { endPrevious, showLogin } from './login-routes.ts'
import { whoOwes } from './owing.ts'
import { passkeyFailure } from './passkey-failure.ts'
import { secondStepOptions } from './passkey-options-for.ts'
import { otherWays, type StepQuery, wayPath } from './ways.ts'

/** Signing in by passkey: alone, and after the password. */
export function passkeyLoginRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.passkeyLogin,
      handle: async (_visit, query) => toPage(PATHS.login, query.get('rt') ?? ''),
    },
    {
      method: 'POST',
      path: PATHS.passkeyLogin,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const remember = form.value('remember') === '1'
        const again = (problem: PasskeyProblem, forgotten?: ForgottenPasskey): Answer =>
          showLogin(deps, visit, 422, {
            returnTicket,
            remember,
            passkeyRefused: { problem, ...(forgotten === undefined ? {} : { forgotten }) },
          })
        const failed = passkeyFailure(form, 'get')
        if (failed !== undefined) return again(failed)
        const holder = form.value('form_token')
        // SECURITY: the challenge is worth something to the browser alone that it was made for.
        if (!deps.frame.isFormToken(visit, holder)) return again('expired')
        const outcome = await deps.passkeyLogin.whole(
          { json: form.value('credential'), remember },
          { holder, origin: visit.site.origin },
          loginContext(deps, visit),
        )
        switch (outcome.kind) {
          case 'signed_in':
            await endPrevious(deps, visit, outcome.account)
            return arrive(deps, visit, outcome.account, outcome.issued, returnTicket)
          case 'unknown_credential': {
            const { rpId } = deps.passkeys
            return again('unknown', { rpId, credentialId: outcome.credentialId })
          }
          case 'refused':
          case 'expired':
            return again(outcome.kind)
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy':
          case 'gone':
            return showLogin(deps, visit, 503, { returnTicket, remember, problem: 'busy' })
          default:
            return unreachable(outcome)
        }
      },
    },
    {
      method: 'GET',
      path: PATHS.passkeyStep,
      handle: async (visit, search) => {
        const query = {
          returnTicket: search.get('rt') ?? '',
          confirm: search.get('confirm') === '1',
        }
        const owing = await whoOwes(deps, visit, query)
        if (owing.kind === 'elsewhere') return owing.answer
        return stepPage(deps, visit, 200, { ...owing, query })
      },
    },
    {
      method: 'POST',
      path: PATHS.passkeyStep,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const query = { returnTicket, confirm: form.value('confirm') === '1' }
        const owing = await whoOwes(deps, visit, query)
        if (owing.kind === 'elsewhere') return owing.answer
        const { session, account, purpose } = owing
        const again = (problem: PasskeyProblem, forgotten?: ForgottenPasskey) =>
          stepPage(deps, visit, 422, { ...owing, query, problem, forgotten })
        const failed = passkeyFailure(form, 'get')
        if (failed !== undefined) return again(failed)
        const outcome = await deps.passkeyLogin.second(
          form.value('credential'),
          session,
          account,
          { ceremony: purpose, origin: visit.site.origin },
          loginContext(deps, visit),
        )
        switch (outcome.kind) {
          case 'signed_in':
            return arrive(deps, visit, account, outcome.issued, returnTicket)
          case 'unknown_credential': {
            const { rpId } = deps.passkeys
            return again('unknown', { rpId, credentialId: outcome.credentialId })
          }
          case 'refused':
          case 'expired':
            return again(outcome.kind)
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy':
            return again('refused')
          case 'gone':
            return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
          default:
            return unreachable(outcome)
        }
      },
    },
  ]
}

async function stepPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  step: {
    readonly session: Session
    readonly account: Account
    readonly purpose: 'second_step' | 'confirm'
    readonly query: StepQuery
    readonly problem?: PasskeyProblem
    readonly forgotten?: ForgottenPasskey | undefined
  },
): Promise<Answer> {
  const { session, account, purpose, query, problem, forgotten } = step
  const view = {
    username: account.name,
    returnTicket: query.returnTicket,
    confirm: query.confirm,
    ...(await secondStepOptions(deps, visit, session, purpose)),
    ...(problem === undefined ? {} : { problem }),
    ...(forgotten === undefined ? {} : { forgotten }),
    ways: await otherWays(deps, account, 'passkey', query),
  }
  return deps.frame.page(visit, status, (page) => passkeyPage(page, view), {
    self: toSelf(wayPath('passkey', query), query.returnTicket),
  })
}
