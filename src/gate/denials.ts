import type { Authorization } from '../access/authorize.ts'
import { accountOf, type Identification, type Scheme } from '../access/identification.ts'
import { type Answer, problemJson } from '../http/answer.ts'
import { type AnswerKind, answerKind } from '../http/answer-kind.ts'
import { cookieName } from '../http/cookies.ts'
import { rateLimitHeaders } from '../http/rate-limit-headers.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { ReturnReason, ReturnTickets } from '../http/return-ticket.ts'
import { type Visit, visitUrl } from '../http/visit.ts'
import type { Clock } from '../lib/clock.ts'
import { unreachable } from '../lib/unreachable.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import { PATHS } from '../pages/paths.ts'
import { problemPage } from '../pages/problems/problem-page.ts'
import type { ProblemView } from '../pages/views.ts'
import { confirmPath } from '../portal/asked-proof.ts'
import type { Frame } from '../portal/frame.ts'
import { challenges, type Lacking } from './challenges.ts'
import type { GateApp } from './gate-app.ts'
import type { Refusal } from './refusals.ts'

/** What was judged, and is no allow. */
export type Judged = Extract<Authorization, { kind: 'decided' | 'unknown_host' }>

export type Told = { readonly scheme: Scheme | undefined; readonly offersBasic: boolean }

const TOLD_NOTHING: Told = { scheme: undefined, offersBasic: false }

/** Every way a request is not let through, as an answer for whoever sees it. */
export type Denials = {
  /** A decision that is not an allow, or a host nobody configured. */
  readonly decided: (
    visit: Visit,
    authorization: Judged,
    /** How the request said who sends it, and whether the app takes HTTP Basic. */
    told?: Told,
  ) => Answer
  /** A spelling of the path or a request that could be understood in more than one way. */
  readonly ambiguous: (visit: Visit, problem: 'path' | 'request') => Answer
  /** A WebSocket that another site's page tries to open. */
  readonly foreignOrigin: (visit: Visit) => Answer
  /** More groups than a proxy can be told of: nothing is left out, so nothing is let through. */
  readonly identityTooLarge: (visit: Visit, appName: string) => Answer
  readonly limited: (visit: Visit, budget: Budget, take: Take) => Answer
  /** As many WebSockets as one may have: the next is for when one has closed. */
  readonly crowded: (visit: Visit, appName: string) => Answer
  /** The store does not answer: nothing is allowed, and nothing is wrong with the visitor. */
  readonly unavailable: (visit: Visit) => Answer
  /** The owner is at work on the app: 503 with their words, for whoever would be let in. */
  readonly maintenance: (visit: Visit, app: Pick<GateApp, 'name' | 'maintenance'>) => Answer
  readonly notFound: (visit: Visit) => Answer
  /** A proxy that asks without the session cookie and fetches the refusal's page with it. */
  readonly lostCookie: (visit: Visit) => Answer
  readonly upstream: (
    visit: Visit,
    problem: 'unreachable' | 'timeout' | 'broken',
    appName: string,
  ) => Answer
}

const TOO_MANY_GROUPS = {
  en: 'This account is in too many groups, or their names are too long, for the proxy to be told.',
  fr: 'Ce compte appartient à trop de groupes, ou leurs noms sont trop longs, pour que le proxy en soit informé.',
}
const UPSTREAM_STATUS = { unreachable: 502, timeout: 504, broken: 502 } as const

/** What programs are told, by what is missing. */
type Demand = {
  readonly code: string
  readonly title: string
  readonly lack: 'session' | 'proof'
  readonly lacking: Lacking
}
const SIGN_IN_REQUIRED: Demand = {
  code: 'session_required',
  title: 'Sign-in required',
  lack: 'session',
  lacking: { kind: 'credential' },
}
const SECOND_FACTOR_REQUIRED: Demand = {
  ...SIGN_IN_REQUIRED,
  lack: 'proof',
  lacking: { kind: 'second_factor' },
}
const STEP_UP_REQUIRED = {
  lack: 'proof',
  code: 'step_up_required',
  title: 'Confirmation required',
} as const
/** Said of every credential that opens nothing, whatever is wrong with it. */
const CREDENTIAL_REFUSED: Demand = {
  ...SIGN_IN_REQUIRED,
  code: 'invalid_credential',
  title: 'The token or the password opens nothing here',
}

const OUT_OF_SCOPE = { lacking: { kind: 'scope' } } as const

/**
 * How a program may sign in. A page's script is not told of HTTP Basic: its browser would ask the
 * person for a password in a box of its own.
 */
function programChallenges(visit: Visit, { lacking }: Pick<Demand, 'lacking'>, told: Told) {
  const fromPage = firstHeader(visit.headers, 'sec-fetch-mode') !== undefined
  return challenges(new URL(visit.site.portalOrigin).host, {
    scheme: told.scheme,
    refused: lacking.kind === 'credential' && told.scheme !== 'cookie' && told.scheme !== undefined,
    offersBasic: told.offersBasic && !fromPage && lacking.kind !== 'scope',
    lacking,
  })
}

export function createDenials(deps: {
  readonly frame: Frame
  readonly tickets: ReturnTickets
  readonly clock: Clock
  /** The app a host belongs to. */
  readonly appOf?: (host: string) => { readonly name: string } | undefined
  /** Where people can read how the services are. */
  readonly statusPage?: string | undefined
  /** Told of each answer of 403, 429, 502, 503 and 504, once. Must not throw. */
  readonly refused?: (visit: Visit, refusal: Refusal) => void
}): Denials {
  const { frame, tickets, clock } = deps
  const statusPage = deps.statusPage === undefined ? {} : { statusPage: deps.statusPage }

  /** The same answer, told of. */
  const noted = (visit: Visit, answer: Answer, refusal: Omit<Refusal, 'status'>): Answer => {
    const app = refusal.app ?? deps.appOf?.(visit.host.name)?.name
    deps.refused?.(visit, {
      status: answer.status,
      ...refusal,
      ...(app === undefined ? {} : { app }),
    })
    return answer
  }

  /** A page for people, a problem document for programs. */
  const problem = (
    visit: Visit,
    status: number,
    code: string,
    title: string,
    view: ProblemView,
    headers: readonly (readonly [string, string])[] = [],
  ): Answer => {
    if (kindOf(visit) === 'program') {
      return problemJson({ status, title, code, reference: visit.requestId, headers })
    }
    return frame.page(visit, status, (page) => problemPage(page, view), {
      headers,
      oneLanguage: true,
    })
  }

  /** Leads to the page where what is missing can be given, and back to where one was. */
  const signIn = (visit: Visit, path: string, demand: Demand, told: Told): Answer => {
    const kind = kindOf(visit)
    // A form that comes from elsewhere, or a script's URL, is no place to come back to.
    const reading = visit.method === 'GET' || visit.method === 'HEAD'
    const back = reading || kind === 'form' ? visitUrl(visit) : `${visit.site.origin}/`
    const repeats = reading && demand.code !== STEP_UP_REQUIRED.code
    const ticket = tickets.issue(back, reasonOf(kind, repeats))
    const page = `${visit.site.portalOrigin}${path}`
    const loginUrl = `${page}${path.includes('?') ? '&' : '?'}rt=${ticket}`
    const headers = [
      ['WWW-Authenticate', `Session login_uri="${page}"`] as const,
      ...(kind === 'program' ? programChallenges(visit, demand, told) : []),
    ]
    switch (kind) {
      case 'page':
        return {
          status: reading ? 302 : 303,
          headers: [
            ['Location', loginUrl],
            ['Cache-Control', 'no-store'],
          ],
          body: '',
        }
      case 'form':
        return frame.page(
          visit,
          401,
          (page) => problemPage(page, { kind: 'interrupted', loginUrl, lack: demand.lack }),
          { oneLanguage: true, headers },
        )
      case 'frame':
        return frame.page(visit, 401, (page) => problemPage(page, { kind: 'framed', loginUrl }), {
          oneLanguage: true,
          headers,
          framed: true,
        })
      case 'program':
        return problemJson({
          status: 401,
          title: demand.title,
          code: demand.code,
          reference: visit.requestId,
          loginUrl: page,
          headers,
        })
      default:
        return unreachable(kind)
    }
  }

  return {
    decided: (visit, authorization, told = TOLD_NOTHING) => {
      if (authorization.kind === 'unknown_host') {
        return problem(visit, 404, 'unknown_host', 'Unknown host', {
          kind: 'unknown_host',
          host: visit.host.authority,
        })
      }
      const { app, decision, resolution } = authorization
      switch (decision.kind) {
        case 'sign_in':
          return signIn(
            visit,
            pageFor(resolution),
            resolution.kind === 'refused' ? CREDENTIAL_REFUSED : SIGN_IN_REQUIRED,
            told,
          )
        case 'second_factor':
          return signIn(visit, PATHS.secondStep, SECOND_FACTOR_REQUIRED, told)
        case 'confirm': {
          const { stepUp } = decision
          const demand = { ...STEP_UP_REQUIRED, lacking: { kind: 'proof', stepUp } } as const
          return signIn(visit, confirmPath(stepUp), demand, told)
        }
        case 'forbidden': {
          const account = resolution.kind === 'pending' ? undefined : accountOf(resolution)
          const language = frame.language(visit)
          const { explanation, remediation } = decision.rule
          const words = {
            ...text('explanation', explanation, language),
            ...text('remediation', remediation, language),
          }
          const scoped = decision.reason === 'out_of_scope'
          const answer = problem(
            visit,
            403,
            scoped ? 'out_of_scope' : 'forbidden',
            scoped ? 'The token was not made for this' : 'Not allowed',
            {
              kind: 'forbidden',
              appName: app.name,
              signedInAs: account?.name ?? '',
              ...words,
              ...(account === undefined
                ? {}
                : {
                    switchPath: switchPath(visit),
                    appsPath: `${visit.site.portalOrigin}${PATHS.launcher}`,
                  }),
            },
            scoped ? programChallenges(visit, OUT_OF_SCOPE, told) : [],
          )
          return noted(visit, answer, {
            reason: decision.reason,
            app: app.name,
            rule: decision.rule.name,
            ...(account === undefined ? {} : { account }),
          })
        }
        case 'allow':
          // Reaching this is a bug, and a bug does not open the door.
          throw new TypeError('an allow is not a denial')
      }
    },
    ambiguous: (visit, which) =>
      problem(visit, 400, 'ambiguous_request', 'Request refused', {
        kind: 'bad_request',
        problem: which,
      }),
    foreignOrigin: (visit) => {
      const answer = problemJson({
        status: 403,
        title: 'Not allowed from this origin',
        code: 'foreign_origin',
        reference: visit.requestId,
      })
      return noted(visit, answer, { reason: 'foreign_origin' })
    },
    identityTooLarge: (visit, appName) => {
      const answer = problem(visit, 403, 'identity_too_large', 'Too many groups', {
        kind: 'forbidden',
        appName,
        signedInAs: '',
        ...text('explanation', TOO_MANY_GROUPS, frame.language(visit)),
      })
      return noted(visit, answer, { reason: 'identity_too_large', app: appName })
    },
    limited: (visit, budget, take) => {
      const wait = take.kind === 'limited' ? take.retryAfter : 0
      const answer = problem(
        visit,
        429,
        'too_many_requests',
        'Too many requests',
        {
          kind: 'too_many',
          retryAt: clock.now() + wait,
          retryAfterSeconds: Math.max(1, Math.ceil(wait / 1000)),
        },
        rateLimitHeaders(budget, take),
      )
      return noted(visit, answer, { reason: budget.name })
    },
    crowded: (visit, appName) => {
      const answer = problemJson({
        status: 429,
        title: 'Too many open connections',
        code: 'too_many_connections',
        reference: visit.requestId,
        headers: [['Retry-After', '10']],
      })
      return noted(visit, answer, { reason: 'websockets', app: appName })
    },
    unavailable: (visit) => {
      const view: ProblemView = { kind: 'unavailable', ...statusPage }
      const headers = [['Retry-After', '5']] as const
      const answer = problem(visit, 503, 'unavailable', 'Temporarily unavailable', view, headers)
      return noted(visit, answer, { reason: 'unavailable' })
    },
    maintenance: (visit, app) => {
      const view: ProblemView = {
        kind: 'maintenance',
        appName: app.name,
        message: '',
        ...text('message', app.maintenance, frame.language(visit)),
        retryPath: visit.method === 'GET' ? visit.target : '/',
        ...statusPage,
      }
      const headers = [['Retry-After', '300']] as const
      const answer = problem(visit, 503, 'maintenance', 'Under maintenance', view, headers)
      return noted(visit, answer, { reason: 'maintenance', app: app.name })
    },
    lostCookie: (visit) =>
      problem(visit, 400, 'lost_cookie', 'The session cookie is lost', {
        kind: 'lost_cookie',
        lost: 'app',
        cookie: cookieName('session', visit.site.binding),
        host: visit.host.authority,
        https: visit.site.https,
        retry: visit.target,
        account: `${visit.site.portalOrigin}${PATHS.account}`,
      }),
    notFound: (visit) => problem(visit, 404, 'not_found', 'Not found', { kind: 'not_found' }),
    upstream: (visit, which, appName) => {
      const code = `upstream_${which}`
      const answer = problem(visit, UPSTREAM_STATUS[which], code, 'The app does not answer', {
        kind: 'upstream',
        problem: which,
        appName,
        retryPath: visit.method === 'GET' ? visit.target : '/',
        ...statusPage,
      })
      return noted(visit, answer, { reason: code, app: appName })
    },
  }
}

function kindOf({ method, headers, site }: Visit): AnswerKind {
  return answerKind(method, headers, site.origin)
}

/**
 * Only a link that is followed brings every cookie: if it was refused while there is a session,
 * then the cookie got lost on the way here. Who sends a form stays where they are, and signs in
 * beside it. A session that is to prove more has arrived, so it is not looked for.
 */
function reasonOf(kind: AnswerKind, followed: boolean): ReturnReason {
  if (kind === 'form') return 'interrupted'
  return kind === 'page' && followed ? 'refused' : 'asked'
}

/** Signing out, to come back here as somebody else; a page with a very long address is given up. */
function switchPath(visit: Visit): string {
  const url = visitUrl(visit)
  const back = visit.method === 'GET' && url.length <= 512 ? `?rd=${encodeURIComponent(url)}` : ''
  return `${visit.site.portalOrigin}${PATHS.logout}${back}`
}

/** Where what is missing can be given. */
function pageFor(resolution: Identification): string {
  if (resolution.kind !== 'pending') return PATHS.login
  return resolution.owes === 'password' ? PATHS.changePassword : PATHS.secondStep
}

/** The rule's own words in the visitor's language, or in the other one. */
function text<Key extends string>(
  key: Key,
  words: { readonly fr?: string; readonly en?: string } | undefined,
  language: 'fr' | 'en',
): { readonly [K in Key]?: string } {
  const chosen = words?.[language] ?? words?.en ?? words?.fr
  return (chosen === undefined ? {} : { [key]: chosen }) as { readonly [K in Key]?: string }
}
