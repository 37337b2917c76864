import type { Level } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { PolicySet } from '../policy/compile.ts'
import { type Decision, decide } from '../policy/decide.ts'
import { match, type Requirement } from '../policy/match.ts'
import type { AppPolicy } from '../policy/rule.ts'
import type { Target } from '../policy/target.ts'
import { afterRevocation } from './after-revocation.ts'
import type { AppRevocations } from './app-revocations.ts'
import type { Identification } from './identification.ts'
import { createScopeCovers } from './scope.ts'

/** The answer for one request, with the app it is about and what is known of who asks. */
export type Authorization =
  | { readonly kind: 'unknown_host' }
  | {
      readonly kind: 'decided'
      readonly app: AppPolicy
      readonly decision: Decision
      /** `none` on open targets: nobody was looked up. */
      readonly resolution: Exclude<Identification, NothingJudged>
    }
  | NothingJudged

type NothingJudged = Extract<Identification, { kind: 'limited' | 'busy' }>

/** What the rules ask for a target, before anybody was looked up. */
export type Matched =
  | { readonly kind: 'unknown_host' }
  | {
      readonly kind: 'matched'
      readonly app: AppPolicy
      readonly requirement: Requirement
      readonly target: Target
    }

/** Finds out who asks, when that matters. @param level what the rules ask for */
export type Who = (level: Level) => Identification | Promise<Identification>

/**
 * Target and credentials to a decision: the only place where that happens, for the proxy and for
 * every forward-auth endpoint. In two steps, because what a request costs depends on the rule
 * that covers it and is to be paid before a look-up.
 */
export type Authorize = {
  /** Finds what the rules ask. Pure: no I/O, and the same for whoever asks. */
  readonly match: (target: Target) => Matched
  /**
   * Judges it for whoever asks. Answers at once when that is known from memory.
   * @param who absent: nobody says who it is
   * @throws AppError `store_unavailable`; the caller must answer 503, never let it pass
   */
  readonly decide: (
    matched: Matched,
    who: Who | undefined,
  ) => Authorization | Promise<Authorization>
}

const NOBODY: Identification = { kind: 'none' }

export function createAuthorize(deps: {
  readonly policy: PolicySet
  /** Apps whose access is taken back; absent: none ever is. */
  readonly revocations?: Pick<AppRevocations, 'since'> | undefined
  readonly clock: Clock
  /** Told of every target as the rules are about to see it. */
  readonly onTarget?: ((target: Target) => void) | undefined
}): Authorize {
  const matched = (target: Target): Matched => {
    const app = deps.policy.appOf(target.host)
    if (app === undefined) return { kind: 'unknown_host' }
    return { kind: 'matched', app, requirement: match(app, target), target }
  }
  const { onTarget } = deps
  const covers = createScopeCovers()
  /** What the rules allow a person, a token of theirs may still not be made for. */
  const within = (
    decision: Decision,
    resolution: Identification,
    { app, target }: Extract<Matched, { kind: 'matched' }>,
  ): Decision => {
    if (decision.kind !== 'allow' || resolution.kind !== 'program') return decision
    const { principal, rule } = decision
    const { scope } = resolution
    if (principal === undefined || scope === undefined) return decision
    if (covers(scope, app.name, target)) return decision
    return { kind: 'forbidden', rule, reason: 'out_of_scope', principal }
  }
  return {
    match:
      onTarget === undefined
        ? matched
        : (target) => {
            onTarget(target)
            return matched(target)
          },
    decide: (matched, who) => {
      if (matched.kind === 'unknown_host') return matched
      const { app, requirement } = matched
      const judge = (resolution: Identification, since: number): Authorization => {
        if (resolution.kind === 'limited' || resolution.kind === 'busy') return resolution
        // A session that still owes its second factor counts as nobody.
        const known = resolution.kind === 'active' || resolution.kind === 'program'
        const principal = known ? resolution.principal : undefined
        const now = deps.clock.now()
        const decided = within(decide(requirement, principal, now), resolution, matched)
        const decision = afterRevocation(decided, resolution, since, now)
        return { kind: 'decided', app, decision, resolution }
      }
      const asksWho =
        requirement.kind === 'sign_in' ||
        (requirement.kind === 'open' && requirement.refused.length > 0)
      if (who === undefined || (!asksWho && requirement.kind !== 'deny')) return judge(NOBODY, 0)
      const resolution = who(requirement.kind === 'sign_in' ? requirement.level : 'one_factor')
      const since = deps.revocations?.since(app.name) ?? 0
      if (!(resolution instanceof Promise || since instanceof Promise)) {
        return judge(resolution, since)
      }
      return Promise.all([resolution, since]).then(([who, at]) => judge(who, at))
    },
  }
}
