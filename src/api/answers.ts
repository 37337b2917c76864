import type { Answer } from '../http/answer.ts'
import { HSTS } from '../http/header-policy.ts'
import type { Visit } from '../http/visit.ts'
import { API } from './api-paths.ts'
import { type ApiProblem, PROBLEMS } from './problems.ts'

/** The problem in the form programs read (RFC 9457); `type` leads to its words in the description. */
export function problemAnswer(visit: Visit, problem: ApiProblem, language: 'fr' | 'en'): Answer {
  const { status, title } = PROBLEMS[problem.code]
  const { detail, faults, headers = [], extra = {} } = problem
  return {
    status,
    headers: [
      ['Content-Type', 'application/problem+json'],
      ['Content-Language', language],
      ...apiHeaders(visit),
      ...headers,
    ],
    body: JSON.stringify({
      type: `${visit.site.portalOrigin}${API}/#${problem.code}`,
      title: title[language],
      status,
      ...(detail === undefined ? {} : { detail }),
      code: problem.code,
      reference: visit.requestId,
      ...(faults === undefined ? {} : { errors: faults }),
      ...extra,
    }),
  }
}

/** What every answer of the API carries. */
export function apiHeaders({ site }: Pick<Visit, 'site'>): readonly (readonly [string, string])[] {
  return [
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Vary', 'Accept-Language, Authorization'],
    ...(site.https ? [['Strict-Transport-Security', HSTS] as const] : []),
  ]
}
