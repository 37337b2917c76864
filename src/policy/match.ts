import type { Level } from '../identity/principal.ts'
import { LEVELS } from '../identity/principal.ts'
import { type PathPattern, type Segments, segmentsOf } from './path-pattern.ts'
import type { AppPolicy, Rule } from './rule.ts'
import { type StepUp, stricterStepUp } from './step-up.ts'
import type { PathReading, Target } from './target.ts'

/** One demand: this level, and one of these people if the rule names any. */
export type Clause = { readonly level: Level; readonly rule: Rule }

/**
 * What the rules ask of whoever wants the target. Needs no person, so an open target costs no
 * session look-up. `refused`: rules that deny only some people, and so need to know who asks.
 */
export type Requirement =
  | {
      readonly kind: 'open'
      readonly rule: Rule
      readonly refused: readonly Rule[]
      readonly also?: readonly Rule[]
    }
  | {
      readonly kind: 'sign_in'
      readonly level: Level
      /** All of them must hold. */
      readonly clauses: readonly Clause[]
      /** What must be proved beyond the level. */
      readonly stepUp: StepUp | undefined
      readonly refused: readonly Rule[]
      /** Rules without a demand that cover another reading: what it costs depends on them too. */
      readonly also?: readonly Rule[]
    }
  | { readonly kind: 'deny'; readonly rule: Rule }

/** Stands for "no rule applied". */
export const DEFAULT_DENY: Rule = {
  name: 'default',
  policy: 'deny',
  hosts: [],
  paths: [],
  foldedPaths: [],
  methods: new Set(),
  networks: undefined,
  users: new Set(),
  groups: new Set(),
}

const NONE: readonly Rule[] = []

/**
 * The first rule that covers the target decides; none means deny. Where the path has several
 * readings, each is judged and every demand found must hold: the stricter reading wins.
 *
 * `users` and `groups` are part of the demand, not of the match: a rule that allows some people
 * refuses all others, and never hands them on to a laxer rule further down. A `deny` rule that
 * names people refuses those and hands the others on.
 */
export function match(app: AppPolicy, target: Target): Requirement {
  const [plain] = target.readings
  const first = matchReading(app, target, plain)
  if (target.readings.length === 1) {
    if (!app.hasCapitals || plain === undefined) return first
    // SECURITY: a path without capitals may still be one that a rule writes with them.
    return stricter(first, matchReading(app, target, { path: plain.path, ignoreCase: true }))
  }
  return target.readings
    .slice(1)
    .reduce((sofar, reading) => stricter(sofar, matchReading(app, target, reading)), first)
}

function matchReading(
  app: AppPolicy,
  target: Target,
  reading: PathReading | undefined,
): Requirement {
  let refused: Rule[] | undefined
  if (reading !== undefined) {
    const segments = segmentsOf(reading.path)
    for (const rule of app.rules) {
      if (!covers(rule, target, reading, segments)) continue
      if (rule.policy === 'deny') {
        if (rule.users.size === 0 && rule.groups.size === 0) return { kind: 'deny', rule }
        refused ??= []
        refused.push(rule)
      } else if (rule.policy === 'public') {
        return { kind: 'open', rule, refused: refused ?? NONE }
      } else {
        return {
          kind: 'sign_in',
          level: rule.policy,
          clauses: [{ level: rule.policy, rule }],
          refused: refused ?? NONE,
          stepUp: rule.stepUp,
        }
      }
    }
  }
  return { kind: 'deny', rule: DEFAULT_DENY }
}

function covers(rule: Rule, target: Target, reading: PathReading, segments: Segments): boolean {
  if (rule.methods.size > 0 && !rule.methods.has(target.method)) return false
  const paths = reading.ignoreCase ? rule.foldedPaths : rule.paths
  if (paths.length > 0 && !coversPath(paths, reading.path, segments)) return false
  if (rule.hosts.length > 0 && !rule.hosts.some((host) => host.covers(target.host))) return false
  return rule.networks === undefined || rule.networks.has(target.address)
}

/** A loop and no closure: it runs for every rule of every request. */
function coversPath(patterns: readonly PathPattern[], path: string, segments: Segments): boolean {
  for (const pattern of patterns) if (pattern.covers(path, segments)) return true
  return false
}

/** Both must hold. */
function stricter(a: Requirement, b: Requirement): Requirement {
  if (a.kind === 'deny') return a
  if (b.kind === 'deny') return b
  const refused = a.refused.length + b.refused.length === 0 ? NONE : [...a.refused, ...b.refused]
  const open = [...freeRules(a), ...freeRules(b)]
  if (a.kind === 'open' && b.kind === 'open') {
    const also = open.filter((rule) => rule !== a.rule)
    return { kind: 'open', rule: a.rule, refused, ...(also.length === 0 ? {} : { also }) }
  }
  const clauses = [
    ...(a.kind === 'sign_in' ? a.clauses : []),
    ...(b.kind === 'sign_in' ? b.clauses : []),
  ]
  const level = clauses.reduce<Level>(
    (highest, clause) => (atLeast(clause.level, highest) ? clause.level : highest),
    'one_factor',
  )
  const stepUp = stricterStepUp(
    a.kind === 'sign_in' ? a.stepUp : undefined,
    b.kind === 'sign_in' ? b.stepUp : undefined,
  )
  return {
    kind: 'sign_in',
    level,
    clauses,
    refused,
    stepUp,
    ...(open.length === 0 ? {} : { also: open }),
  }
}

/** The rules among those that cover it that demand nothing. */
function freeRules(requirement: Exclude<Requirement, { kind: 'deny' }>): readonly Rule[] {
  const { also = NONE } = requirement
  return requirement.kind === 'open' ? [requirement.rule, ...also] : also
}

/** Whether `level` is as strong as `needed`. */
export function atLeast(level: Level, needed: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(needed)
}
