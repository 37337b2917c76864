import { rateLimitHeaders } from '../http/rate-limit-headers.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import type { StepOutcome } from '../login/step.ts'
import type { ApiProblem, ProblemCode } from './problems.ts'
import type { ApiResult } from './route.ts'

/** `return refuse('not_found')` */
export function refuse(code: ProblemCode, more: Omit<ApiProblem, 'code'> = {}): ApiResult {
  return { kind: 'problem', problem: { code, ...more } }
}

/** 429, with when to come back. */
export function tooMany(budget: Budget, take: Take): ApiResult {
  return refuse('too_many_requests', { headers: rateLimitHeaders(budget, take) })
}

/** What a step of a sign-in came to when it was not right. The same for every reason. */
export function refusedStep(outcome: Exclude<StepOutcome, { kind: 'signed_in' }>): ApiResult {
  switch (outcome.kind) {
    case 'limited':
      return tooMany(outcome.budget, outcome.take)
    case 'busy':
      return refuse('busy', { headers: [['Retry-After', '2']] })
    case 'gone':
      return refuse('session_ended')
    case 'refused':
      return outcome.drift === undefined
        ? refuse('wrong_credentials')
        : refuse('clock_drift', { extra: { drift_seconds: Math.round(outcome.drift / 1000) } })
  }
}
