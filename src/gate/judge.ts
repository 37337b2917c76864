import type { Authorization, Authorize } from '../access/authorize.ts'
import type { Answer } from '../http/answer.ts'
import { cookieName, readCookie } from '../http/cookies.ts'
import { readRequestPath } from '../http/request-path.ts'
import { type Visit, visitForLog } from '../http/visit.ts'
import { AppError } from '../lib/app-error.ts'
import { networkKey } from '../lib/network.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Denials } from './denials.ts'
import type { Decided, GateApp } from './gate-app.ts'
import type { GateLog } from './gate-log.ts'

/** What came of a visit: an answer that ends it, or an allow and the app it is for. */
export type Passage =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'pass'; readonly app: GateApp; readonly authorization: Decided }

/** Judges a request, received or asked about: the one way to a pass. */
export type Judge = {
  /**
   * Budget → path → decision. Answers at once when the session is in memory.
   * @throws AppError `store_unavailable`; to be rendered by `failed`
   */
  readonly judge: (visit: Visit) => Passage | Promise<Passage>
  /** Takes one from the budget, the network's unless a key is given; an answer when it is empty. */
  readonly spend: (visit: Visit, budget: Budget, key?: string) => Answer | undefined
  /** An error is never an allow: whatever it was, 503 and a log line. */
  readonly failed: (visit: Visit, error: unknown) => Answer
}

/** Methods an app is asked with. `TRACE` would show it our headers, `CONNECT` is for proxies. */
export const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

export function createJudge(deps: {
  readonly authorize: Authorize
  readonly sessions: Pick<Sessions, 'familiar'>
  readonly limiter: Limiter
  readonly budgets: { readonly default: Budget; readonly session: Budget }
  /** Apps by the name their policy carries. */
  readonly apps: ReadonlyMap<string, GateApp>
  readonly appOf: (host: string) => GateApp | undefined
  readonly denials: Denials
  readonly log: GateLog
}): Judge {
  const { denials, limiter, budgets } = deps

  const judge: Judge['judge'] = (visit) => {
    const token = readCookie(visit.headers, cookieName('session', visit.site.binding))
    const familiar = token === undefined ? undefined : deps.sessions.familiar(token)
    const limited =
      familiar === undefined
        ? spend(visit, budgets.default)
        : spend(visit, budgets.session, familiar)
    if (limited !== undefined) return { kind: 'answer', answer: limited }
    const app = deps.appOf(visit.host.name)
    if (visit.method === 'TRACE' || visit.method === 'CONNECT') {
      return { kind: 'answer', answer: methodNotAllowed(visit) }
    }
    const read = readRequestPath(visit.target, { encodedSlash: app?.allowEncodedSlash === true })
    if (read.kind === 'ambiguous') {
      deps.log.info(
        { event: 'authz.decision', outcome: 'deny', reason: read.reason, ...visitForLog(visit) },
        'path refused',
      )
      return { kind: 'answer', answer: denials.ambiguous(visit, 'path') }
    }
    const target = {
      host: visit.host.name,
      method: visit.method,
      readings: read.path.readings,
      address: visit.client.address,
    }
    const settle = (authorization: Authorization): Passage => {
      if (familiar === undefined && authorization.kind === 'decided') {
        const { resolution } = authorization
        if (resolution.kind === 'active') {
          // A session pays from its own budget, not from its network's.
          limiter.refund(budgets.default, networkKey(visit.client.address))
          const over = spend(visit, budgets.session, resolution.session.id)
          if (over !== undefined) return { kind: 'answer', answer: over }
        }
      }
      if (authorization.kind === 'decided' && authorization.decision.kind === 'allow') {
        const gateApp = deps.apps.get(authorization.app.name)
        if (gateApp !== undefined) return { kind: 'pass', app: gateApp, authorization }
      }
      logDenial(visit, authorization)
      return { kind: 'answer', answer: denials.decided(visit, authorization) }
    }
    const authorization = deps.authorize(target, token)
    return authorization instanceof Promise ? authorization.then(settle) : settle(authorization)
  }

  const spend: Judge['spend'] = (visit, budget, key) => {
    const take = limiter.take(budget, key ?? networkKey(visit.client.address))
    if (take.kind === 'taken') return undefined
    deps.log.info(
      { event: 'ratelimit.hit', outcome: 'deny', reason: budget.name, ...visitForLog(visit) },
      'rate limit',
    )
    return denials.limited(visit, budget, take)
  }

  const logDenial = (visit: Visit, authorization: Authorization) => {
    if (authorization.kind !== 'decided') return
    const { decision, app, resolution } = authorization
    const level = decision.kind === 'forbidden' ? 'info' : 'debug'
    deps.log[level](
      {
        event: 'authz.decision',
        outcome: 'deny',
        reason: decision.kind === 'forbidden' ? decision.reason : decision.kind,
        app: app.name,
        rule: decision.rule.name,
        ...(resolution.kind === 'none' ? {} : { user: resolution.account.name }),
        ...visitForLog(visit),
      },
      'refused',
    )
  }

  const failed: Judge['failed'] = (visit, error) => {
    const code = error instanceof AppError ? error.code : 'bug'
    deps.log.error(
      { event: 'request.error', outcome: 'error', code, err: error, ...visitForLog(visit) },
      'request failed',
    )
    return denials.unavailable(visit)
  }

  const methodNotAllowed = (visit: Visit): Answer => {
    const answer = denials.ambiguous(visit, 'request')
    return { ...answer, status: 405, headers: [...answer.headers, ['Allow', ALLOWED_METHODS]] }
  }

  return { judge, spend, failed }
}
