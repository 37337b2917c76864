import type { Milliseconds } from '../lib/duration.ts'
import type { NetworkSet } from '../lib/network.ts'
import type { HostPattern } from './host-pattern.ts'
import type { PathPattern } from './path-pattern.ts'
import type { RuleFactor, StepUp } from './step-up.ts'

export const POLICIES = ['public', 'one_factor', 'two_factor', 'deny'] as const
export type Policy = (typeof POLICIES)[number]

/** Text in one or both languages. */
export type RuleText = { readonly fr?: string; readonly en?: string }

/** A rule as it is written: plain data. Empty lists mean "any". */
export type RuleSource = {
  readonly policy: Policy
  readonly hosts: readonly string[]
  readonly paths: readonly string[]
  readonly methods: readonly string[]
  readonly networks: readonly string[]
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** Name of the rate class its requests pay from; absent: as any request. */
  readonly limit?: string
  /** How old the proof of who it is may be; absent: as old as the session. */
  readonly maxAge?: Milliseconds
  /** What must be among the proofs. */
  readonly factor?: RuleFactor
  readonly explanation?: RuleText
  readonly remediation?: RuleText
}

/** Names the rule in logs: its place in the app's list from 1, or `default` when none applied. */
export type RuleName = string

/** A compiled rule. */
export type Rule = {
  readonly name: RuleName
  readonly policy: Policy
  readonly hosts: readonly HostPattern[]
  readonly paths: readonly PathPattern[]
  /** The same in lower case, for readings that ignore it. */
  readonly foldedPaths: readonly PathPattern[]
  readonly methods: ReadonlySet<string>
  readonly networks: NetworkSet | undefined
  readonly users: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
  readonly limit?: string
  /** What it asks for beyond its policy. */
  readonly stepUp?: StepUp
  readonly explanation?: RuleText
  readonly remediation?: RuleText
}

/** An app and its rules, first match first. */
export type AppPolicy = {
  readonly name: string
  readonly rules: readonly Rule[]
  /** Whether a rule's path is written with capitals, so that lower case reads differently. */
  readonly hasCapitals: boolean
}
