import type { Authorization, Authorize, Matched, Who } from '../access/authorize.ts'
import { coveringRules } from '../access/covering-rules.ts'
import {
  accountOf,
  holderOf,
  type Identification,
  principalOf,
  type Scheme,
} from '../access/identification.ts'
import type { Answer } from '../http/answer.ts'
import { cookieName, readCookie } from '../http/cookies.ts'
import { firstHeader } from '../http/raw-headers.ts'
import { readRequestPath } from '../http/request-path.ts'
import { type Visit, visitForLog } from '../http/visit.ts'
import { AppError } from '../lib/app-error.ts'
import { networkKey } from '../lib/network.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { RateClass } from '../limits/rate-class.ts'
import { createTolls, type Paid, type PricedRule } from '../limits/tolls.ts'
import { type Metrics, NO_METRICS } from '../metrics/metrics.ts'
import type { PathReading } from '../policy/target.ts'
import { type Credential, type Credentials, schemeOf } from './credentials.ts'
import type { Denials } from './denials.ts'
import type { Decided, GateApp } from './gate-app.ts'
import type { GateLog } from './gate-log.ts'

/** What came of a visit: an answer that ends it, or an allow and the app it is for. */
export type Passage =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | {
      readonly kind: 'pass'
      readonly app: GateApp
      readonly authorization: Decided
      /** How the request said who sends it: what it said in `Authorization` is not the app's. */
      readonly scheme: Scheme | undefined
    }

/** Whether a visit ended before anything was asked about it, for there were too many. */
export function isLimited(passage: Passage): boolean {
  return passage.kind === 'answer' && passage.answer.status === 429
}

/** Judges a request, received or asked about: the one way to a pass. */
export type Judge = {
  /**
   * Path → rules → what they cost → who asks → decision. Nobody is looked up before the request
   * is paid for. Answers at once when the session is in memory.
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
  readonly credentials: Credentials
  readonly limiter: Limiter
  /** By name, the built-in ones among them. */
  readonly classes: ReadonlyMap<string, RateClass>
  /** What an address pays from while it is not known who asks. */
  readonly anonymous: Budget
  /** Apps by the name their policy carries. */
  readonly apps: ReadonlyMap<string, GateApp>
  readonly appOf: (host: string) => GateApp | undefined
  readonly denials: Denials
  readonly log: GateLog
  readonly metrics?: Pick<Metrics, 'decided' | 'limited'>
  /** Whether an app might take the path for one that only signed messages enter by. */
  readonly inLane?: (host: string, readings: readonly PathReading[]) => boolean
}): Judge {
  const { denials, limiter, credentials, authorize, metrics = NO_METRICS } = deps
  const tolls = createTolls(deps)

  const judge: Judge['judge'] = (visit) => {
    const asked = ask(visit)
    const takes = asked.kind === 'matched' ? deps.apps.get(asked.app.name)?.basic : undefined
    const cookie = readCookie(visit.headers, cookieName('session', visit.site.binding))
    const credential = credentials.read(visit.headers, cookie, takes)
    const pay = (rules: readonly PricedRule[], app: string) => {
      const familiar = credential === undefined ? undefined : credentials.familiar(credential)
      return tolls.enter(rules, {
        address: networkKey(visit.client.address),
        app,
        session: familiar?.session,
        user: () => familiar?.user,
      })
    }
    const paid =
      asked.kind === 'matched'
        ? pay(coveringRules(asked.requirement), asked.app.name)
        : pay(UNCOVERED, '')
    if (paid.kind === 'limited') return { kind: 'answer', answer: limited(visit, paid) }
    if (asked.kind === 'refused') return { kind: 'answer', answer: asked.answer() }
    const settle = (authorization: Authorization): Passage => {
      const over = settleUp(visit, paid, authorization)
      if (over !== undefined) return { kind: 'answer', answer: over }
      if (authorization.kind === 'decided' && authorization.decision.kind === 'allow') {
        const gateApp = deps.apps.get(authorization.app.name)
        metrics.decided(authorization.app.name, 'allow', authorization.decision.rule.policy)
        if (gateApp?.maintenance !== undefined) {
          return { kind: 'answer', answer: denials.maintenance(visit, gateApp) }
        }
        if (gateApp !== undefined) {
          return { kind: 'pass', app: gateApp, authorization, scheme: schemeOf(credential) }
        }
      }
      if (authorization.kind === 'limited') {
        return { kind: 'answer', answer: limited(visit, authorization) }
      }
      if (authorization.kind === 'busy') {
        return { kind: 'answer', answer: denials.unavailable(visit) }
      }
      logDenial(visit, authorization)
      const refusal = { scheme: schemeOf(credential), offersBasic: takes !== undefined }
      return { kind: 'answer', answer: denials.decided(visit, authorization, refusal) }
    }
    const authorization = authorize.decide(asked, whoOf(visit, credential))
    return authorization instanceof Promise ? authorization.then(settle) : settle(authorization)
  }

  const whoOf = (visit: Visit, credential: Credential | undefined): Who | undefined =>
    credential === undefined
      ? undefined
      : (level) =>
          credentials.identify(credential, level, {
            requestId: visit.requestId,
            address: visit.client.address,
            userAgent:
              credential.kind === 'basic'
                ? (firstHeader(visit.headers, 'user-agent') ?? '').slice(0, 256)
                : '',
          })

  /** What the rules say of it; `refused`: it is not fit to be asked about. */
  const ask = (visit: Visit): Asked => {
    if (visit.method === 'TRACE' || visit.method === 'CONNECT') {
      return { kind: 'refused', answer: () => methodNotAllowed(visit) }
    }
    const read = readRequestPath(visit.target, deps.appOf(visit.host.name)?.allowInPaths)
    if (read.kind === 'ambiguous') {
      return { kind: 'refused', answer: () => ambiguous(visit, read.reason) }
    }
    if (deps.inLane?.(visit.host.name, read.path.readings) === true) {
      return { kind: 'refused', answer: () => ambiguous(visit, 'webhook_path') }
    }
    return authorize.match({
      host: visit.host.name,
      method: visit.method,
      readings: read.path.readings,
      address: visit.client.address,
    })
  }

  const ambiguous = (visit: Visit, reason: string): Answer => {
    metrics.decided(deps.appOf(visit.host.name)?.name ?? 'none', 'refused', reason)
    deps.log.info(
      { event: 'authz.decision', outcome: 'deny', reason, ...visitForLog(visit) },
      'path refused',
    )
    return denials.ambiguous(visit, 'path')
  }

  /** A session pays from its own budget, not from its network's. */
  const settleUp = (visit: Visit, paid: Paid, authorization: Authorization) => {
    if (paid.owed.length === 0 || authorization.kind !== 'decided') return undefined
    const { resolution } = authorization
    const holder = holderOf(resolution)
    if (holder === undefined || resolution.kind === 'none') return undefined
    const settled = tolls.settle(paid, {
      address: networkKey(visit.client.address),
      session: holder,
      user: principalOf(resolution)?.userId ?? holder,
    })
    return settled.kind === 'limited' ? limited(visit, settled) : undefined
  }

  const spend: Judge['spend'] = (visit, budget, key) => {
    const take = limiter.take(budget, key ?? networkKey(visit.client.address))
    return take.kind === 'taken' ? undefined : limited(visit, { budget, take })
  }

  const limited = (visit: Visit, { budget, take }: { budget: Budget; take: Take }): Answer => {
    metrics.limited(budget.name)
    deps.log.info(
      { event: 'ratelimit.hit', outcome: 'deny', reason: budget.name, ...visitForLog(visit) },
      'rate limit',
    )
    return denials.limited(visit, budget, take)
  }

  const logDenial = (visit: Visit, authorization: Authorization) => {
    if (authorization.kind !== 'decided') return
    const { decision, app, resolution } = authorization
    const why = decision.kind === 'forbidden' ? decision.reason : decision.kind
    metrics.decided(app.name, decision.kind, why)
    const level = decision.kind === 'forbidden' ? 'info' : 'debug'
    deps.log[level](
      {
        event: 'authz.decision',
        outcome: 'deny',
        reason: why,
        app: app.name,
        rule: decision.rule.name,
        ...userOf(resolution),
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

/** The account's name, or what a service token is known as. */
function userOf(who: Identification): { readonly user?: string } {
  const name = accountOf(who)?.name ?? principalOf(who)?.name
  return name === undefined ? {} : { user: name }
}

/** What there is to decide, or why there is nothing; the answer is made when it was paid for. */
type Asked = Matched | { readonly kind: 'refused'; readonly answer: () => Answer }

/** Stands for "covered by no rule": it costs what a request costs whose rule names no class. */
const UNCOVERED: readonly PricedRule[] = [{ name: '' }]
