import type { AppSettings } from '../config/settings.ts'
import { type Answer, problemJson } from '../http/answer.ts'
import { type Cors, type CorsPolicy, createCors } from '../http/cors.ts'
import { firstHeader } from '../http/raw-headers.ts'
import { type Visit, visitForLog } from '../http/visit.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { GateLog } from './gate-log.ts'

/** Pages of other origins at the gate, for the apps whose configuration speaks of them. */
export type CorsGate = {
  /** Whether it is a preflight for an app with a policy. */
  readonly asks: (visit: Visit) => boolean
  /**
   * Notes whoever is not let in and, if told to, answers a preflight, which carries no credentials
   * by its nature. `undefined`: to be judged like any other request. Nothing is forwarded here.
   */
  readonly meet: (visit: Visit, preflights: 'answer' | 'note') => Answer | undefined
  /** An answer of our own, readable for pages that are let in. */
  readonly readable: (visit: Visit, answer: Answer) => Answer
  /** For forward-auth: what the proxy may put on the app's answer. */
  readonly headersFor: (visit: Visit) => readonly (readonly [string, string])[]
  /** Works the app's policy into its answers; `undefined` where there is none. */
  readonly dresserOf: (appName: string) => Dresser | undefined
}

export type Dresser = (list: [name: string, value: string][], visit: Visit) => void

/** `undefined` when no app has a policy, so that nobody pays for it. */
export function createCorsGate(
  apps: readonly (Pick<AppSettings, 'name'> & { readonly cors?: CorsPolicy })[],
  deps: {
    /** The app a host belongs to. */
    readonly appOf: (host: string) => { readonly name: string } | undefined
    readonly log: GateLog
    readonly metrics: Pick<Metrics, 'corsRefused'>
  },
): CorsGate | undefined {
  const policies = new Map<string, Cors>()
  for (const { name, cors } of apps) {
    if (cors !== undefined) policies.set(name, createCors(cors))
  }
  if (policies.size === 0) return undefined
  const corsOf = (visit: Visit): readonly [string, Cors] | undefined => {
    const name = deps.appOf(visit.host.name)?.name
    const cors = name === undefined ? undefined : policies.get(name)
    return name === undefined || cors === undefined ? undefined : [name, cors]
  }

  return {
    asks: (visit) => isPreflight(visit) && corsOf(visit) !== undefined,
    meet: (visit, preflights) => {
      const found = corsOf(visit)
      if (found === undefined) return undefined
      const [app, cors] = found
      const crossing = cors.judge(visit, visit.site.origin)
      if (crossing.kind === 'preflight') {
        return preflights === 'answer' ? crossing.answer : undefined
      }
      if (crossing.kind !== 'refused') return undefined
      // A person who follows a link or sends a form is no page that reads: nothing is refused.
      if (!crossing.preflight && isNavigation(visit)) return undefined
      deps.metrics.corsRefused(app, crossing.reason)
      deps.log.info(
        {
          event: 'cors.refused',
          outcome: 'deny',
          reason: crossing.reason,
          app,
          origin: (firstHeader(visit.headers, 'origin') ?? '').slice(0, 200),
          ...visitForLog(visit),
        },
        'page of another origin refused',
      )
      return crossing.preflight && preflights === 'answer' ? refusedPreflight(visit) : undefined
    },
    readable: (visit, answer) => {
      const found = corsOf(visit)
      if (found === undefined) return answer
      const more = found[1].headersFor(visit.headers, visit.site.origin, { exposeOurs: true })
      return { ...answer, headers: [...answer.headers, ...more] }
    },
    headersFor: (visit) => corsOf(visit)?.[1].headersFor(visit.headers, visit.site.origin) ?? [],
    dresserOf: (appName) => {
      const cors = policies.get(appName)
      if (cors === undefined) return undefined
      return (list, visit) => cors.dress(list, visit.headers, visit.site.origin)
    },
  }
}

/**
 * Makes every answer of a set readable: each of its members renders an answer for a visit, which
 * is its first argument.
 */
export function readableAnswers<Answers extends object>(
  answers: Answers & Readonly<Record<keyof Answers, (visit: Visit, ...rest: never[]) => Answer>>,
  gate: Pick<CorsGate, 'readable'> | undefined,
): Answers {
  if (gate === undefined) return answers
  const entries = Object.entries<(visit: Visit, ...rest: never[]) => Answer>(answers)
  const readable = entries.map(([name, render]) => [
    name,
    (visit: Visit, ...rest: never[]) => gate.readable(visit, render(visit, ...rest)),
  ])
  // The same members, each with the arguments it had.
  return Object.fromEntries(readable) as Answers
}

/** Whether a page's browser asks what it may do (Fetch, "CORS-preflight request"). */
function isPreflight(visit: Pick<Visit, 'method' | 'headers'>): boolean {
  return (
    visit.method === 'OPTIONS' &&
    firstHeader(visit.headers, 'origin') !== undefined &&
    firstHeader(visit.headers, 'access-control-request-method') !== undefined
  )
}

/** WebSockets have a check of their own. */
function isNavigation(visit: Visit): boolean {
  return (
    firstHeader(visit.headers, 'sec-fetch-mode')?.toLowerCase() === 'navigate' ||
    firstHeader(visit.headers, 'upgrade') !== undefined
  )
}

function refusedPreflight(visit: Visit): Answer {
  return problemJson({
    status: 403,
    title: 'Not allowed from this origin',
    code: 'cors_refused',
    reference: visit.requestId,
  })
}
