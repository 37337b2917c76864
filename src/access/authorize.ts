import type { PolicySet } from '../policy/compile.ts'
import { type Decision, decide } from '../policy/decide.ts'
import { match } from '../policy/match.ts'
import type { AppPolicy } from '../policy/rule.ts'
import type { Target } from '../policy/target.ts'
import type { Resolution, Sessions } from '../sessions/sessions.ts'

/** The answer for one request, with the app it is about and what is known of who asks. */
export type Authorization =
  | { readonly kind: 'unknown_host' }
  | {
      readonly kind: 'decided'
      readonly app: AppPolicy
      readonly decision: Decision
      /** `none` on open targets: nobody was looked up. */
      readonly resolution: Resolution
    }

/**
 * Target and credentials to a decision: the only place where that happens, called by the proxy
 * and by every forward-auth endpoint. Answers at once when the session is in memory.
 *
 * @param token the session cookie's value, if there is one
 * @throws AppError `store_unavailable`; the caller must answer 503, never let it pass
 */
export type Authorize = (
  target: Target,
  token: string | undefined,
) => Authorization | Promise<Authorization>

const NOBODY: Resolution = { kind: 'none' }

export function createAuthorize(deps: {
  readonly policy: PolicySet
  readonly sessions: Pick<Sessions, 'resolve'>
}): Authorize {
  return (target, token) => {
    const app = deps.policy.appOf(target.host)
    if (app === undefined) return { kind: 'unknown_host' }
    const requirement = match(app, target)
    const judge = (resolution: Resolution): Authorization => ({
      kind: 'decided',
      app,
      // A session that still owes its second factor counts as nobody.
      decision: decide(
        requirement,
        resolution.kind === 'active' ? resolution.principal : undefined,
      ),
      resolution,
    })
    const asksWho =
      requirement.kind === 'sign_in' ||
      (requirement.kind === 'open' && requirement.refused.length > 0)
    if (token === undefined || (!asksWho && requirement.kind !== 'deny')) return judge(NOBODY)
    const resolution = deps.sessions.resolve(token)
    return resolution instanceof Promise ? resolution.then(judge) : judge(resolution)
  }
}
