import type { Account } from '../../accounts/account.ts'
import { readPhoneNumber } from '../../factors/sms/phone-number.ts'
import { parseTotpCode } from '../../factors/totp/totp.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { removeOwnFactor } from '../../login/factor-changes.ts'
import type { SmsRequestOutcome } from '../../login/sms-login.ts'
import { type PhoneView, phonePage } from '../../pages/account/phone-page.ts'
import { phoneVerifyPage } from '../../pages/account/phone-verify-page.ts'
import { askPage } from '../../pages/ask-page.ts'
import { PATHS } from '../../pages/paths.ts'
import type { SmsProblem } from '../../pages/sign-in/sms-sent.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import { rememberDevice } from '../known-devices.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import { follow } from '../returning.ts'
import type { Route } from '../route.ts'
import { sentView, tooSoon, whileSmsIsOn } from '../sign-in/sms-view.ts'
import {
  currentSession,
  freshSession,
  loginContext,
  noSessionCookie,
  redirect,
  sessionCookie,
  tooMany,
  toPage,
} from '../signing-in.ts'
import { freshCodes } from './recovery-code-routes.ts'

/** The number that codes go to: set, proved, replaced and removed by its owner. */
export function phoneRoutes(deps: PortalDeps): readonly Route[] {
  const fresh = async (visit: Visit, returnTicket: string) =>
    freshSession(deps, visit, await currentSession(deps, visit), returnTicket)

  return whileSmsIsOn(deps, [
    {
      method: 'GET',
      path: PATHS.phone,
      handle: async (visit, query) => {
        const returnTicket = query.get('rt') ?? ''
        const who = await fresh(visit, returnTicket)
        if (who.kind === 'first') return who.answer
        return numberPage(deps, visit, 200, who.account, { returnTicket, phone: '' })
      },
    },
    {
      method: 'POST',
      path: PATHS.phone,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const who = await fresh(visit, returnTicket)
        if (who.kind === 'first') return who.answer
        const { session, account } = who
        const phone = form.value('phone').slice(0, 64)
        const again = (problem: NonNullable<PhoneView['problem']>, status: number) =>
          numberPage(deps, visit, status, account, { returnTicket, phone, problem })

        const read = await readPhoneNumber(
          phone,
          deps.phones.countryFor(deps.frame.language(visit)),
        )
        if (read.kind !== 'ok') return again(read.kind, 422)
        const outcome = await deps.sms.requestNumber(
          { session, account, context: loginContext(deps, visit) },
          read.number,
          deps.frame.language(visit),
        )
        return sendAnswer(deps, visit, outcome, returnTicket, again)
      },
    },
    {
      method: 'GET',
      path: PATHS.verifyPhone,
      handle: async (visit, query) => {
        const returnTicket = query.get('rt') ?? ''
        const who = await fresh(visit, returnTicket)
        if (who.kind === 'first') return who.answer
        return verifyPage(deps, visit, 200, who.session, returnTicket)
      },
    },
    {
      method: 'POST',
      path: PATHS.verifyPhone,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const who = await fresh(visit, returnTicket)
        if (who.kind === 'first') return who.answer
        const { session, account } = who
        const asker = { session, account, context: loginContext(deps, visit) }
        const again = (problem: SmsProblem, status = 422) =>
          verifyPage(deps, visit, status, session, returnTicket, problem)

        if (form.has('resend')) {
          const number = (await deps.sms.waitingNumber(session))?.number
          if (number === undefined) return toPage(PATHS.phone, returnTicket)
          const outcome = await deps.sms.requestNumber(asker, number, deps.frame.language(visit))
          return sendAnswer(deps, visit, outcome, returnTicket, again)
        }
        const code = parseTotpCode(form.value('sms_code'))
        if (code.kind !== 'ok') return again(code.kind)
        const outcome = await deps.sms.proveNumber(asker, code.code)
        switch (outcome.kind) {
          case 'signed_in': {
            const cookies = [
              sessionCookie(deps, visit, outcome.issued),
              rememberDevice(deps.keys, visit, account.id),
            ]
            const { left } = await deps.recoveryCodes.left(account.id)
            if (left === 0) {
              const risen = outcome.issued.session
              return freshCodes(deps, visit, risen, account, returnTicket, cookies)
            }
            const location = await follow(deps, visit, returnTicket)
            const home = returnTicket === '' || location === PATHS.account
            return redirect(home ? `${PATHS.account}?notice=phone_added` : location, cookies)
          }
          case 'refused':
            return again('wrong')
          case 'limited':
            return tooMany(deps, visit, outcome.budget, outcome.take)
          case 'busy':
            return again('busy', 503)
          case 'gone':
            return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
          default:
            return unreachable(outcome)
        }
      },
    },
    {
      method: 'GET',
      path: PATHS.removePhone,
      handle: async (visit) => {
        const who = await fresh(visit, '')
        return who.kind === 'first' ? who.answer : removePage(deps, visit, who.account)
      },
    },
    {
      method: 'POST',
      path: PATHS.removePhone,
      handle: async (visit) => {
        const who = await fresh(visit, '')
        if (who.kind === 'first') return who.answer
        const { session, account } = who
        const by = { session, account, context: loginContext(deps, visit) }
        const removal = await removeOwnFactor(deps, by, { kind: 'phone' })
        switch (removal.kind) {
          case 'needed':
            return removePage(deps, visit, account)
          case 'unknown':
            return redirect(PATHS.account)
          case 'session_gone':
            return toPage(PATHS.login, '', [noSessionCookie(visit)])
          case 'removed':
            return redirect(`${PATHS.account}?notice=phone_removed`, [
              sessionCookie(deps, visit, removal.issued),
            ])
          default:
            return unreachable(removal)
        }
      },
    },
  ])
}

/** What follows when a code was to be sent to a new number. */
async function sendAnswer(
  deps: PortalDeps,
  visit: Visit,
  outcome: SmsRequestOutcome,
  returnTicket: string,
  again: (problem: 'failed' | { readonly tooSoon: number }, status: number) => Promise<Answer>,
): Promise<Answer> {
  switch (outcome.kind) {
    case 'sent':
      return toPage(PATHS.verifyPhone, returnTicket)
    case 'too_soon':
      return tooSoon(deps, outcome.retryAt, (problem) => again(problem, 429))
    case 'failed':
    case 'no_number':
      return again('failed', 503)
    case 'limited':
      return tooMany(deps, visit, outcome.budget, outcome.take)
    default:
      return unreachable(outcome)
  }
}

async function numberPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  account: Account,
  given: Omit<PhoneView, 'current'>,
): Promise<Answer> {
  const current = await deps.phones.shown(account.id)
  const view = { ...given, ...(current === undefined ? {} : { current }) }
  return deps.frame.page(visit, status, (context) => phonePage(context, view), {
    self: toSelf(PATHS.phone, given.returnTicket),
  })
}

/** Where no number waits any more, the way starts again. */
async function verifyPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  session: Session,
  returnTicket: string,
  problem?: SmsProblem,
): Promise<Answer> {
  const code = await deps.sms.waitingNumber(session)
  if (code?.number === undefined) return toPage(PATHS.phone, returnTicket)
  const view = {
    returnTicket,
    end: code.number.reveal().slice(-2),
    sent: sentView(deps, code),
    ...(problem === undefined ? {} : { problem }),
  }
  return deps.frame.page(visit, status, (context) => phoneVerifyPage(context, view), {
    self: toSelf(PATHS.verifyPhone, returnTicket),
  })
}

/** Asks before the number goes; says why where it cannot. */
async function removePage(deps: PortalDeps, visit: Visit, account: Account): Promise<Answer> {
  const phone = await deps.phones.shown(account.id)
  if (phone === undefined) return redirect(PATHS.account)
  const mayGo = await deps.duty.mayRemove(account, 'phone')
  return deps.frame.page(
    visit,
    mayGo ? 200 : 422,
    (context) => {
      const { removal } = catalogue(context.language).sms
      return askPage(context, {
        title: removal.title,
        lead: removal.lead(phone.masked),
        submit: removal.submit,
        backPath: PATHS.phone,
        fields: {},
        ...(mayGo ? {} : { refused: removal.needed }),
      })
    },
    { self: PATHS.removePhone },
  )
}
