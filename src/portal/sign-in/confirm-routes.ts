import type { Account } from '../../accounts/account.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { MINUTE } from '../../lib/duration.ts'
import { Secret } from '../../lib/secret.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { PATHS } from '../../pages/paths.ts'
import { type ConfirmView, confirmPage } from '../../pages/sign-in/confirm-page.ts'
import { secondFactorDuePage } from '../../pages/sign-in/second-factor-due-page.ts'
import { type Lack, lackOf, type StepUp } from '../../policy/step-up.ts'
import type { Session } from '../../sessions/session.ts'
import { confirmPath, readAskedProof } from '../asked-proof.ts'
import { rememberDevice } from '../known-devices.ts'
import { lostCookiePage, sessionCookieLost } from '../lost-cookie.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import { askedReturn, follow, ticketFor } from '../returning.ts'
import type { Route } from '../route.ts'
import {
  currentSession,
  loginContext,
  noSessionCookie,
  redirect,
  sessionCookie,
  tooMany,
  toPage,
} from '../signing-in.ts'
import { addable } from './overdue.ts'
import { bestWayPath, type Way, wayPath, waysOf } from './ways.ts'

/** Confirming who one is, and being told that a second factor becomes a must. */
export function confirmRoutes(deps: PortalDeps): readonly Route[] {
  return [showConfirm(deps), submitConfirm(deps), showDue(deps), putOff(deps)]
}

type Asked = { readonly returnTicket: string; readonly stepUp: StepUp }

const WAYS = ['passkey', 'totp', 'sms', 'recovery'] as const satisfies readonly Way[]

/** Who is to confirm what, or where they are to go instead. */
type Confirming =
  | {
      readonly kind: 'lacks'
      readonly session: Session
      readonly account: Account
      readonly lack: Lack
    }
  | { readonly kind: 'elsewhere'; readonly answer: Answer }

function showConfirm(deps: PortalDeps): Route {
  return {
    method: 'GET',
    path: PATHS.confirm,
    handle: async (visit, query) => {
      const stepUp = readAskedProof((name) => query.get(name) ?? '')
      const returnTicket = query.get('rt') ?? ''
      const wanted = returnTicket === '' ? askedReturn(deps, visit, query) : undefined
      if (wanted !== undefined) return toPage(confirmPath(stepUp), deps.tickets.issue(wanted))
      const asked = { returnTicket, stepUp }
      const confirming = await whoConfirms(deps, visit, asked)
      if (confirming.kind === 'elsewhere') return confirming.answer
      return page(deps, visit, 200, confirming.account, confirming.lack, asked)
    },
  }
}

function submitConfirm(deps: PortalDeps): Route {
  return {
    method: 'POST',
    path: PATHS.confirm,
    handle: async (visit, form) => {
      const asked = {
        returnTicket: form.value('rt'),
        stepUp: readAskedProof((name) => form.value(name)),
      }
      const confirming = await whoConfirms(deps, visit, asked)
      if (confirming.kind === 'elsewhere') return confirming.answer
      const { session, account, lack } = confirming
      const way = WAYS.find((one) => one === form.value('way'))
      if (way !== undefined) return toPage(wayPath(way, { confirm: true }), asked.returnTicket)
      const again = (problem: ConfirmView['problem'], status = 422) =>
        page(deps, visit, status, account, lack, asked, problem)
      const typed = form.value('password')
      if (typed === '') return again('empty')
      const outcome = await deps.login.confirmPassword(
        session,
        account,
        new Secret(typed),
        loginContext(deps, visit),
      )
      switch (outcome.kind) {
        case 'signed_in':
          return redirect(await follow(deps, visit, asked.returnTicket), [
            sessionCookie(deps, visit, outcome.issued),
            rememberDevice(deps.keys, visit, account.id),
          ])
        case 'refused':
          return again('wrong')
        case 'limited':
          return tooMany(deps, visit, outcome.budget, outcome.take)
        case 'busy': {
          const busy = await again('busy', 503)
          return { ...busy, headers: [...busy.headers, ['Retry-After', '5']] }
        }
        case 'gone':
          return toPage(PATHS.login, asked.returnTicket, [noSessionCookie(visit)])
        default:
          return unreachable(outcome)
      }
    },
  }
}

async function whoConfirms(deps: PortalDeps, visit: Visit, asked: Asked): Promise<Confirming> {
  const { returnTicket, stepUp } = asked
  const elsewhere = (path: string): Confirming => ({
    kind: 'elsewhere',
    answer: toPage(path, returnTicket),
  })
  const current = await currentSession(deps, visit)
  if (current.kind === 'none') {
    if (sessionCookieLost(deps, visit, returnTicket)) {
      return { kind: 'elsewhere', answer: lostCookiePage(deps, visit, 'session', returnTicket) }
    }
    return elsewhere(visit.method === 'POST' ? `${PATHS.login}?notice=session_ended` : PATHS.login)
  }
  const { session, account } = current
  if (current.kind === 'pending' && current.owes === 'password') {
    return elsewhere(PATHS.changePassword)
  }
  const owes =
    current.kind === 'pending' ||
    (current.principal.level === 'one_factor' && (await deps.enrolled.hasSecond(account.id)))
  if (owes) return elsewhere(await bestWayPath(deps, account, { confirm: false }))
  const lack = lackOf(stepUp, session.factors, deps.clock.now())
  if (lack !== undefined) return { kind: 'lacks', session, account, lack }
  return { kind: 'elsewhere', answer: redirect(await follow(deps, visit, returnTicket)) }
}

/** The ways that would prove what is missing, best first; none: the account cannot prove it. */
async function fitting(
  deps: PortalDeps,
  account: Account,
  { factor }: Lack,
): Promise<readonly ('password' | Way)[]> {
  if (factor === 'password') return ['password']
  const hasSecond = await deps.enrolled.hasSecond(account.id)
  if (!hasSecond) return factor === undefined ? ['password'] : []
  const ways = await waysOf(deps, account)
  if (factor === undefined || factor === 'any_second') return ways
  if (factor === 'totp') return ways.filter((way) => way === 'totp')
  // A key that does not tell its owner from others is no passkey.
  const passkeys = await deps.passkeys.ofUser(account.id)
  return passkeys.some(({ userVerified }) => userVerified) ? ['passkey'] : []
}

async function page(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  account: Account,
  lack: Lack,
  { returnTicket, stepUp }: Asked,
  problem?: ConfirmView['problem'],
): Promise<Answer> {
  const ticket = ticketFor(deps, visit, returnTicket)
  const app = ticket === undefined || isOurs(ticket.url) ? undefined : deps.appAt(ticket.url)
  const [best, ...rest] = await fitting(deps, account, lack)
  const query = { returnTicket, confirm: true }
  const link = (kind: Way) => ({ kind, path: toSelf(wayPath(kind, query), returnTicket) })
  const addKinds = lack.factor === 'passkey' || lack.factor === 'totp' ? [lack.factor] : undefined
  const view: ConfirmView = {
    username: account.name,
    returnTicket,
    ...(app === undefined ? {} : { app: app.name }),
    ...(Number.isFinite(stepUp.maxAge) && stepUp.maxAge >= MINUTE ? { age: stepUp.maxAge } : {}),
    ...(lack.factor === undefined ? {} : { asks: { kind: lack.factor } }),
    way:
      best === undefined
        ? {
            kind: 'none',
            add: addable(deps, visit, returnTicket).filter(
              ({ kind }) => addKinds === undefined || addKinds.includes(kind),
            ),
          }
        : { kind: best },
    others: rest.flatMap((kind) => (kind === 'password' ? [] : [link(kind)])),
    asked: [...new URL(confirmPath(stepUp), visit.site.origin).searchParams].flatMap(
      ([name, value]) => (name === 'age' || name === 'factor' ? [[name, value] as const] : []),
    ),
    backPath: app === undefined ? PATHS.account : PATHS.launcher,
    ...(problem === undefined ? {} : { problem }),
  }
  return deps.frame.page(visit, status, (context) => confirmPage(context, view), {
    self: toSelf(confirmPath(stepUp), returnTicket),
  })
}

/** A setting of the portal, not a page of an app on the same host. */
function isOurs(url: string): boolean {
  return new URL(url).pathname.startsWith(PATHS.launcher)
}

function showDue(deps: PortalDeps): Route {
  return {
    method: 'GET',
    path: PATHS.secondFactorDue,
    handle: async (visit, query) => {
      const returnTicket = query.get('rt') ?? ''
      const current = await currentSession(deps, visit)
      if (current.kind === 'none') return toPage(PATHS.login, returnTicket)
      const { account } = current
      if (current.kind === 'pending' || (await deps.enrolled.hasSecond(account.id))) {
        return toPage(PATHS.secondStep, returnTicket)
      }
      const due = current.principal.secondFactorDue
      if (due === undefined || current.principal.level === 'two_factor') {
        return redirect(await follow(deps, visit, returnTicket))
      }
      const view = {
        username: account.name,
        returnTicket,
        ...(deps.clock.now() < due ? { until: due } : {}),
        add: addable(deps, visit, returnTicket),
      }
      return deps.frame.page(visit, 200, (context) => secondFactorDuePage(context, view))
    },
  }
}

/** On to where one was going; after the time is up, that leads back here. */
function putOff(deps: PortalDeps): Route {
  return {
    method: 'POST',
    path: PATHS.secondFactorDue,
    handle: async (visit, form) => {
      const returnTicket = form.value('rt')
      const current = await currentSession(deps, visit)
      if (current.kind !== 'active') return toPage(PATHS.login, returnTicket)
      const due = current.principal.secondFactorDue
      if (due !== undefined && deps.clock.now() >= due) {
        return toPage(PATHS.secondFactorDue, returnTicket)
      }
      return redirect(await follow(deps, visit, returnTicket))
    },
  }
}
