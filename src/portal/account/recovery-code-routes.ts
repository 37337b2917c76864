import type { Account } from '../../accounts/account.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { newOwnCodes } from '../../login/factor-changes.ts'
import { FEW_CODES } from '../../pages/account/account-page.ts'
import { codesShownPage } from '../../pages/account/codes-shown-page.ts'
import { fewCodesPage } from '../../pages/account/few-codes-page.ts'
import { recoveryCodesPage } from '../../pages/account/recovery-codes-page.ts'
import { askPage } from '../../pages/ask-page.ts'
import { PATHS } from '../../pages/paths.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import type { Issued } from '../../sessions/sessions.ts'
import { rememberDevice } from '../known-devices.ts'
import { noting } from '../noting.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import { follow } from '../returning.ts'
import type { Route } from '../route.ts'
import {
  arrive,
  currentSession,
  freshSession,
  loginContext,
  noSessionCookie,
  redirect,
  sessionCookie,
  toPage,
} from '../signing-in.ts'
import { recoveryCodeFile } from './recovery-code-file.ts'
import type { ShownCodes } from './shown-codes.ts'

/** Recovery codes: asked for, shown once, as a file, and said to be kept. */
export function recoveryCodeRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.newRecoveryCodes,
      handle: async (visit, query) => {
        const returnTicket = query.get('rt') ?? ''
        const current = await currentSession(deps, visit)
        const fresh = await freshSession(deps, visit, current, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        const { session, account } = fresh
        if (deps.shownCodes.get(session.id) !== undefined && !query.has('again')) {
          return alreadyShown(deps, visit, account, returnTicket)
        }
        if (!(await deps.enrolled.hasSecond(account.id))) {
          return toPage(PATHS.newTotp, returnTicket)
        }
        return query.has('used')
          ? fewLeft(deps, visit, account, returnTicket)
          : askForNew(deps, visit, account, returnTicket)
      },
    },
    {
      method: 'POST',
      path: PATHS.newRecoveryCodes,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const current = await currentSession(deps, visit)
        const fresh = await freshSession(deps, visit, current, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        const { session, account } = fresh
        if (!(await deps.enrolled.hasSecond(account.id))) {
          return toPage(PATHS.newTotp, returnTicket)
        }
        const { createdAt } = await deps.recoveryCodes.left(account.id)
        if (form.value('replaces') !== String(createdAt)) {
          // The page was loaded again, or sent twice: what it was to replace is replaced.
          return toPage(PATHS.newRecoveryCodes, returnTicket)
        }
        const issued = await deps.sessions.renew(session)
        if (issued === undefined) {
          return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
        }
        const cookies = [sessionCookie(deps, visit, issued)]
        return freshCodes(deps, visit, issued.session, account, returnTicket, cookies)
      },
    },
    {
      method: 'POST',
      path: PATHS.savedRecoveryCodes,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const current = await currentSession(deps, visit)
        if (current.kind !== 'active') return toPage(PATHS.login, returnTicket)
        const { session, account } = current
        const codes = deps.shownCodes.get(session.id)
        if (codes !== undefined && form.value('saved') === '') {
          return codesPage(deps, visit, 422, { account, codes, returnTicket, problem: 'not_saved' })
        }
        deps.shownCodes.delete(session.id)
        const location = await follow(deps, visit, returnTicket)
        return redirect(noting(visit, location, 'codes_saved'))
      },
    },
    {
      method: 'POST',
      path: PATHS.downloadRecoveryCodes,
      handle: async (visit) => {
        const current = await currentSession(deps, visit)
        if (current.kind !== 'active') return toPage(PATHS.login, '')
        const { session, account } = current
        const shown = deps.shownCodes.get(session.id)
        if (shown === undefined) return redirect(PATHS.newRecoveryCodes)
        return recoveryCodeFile(deps.frame.language(visit), {
          organisation: deps.brandName,
          url: visit.site.portalOrigin,
          account: account.name,
          ...shown,
        })
      },
    },
  ]
}

/**
 * New codes, stored before they are shown; the account's earlier ones are dead. `session` is the
 * one whose cookie is among `cookies`: it alone can be shown the page again.
 */
export async function freshCodes(
  deps: PortalDeps,
  visit: Visit,
  session: Session,
  account: Account,
  returnTicket: string,
  cookies: readonly string[],
): Promise<Answer> {
  const by = { account, session, context: loginContext(deps, visit) }
  const made = await newOwnCodes(deps, by)
  if (made.kind === 'busy') return redirect(`${PATHS.account}?notice=codes_busy`, cookies)
  const codes = { codes: made.codes, createdAt: deps.clock.now() }
  deps.shownCodes.set(session.id, codes)
  return codesPage(deps, visit, 200, { account, codes, returnTicket }, cookies)
}

/**
 * On from a sign-in by recovery code: where it was going, unless few codes are left. Then new ones
 * are offered first, because that browser may be the last one that gets in.
 */
export async function afterRecoveryCode(
  deps: PortalDeps,
  visit: Visit,
  account: Account,
  issued: Issued,
  returnTicket: string,
): Promise<Answer> {
  const { left } = await deps.recoveryCodes.left(account.id)
  if (left <= FEW_CODES) {
    return toPage(`${PATHS.newRecoveryCodes}?used`, returnTicket, [
      sessionCookie(deps, visit, issued),
      rememberDevice(deps.keys, visit, account.id),
    ])
  }
  const answer = await arrive(deps, visit, account, issued, returnTicket)
  // Where nobody waits for them, people are told that a code is used up.
  const headers = answer.headers.map(([name, value]): readonly [string, string] =>
    name === 'Location' ? [name, noting(visit, value, 'recovery_used')] : [name, value],
  )
  return { ...answer, headers }
}

function codesPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  view: {
    readonly account: Account
    readonly codes: ShownCodes
    readonly returnTicket: string
    readonly problem?: 'not_saved'
  },
  cookies: readonly string[] = [],
): Answer {
  const { account, codes, ...rest } = view
  return deps.frame.page(
    visit,
    status,
    (page) => recoveryCodesPage(page, { username: account.name, ...codes, ...rest }),
    // It cannot be asked for again in another language.
    { cookies, self: PATHS.newRecoveryCodes, oneLanguage: true },
  )
}

function alreadyShown(
  deps: PortalDeps,
  visit: Visit,
  { name: username }: Account,
  returnTicket: string,
): Answer {
  const self = toSelf(PATHS.newRecoveryCodes, returnTicket)
  return deps.frame.page(visit, 200, (page) => codesShownPage(page, { username, returnTicket }), {
    self,
  })
}

async function askForNew(
  deps: PortalDeps,
  visit: Visit,
  account: Account,
  returnTicket: string,
): Promise<Answer> {
  const { left, total, createdAt } = await deps.recoveryCodes.left(account.id)
  return deps.frame.page(visit, 200, (page) => {
    const { ask } = catalogue(page.language).codes
    return askPage(page, {
      title: total === 0 ? ask.first : ask.title,
      lead: total === 0 ? ask.lead : `${ask.lead} ${ask.dead(left)}`,
      submit: ask.submit,
      backPath: PATHS.account,
      fields: {
        replaces: String(createdAt),
        ...(returnTicket === '' ? {} : { rt: returnTicket }),
      },
    })
  })
}

async function fewLeft(
  deps: PortalDeps,
  visit: Visit,
  { id, name: username }: Account,
  returnTicket: string,
): Promise<Answer> {
  const { left, createdAt } = await deps.recoveryCodes.left(id)
  const laterPath = returnTicket === '' ? PATHS.account : toSelf(PATHS.login, returnTicket)
  return deps.frame.page(visit, 200, (page) =>
    fewCodesPage(page, { username, left, replaces: createdAt, returnTicket, laterPath }),
  )
}
