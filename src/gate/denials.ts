import type { Authorization } from '../access/authorize.ts'
import type { Account } from '../accounts/account.ts'
import { type Answer, problemJson } from '../http/answer.ts'
import { answerKind } from '../http/answer-kind.ts'
import { cookieName } from '../http/cookies.ts'
import { rateLimitHeaders } from '../http/rate-limit-headers.ts'
import type { ReturnTickets } from '../http/return-ticket.ts'
import { type Visit, visitUrl } from '../http/visit.ts'
import type { Clock } from '../lib/clock.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import { PATHS } from '../pages/paths.ts'
import { problemPage } from '../pages/problem-page.ts'
import type { ProblemView } from '../pages/views.ts'
import type { Frame } from '../portal/frame.ts'

/** Every way a request is not let through, as an answer for whoever sees it. */
export type Denials = {
  /** A decision that is not an allow, or a host nobody configured. */
  readonly decided: (visit: Visit, authorization: Authorization) => Answer
  /** A spelling of the path or a request that could be understood in more than one way. */
  readonly ambiguous: (visit: Visit, problem: 'path' | 'request') => Answer
  /** A WebSocket that another site's page tries to open. */
  readonly foreignOrigin: (visit: Visit) => Answer
  /** More groups than a proxy can be told of: nothing is left out, so nothing is let through. */
  readonly identityTooLarge: (visit: Visit, appName: string) => Answer
  readonly limited: (visit: Visit, budget: Budget, take: Take) => Answer
  /** The store does not answer: nothing is allowed, and nothing is wrong with the visitor. */
  readonly unavailable: (visit: Visit) => Answer
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

export function createDenials(deps: {
  readonly frame: Frame
  readonly tickets: ReturnTickets
  readonly clock: Clock
}): Denials {
  const { frame, tickets, clock } = deps

  /** A page for people, a problem document for programs. */
  const problem = (
    visit: Visit,
    status: number,
    code: string,
    title: string,
    view: ProblemView,
    headers: readonly (readonly [string, string])[] = [],
  ): Answer => {
    if (answerKind(visit.method, visit.headers) === 'program') {
      return problemJson({ status, title, code, reference: visit.requestId, headers })
    }
    return frame.page(visit, status, (page) => problemPage(page, view), {
      headers,
      oneLanguage: true,
    })
  }

  const signIn = (visit: Visit, path: string): Answer => {
    const kind = answerKind(visit.method, visit.headers)
    // A form that comes from elsewhere, or a script's URL, is no place to come back to.
    const reading = visit.method === 'GET' || visit.method === 'HEAD'
    const back = reading || kind === 'form' ? visitUrl(visit) : `${visit.site.origin}/`
    // Only a link that is followed brings every cookie: if it was refused while there is a session,
    // then the cookie got lost on the way here.
    const ticket = tickets.issue(back, kind === 'page' && reading ? 'refused' : 'asked')
    const loginUrl = `${visit.site.portalOrigin}${path}${path.includes('?') ? '&' : '?'}rt=${ticket}`
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
          (page) => problemPage(page, { kind: 'interrupted', loginUrl }),
          { oneLanguage: true, headers: [['WWW-Authenticate', 'Sallyport']] },
        )
      case 'frame':
        return frame.page(visit, 401, (page) => problemPage(page, { kind: 'framed', loginUrl }), {
          oneLanguage: true,
          headers: [['WWW-Authenticate', 'Sallyport']],
        })
      case 'program':
        return problemJson({
          status: 401,
          title: 'Sign-in required',
          code: 'session_required',
          reference: visit.requestId,
          loginUrl: `${visit.site.portalOrigin}${path}`,
          headers: [['WWW-Authenticate', 'Sallyport']],
        })
    }
  }

  return {
    decided: (visit, authorization) => {
      if (authorization.kind === 'unknown_host') {
        return problem(visit, 404, 'unknown_host', 'Unknown host', {
          kind: 'unknown_host',
          host: visit.host.authority,
        })
      }
      const { app, decision, resolution } = authorization
      switch (decision.kind) {
        case 'sign_in':
          return signIn(visit, resolution.kind === 'pending' ? PATHS.totp : PATHS.login)
        case 'second_factor':
          return signIn(visit, PATHS.totp)
        case 'forbidden': {
          const account: Account | undefined =
            resolution.kind === 'active' ? resolution.account : undefined
          const language = frame.language(visit)
          const { explanation, remediation } = decision.rule
          const words = {
            ...text('explanation', explanation, language),
            ...text('remediation', remediation, language),
          }
          return problem(visit, 403, 'forbidden', 'Not allowed', {
            kind: 'forbidden',
            appName: app.name,
            signedInAs: account?.name ?? '',
            ...words,
            ...(account === undefined
              ? {}
              : {
                  switchPath: `${visit.site.portalOrigin}${PATHS.logout}`,
                  accountPath: `${visit.site.portalOrigin}${PATHS.account}`,
                }),
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
    foreignOrigin: (visit) =>
      problemJson({
        status: 403,
        title: 'Not allowed from this origin',
        code: 'foreign_origin',
        reference: visit.requestId,
      }),
    identityTooLarge: (visit, appName) =>
      problem(visit, 403, 'identity_too_large', 'Too many groups', {
        kind: 'forbidden',
        appName,
        signedInAs: '',
        ...text('explanation', TOO_MANY_GROUPS, frame.language(visit)),
      }),
    limited: (visit, budget, take) => {
      const wait = take.kind === 'limited' ? take.retryAfter : 0
      return problem(
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
    },
    unavailable: (visit) =>
      problem(visit, 503, 'unavailable', 'Temporarily unavailable', { kind: 'unavailable' }, [
        ['Retry-After', '5'],
      ]),
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
    upstream: (visit, which, appName) =>
      problem(visit, UPSTREAM_STATUS[which], `upstream_${which}`, 'The app does not answer', {
        kind: 'upstream',
        problem: which,
        appName,
        retryPath: visit.method === 'GET' ? visit.target : '/',
      }),
  }
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
