import type { z } from 'zod'
import { type Fault, under } from './problem.ts'
import { type Readable, readable } from './readable.ts'
import { ruleSchema } from './schema.ts'
import { checkStepUp } from './sections/second-factor.ts'
import { shown } from './values/reader.ts'
import { looksLikeRegex } from './values/rule-parts.ts'

/**
 * Checks an app's rules against each other and against its hosts. Paths are relative to the
 * list of rules.
 * @param rules as they stand in the file
 * @param appHosts canonical; `undefined` when not all of them could be read
 */
export function checkRules(
  rules: readonly unknown[],
  appHosts: readonly string[] | undefined,
): readonly Fault[] {
  const whole = rules.map((raw) => {
    const reading = ruleSchema.safeParse(raw)
    return reading.success ? reading.data : undefined
  })
  return rules.flatMap((raw, index) =>
    [
      ...checkAlone(readable(ruleSchema.shape, raw), appHosts),
      ...checkReached(whole, index, appHosts),
    ].map((fault) => under(index, fault)),
  )
}

type WholeRule = z.output<typeof ruleSchema>

function checkAlone(
  rule: Readable<typeof ruleSchema.shape>,
  appHosts: readonly string[] | undefined,
): readonly Fault[] {
  const faults: Fault[] = [...checkStepUp(rule)]
  for (const key of ['users', 'groups'] as const) {
    if (rule.policy === 'public' && (rule[key]?.length ?? 0) > 0) {
      faults.push({ kind: 'public_for_some', params: { key }, path: [key], part: 'key' })
    }
  }
  for (const [index, host] of rule.host?.entries() ?? []) {
    if (appHosts?.some((own) => coversHost(own, host) || coversHost(host, own)) ?? true) continue
    const params = { value: host, hosts: appHosts?.join(', ') ?? '' }
    faults.push({ kind: 'rule_host_foreign', params, path: ['host', index] })
  }
  for (const [index, path] of rule.path?.entries() ?? []) {
    if (!looksLikeRegex(path)) continue
    faults.push({ kind: 'path_looks_regex', params: { value: shown(path) }, path: ['path', index] })
  }
  return faults
}

function checkReached(
  rules: readonly (WholeRule | undefined)[],
  index: number,
  appHosts: readonly string[] | undefined,
): readonly Fault[] {
  const rule = rules[index]
  if (rule === undefined) return []
  for (const [position, earlier] of rules.slice(0, index).entries()) {
    if (earlier === undefined || !hides(earlier, rule, appHosts)) continue
    const same = hides(rule, earlier, appHosts)
    const kind = same ? 'duplicate_rule' : 'never_reached'
    return [{ kind, params: { number: String(position + 1) } }]
  }
  return []
}

/**
 * Whether `later` can never decide because `earlier` matches all its requests. People are part
 * of what a rule demands, not of what it matches; only a `deny` for some hands the others on.
 */
function hides(
  earlier: WholeRule,
  later: WholeRule,
  appHosts: readonly string[] | undefined,
): boolean {
  if (earlier.policy === 'deny' && earlier.users.length + earlier.groups.length > 0) return false
  const hosts = later.host.length > 0 ? later.host : (appHosts ?? [])
  return (
    includes(earlier.host, hosts, coversHost) &&
    includes(earlier.path, later.path, coversPath) &&
    includes(earlier.methods, later.methods, coversMethod) &&
    includes(earlier.networks, later.networks, (one, other) => one === other)
  )
}

/** Every one of `inner` is covered by one of `outer`; an empty list stands for everything. */
function includes(
  outer: readonly string[],
  inner: readonly string[],
  covers: (outer: string, inner: string) => boolean,
): boolean {
  if (outer.length === 0) return true
  if (inner.length === 0) return outer.includes('/**')
  return inner.every((one) => outer.some((other) => covers(other, one)))
}

/** Exact for equal patterns and for `*.domain`, which takes in names at any depth. */
function coversHost(outer: string, inner: string): boolean {
  return outer === inner || (outer.startsWith('*.') && inner.endsWith(outer.slice(1)))
}

/** Answers `true` only when sure; other globs are compared as text. */
function coversPath(outer: string, inner: string): boolean {
  if (outer === inner || outer === '/**') return true
  if (!outer.endsWith('/**') || outer.slice(0, -3).includes('*')) return false
  return inner === outer.slice(0, -3) || inner.startsWith(outer.slice(0, -2))
}

function coversMethod(outer: string, inner: string): boolean {
  return outer === inner || (outer === 'GET' && inner === 'HEAD')
}
