import { z } from 'zod'
import { unreachable } from '../../lib/unreachable.ts'
import type { FactorRemoval } from '../../login/factor-changes.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import type { ApiCaller, ApiResult } from '../route.ts'
import { instantOf } from '../schemas.ts'
import { withTokens } from './factor-answer.ts'

/** What its owner calls a device. */
export const deviceName = z
  .string()
  .min(1)
  .max(256)
  .describe('For people; cut to 40 characters')
  .meta({ examples: ['My phone'] })

export const changedName = z.strictObject({ name: deviceName })

/** A name that shows nothing. */
export function blankName(language: 'fr' | 'en'): ApiResult {
  const message = catalogue(language).device.empty
  return refuse('invalid_request', {
    faults: [{ path: '/body/name', code: 'too_small', message }],
  })
}

/** An instant, or that there was none. */
export function lastUse(at: number): string | null {
  return at === 0 ? null : instantOf(at)
}

/** What came of removing a factor. */
export async function removed(
  deps: ApiDeps,
  caller: Pick<ApiCaller, 'session'>,
  removal: FactorRemoval,
): Promise<ApiResult> {
  switch (removal.kind) {
    case 'removed':
      return withTokens(deps, caller, removal.issued, 200, (tokens) => ({ tokens }))
    case 'needed':
      return refuse('factor_needed')
    case 'unknown':
      return refuse('not_found')
    case 'session_gone':
      return refuse('session_ended')
    default:
      return unreachable(removal)
  }
}
