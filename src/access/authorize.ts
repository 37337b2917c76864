import type { Clock } from '../lib/clock.ts'
import type { PolicySet } from '../policy/compile.ts'
import { type Decision, decide } from '../policy/decide.ts'
import { match, type Requirement } from '../policy/match.ts'
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

/** What the rules ask for a target, before anybody was looked up. */
export type Matched =
  | { readonly kind: 'unknown_host' }
  | { readonly kind: 'matched'; readonly app: AppPolicy; readonly requirement: Requirement }

/**
 * Target and credentials to a decision: the only place where that happens, for the proxy and for
 * every forward-auth endpoint. In two steps, because what a request costs depends on the rule
 * that covers it and is to be paid before a look-up.
 */
export type Authorize = {
  /** Finds what the rules ask. Pure: no I/O, and the same for whoever asks. */
  readonly match: (target: Target) => Matched
  /**
   * Judges it for whoever holds the token. Answers at once when the session is in memory.
   * @param token the session cookie's value, if there is one
   * @throws AppError `store_unavailable`; the caller must answer 503, never let it pass
   */
  readonly decide: (
    matched: Matched,
    token: string | undefined,
  ) => Authorization | Promise<Authorization>
}

const NOBODY: Resolution = { kind: 'none' }

export function createAuthorize(deps: {
  readonly policy: PolicySet
  readonly sessions: Pick<Sessions, 'resolve'>
  readonly clock: Clock
  /** Told of every target as the rules are about to see it. */
  readonly onTarget?: ((target: Target) => void) | undefined
}): Authorize {
  const matched = (target: Target): Matched => {
    const app = deps.policy.appOf(target.host)
    if (app === undefined) return { kind: 'unknown_host' }
    return { kind: 'matched', app, requirement: match(app, target) }
  }
  const { onTarget } = deps
  return {
    match:
      onTarget === undefined
        ? matched
        : (target) => {
            onTarget(target)
            return matched(target)
          },
    decide: (matched, token) => {
      if (matched.kind === 'unknown_host') return matched
      const { app, requirement } = matched
      const judge = (resolution: Resolution): Authorization => ({
        kind: 'decided',
        app,
        // A session that still owes its second factor counts as nobody.
        decision: decide(
          requirement,
          resolution.kind === 'active' ? resolution.principal : undefined,
          deps.clock.now(),
        ),
        resolution,
      })
      const asksWho =
        requirement.kind === 'sign_in' ||
        (requirement.kind === 'open' && requirement.refused.length > 0)
      if (token === undefined || (!asksWho && requirement.kind !== 'deny')) return judge(NOBODY)
      const resolution = deps.sessions.resolve(token)
      return resolution instanceof Promise ? resolution.then(judge) : judge(resolution)
    },
  }
}
