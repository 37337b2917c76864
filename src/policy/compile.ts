import { networkSet } from '../lib/network.ts'
import { compileHostPattern } from './host-pattern.ts'
import { compilePathPattern } from './path-pattern.ts'
import type { AppPolicy, Rule, RuleSource } from './rule.ts'
import type { StepUp } from './step-up.ts'

/** An app as it is written. `hosts` are canonical names or `*.` wildcards. */
export type AppSource = {
  readonly name: string
  readonly hosts: readonly string[]
  readonly rules: readonly RuleSource[]
}

/** The compiled rules of every app. */
export type PolicySet = {
  /** The app that owns the host: by its exact name first, then by the longest wildcard. */
  readonly appOf: (host: string) => AppPolicy | undefined
}

/** Compiles checked rules. Two apps with one host are refused earlier, by the configuration. */
export function compilePolicy(apps: readonly AppSource[]): PolicySet {
  const exact = new Map<string, AppPolicy>()
  const wildcards: { readonly suffix: string; readonly app: AppPolicy }[] = []
  for (const source of apps) {
    const app: AppPolicy = {
      name: source.name,
      rules: source.rules.map(compileRule),
      hasCapitals: source.rules.some(({ paths }) =>
        paths.some((path) => path !== path.toLowerCase()),
      ),
    }
    for (const host of source.hosts) {
      if (host.startsWith('*.')) wildcards.push({ suffix: host.slice(1), app })
      else exact.set(host, app)
    }
  }
  wildcards.sort((a, b) => b.suffix.length - a.suffix.length)
  return {
    appOf: (host) =>
      exact.get(host) ??
      wildcards.find(({ suffix }) => host.length > suffix.length && host.endsWith(suffix))?.app,
  }
}

function compileRule(source: RuleSource, index: number): Rule {
  // NOTE: HEAD is answered from GET by every app, so a rule for GET covers it.
  const methods = new Set(source.methods)
  if (methods.has('GET')) methods.add('HEAD')
  return {
    name: String(index + 1),
    policy: source.policy,
    hosts: source.hosts.map(compileHostPattern),
    paths: source.paths.map(compilePathPattern),
    foldedPaths: source.paths.map((path) => compilePathPattern(path.toLowerCase())),
    methods,
    networks: source.networks.length === 0 ? undefined : networkSet(source.networks),
    users: new Set(source.users),
    groups: new Set(source.groups),
    ...(source.limit === undefined ? {} : { limit: source.limit }),
    ...stepUpOf(source),
    ...(source.explanation === undefined ? {} : { explanation: source.explanation }),
    ...(source.remediation === undefined ? {} : { remediation: source.remediation }),
  }
}

function stepUpOf({ maxAge, factor }: RuleSource): { readonly stepUp?: StepUp } {
  if (maxAge === undefined && factor === undefined) return {}
  return { stepUp: { maxAge: maxAge ?? Infinity, factors: factor === undefined ? [] : [factor] } }
}
