import { type PolicyText, parsePolicy } from './policy-text.ts'
import {
  DIRECTIVES,
  type Directive,
  isDirective,
  isKeyword,
  isOrigin,
  KEYWORDS,
  type SeenViolation,
} from './violation.ts'

/** A policy that lets pass what was seen, and what there is to know about it. */
export type Suggestion = {
  readonly policy: PolicyText
  /** What was added to the policy one started from; the order is the policy's. */
  readonly additions: readonly Addition[]
  readonly leftOut: readonly LeftOut[]
}

/** `directive` is where the source went, which may be another one than was reported. */
export type Addition = {
  readonly directive: string
  readonly source: string
  readonly risk: Risk | undefined
  readonly seen: readonly SeenViolation[]
}

export type LeftOut = { readonly reason: LeftOutReason; readonly seen: SeenViolation }

/**
 * `rare`: seen less often than asked for. `unreadable`: not a directive, or nothing that can stand
 * in a policy. `framing`: which sites may frame the app is nothing that is found out by watching.
 * `unrestricted`: the policy one started from does not restrict it.
 */
export type LeftOutReason = 'rare' | 'unreadable' | 'framing' | 'unrestricted'

/** What is lost by letting it pass. */
export type Risk =
  | 'inline_script'
  | 'eval'
  | 'script_scheme'
  | 'script_origin'
  | 'plug_ins'
  | 'base'
  | 'form_target'

/**
 * Adds to `base` the least that lets pass what was seen: a source to the directive it was missing
 * in, and to the narrow `-elem` and `-attr` ones rather than to the whole of script or style. Sources
 * that are in force already are not repeated.
 *
 * SECURITY: who can open a page of the app can report anything. So this is a proposal for a
 * person to judge, and whatever is not literally a keyword or an origin is left out.
 *
 * @param base the policy violations were seen under, serialized
 */
export function suggestPolicy(
  base: string,
  violations: readonly SeenViolation[],
  options: { readonly minCount: number } = { minCount: 1 },
): Suggestion {
  const start = parsePolicy(base)
  const wanted = new Map<string, Wanted>()
  const leftOut: LeftOut[] = []
  for (const seen of violations) {
    const reading = read(seen, start, options.minCount)
    if (reading.kind === 'left_out') {
      leftOut.push({ reason: reading.reason, seen })
      continue
    }
    const { directive, source } = reading
    const key = `${directive} ${source}`
    const known = wanted.get(key)
    wanted.set(key, { directive, source, seen: [...(known?.seen ?? []), seen] })
  }
  const placed = widened([...wanted.values()])
  const policy = extended(start, placed)
  const order = [...policy.keys()]
  const additions = placed
    .filter(({ directive, source }) => !sourcesOf(start, directive).includes(source))
    .map((one) => ({ ...one, risk: riskOf(one.directive, one.source) }))
    .sort((a, b) => order.indexOf(a.directive) - order.indexOf(b.directive))
  return { policy, additions, leftOut }
}

type Wanted = {
  readonly directive: Directive
  readonly source: string
  readonly seen: readonly SeenViolation[]
}

type Read =
  | { readonly kind: 'wanted'; readonly directive: Directive; readonly source: string }
  | { readonly kind: 'left_out'; readonly reason: LeftOutReason }

function read(seen: SeenViolation, base: PolicyText, minCount: number): Read {
  const { blocked } = seen
  // Code made from text is held against `script-src` alone (CSP3 4.4).
  const isEval = blocked === 'eval' || blocked === 'wasm-eval'
  const directive = isEval && /^script-src-/.test(seen.directive) ? 'script-src' : seen.directive
  const source = isKeyword(blocked) ? KEYWORDS[blocked] : isOrigin(blocked) ? blocked : undefined
  if (!isDirective(directive) || source === undefined) {
    return { kind: 'left_out', reason: 'unreadable' }
  }
  if (directive === 'frame-ancestors') return { kind: 'left_out', reason: 'framing' }
  if (seen.count < minCount) return { kind: 'left_out', reason: 'rare' }
  // Adding a directive where none applies would refuse everything but what was seen.
  if (governing(base, directive) === undefined) {
    return { kind: 'left_out', reason: 'unrestricted' }
  }
  return { kind: 'wanted', directive, source }
}

/** The directive of the policy that decides about this one. */
function governing(policy: PolicyText, directive: Directive): string | undefined {
  return [directive, ...DIRECTIVES[directive]].find((name) => policy.has(name))
}

function sourcesOf(policy: PolicyText, directive: Directive): readonly string[] {
  return policy.get(governing(policy, directive) ?? '') ?? []
}

const PARTS = {
  'script-src': ['script-src-elem', 'script-src-attr'],
  'style-src': ['style-src-elem', 'style-src-attr'],
} as const

/**
 * What is wanted in both parts of script or style goes to the whole, and what is wanted in the
 * whole need not be in a part: older browsers do not know the parts.
 */
function widened(wanted: readonly Wanted[]): readonly Wanted[] {
  let list = wanted
  for (const [whole, [elem, attr]] of Object.entries(PARTS)) {
    if (!isDirective(whole)) continue
    for (const source of new Set(list.map((one) => one.source))) {
      const of = (name: string) =>
        list.find((one) => one.directive === name && one.source === source)
      const parts = [of(elem), of(attr)].filter((one) => one !== undefined)
      const known = of(whole)
      if (known === undefined && parts.length < 2) continue
      const merged = [known, ...parts].filter((one) => one !== undefined)
      const seen = merged.flatMap((one) => one.seen)
      list = [...list.filter((one) => !merged.includes(one)), { directive: whole, source, seen }]
    }
  }
  return list
}

/**
 * The policy with every source in its directive. A directive that was not there starts as what
 * applied in its place, with what was added there too.
 */
function extended(base: PolicyText, wanted: readonly Wanted[]): PolicyText {
  const policy = new Map(base)
  // From the wide to the narrow, so that a copy holds what was added to its model.
  const byWidth = [...wanted].sort(
    (a, b) => DIRECTIVES[a.directive].length - DIRECTIVES[b.directive].length,
  )
  for (const { directive, source } of byWidth) {
    const model = sourcesOf(policy, directive)
    if (model.includes(source)) continue
    const sources = policy.has(directive)
      ? model
      : model.filter((one) => matters(directive, one.toLowerCase()))
    policy.set(directive, [...sources.filter((one) => one.toLowerCase() !== "'none'"), source])
  }
  return policy
}

/** Whether a source taken over from a wider directive does anything in this one. */
function matters(directive: Directive, source: string): boolean {
  if (source === KEYWORDS.eval || source === KEYWORDS['wasm-eval']) return false
  // Attributes hold code and never an address.
  if (directive.endsWith('-attr')) return /^'(?:unsafe-|sha)/.test(source)
  return source !== KEYWORDS.inline || /^(?:script|style)-src/.test(directive)
}

function riskOf(directive: Directive, source: string): Risk | undefined {
  if (source === "'self'") return undefined
  if (directive.startsWith('script-src') || directive === 'default-src') {
    if (source === KEYWORDS.inline) return 'inline_script'
    if (source === KEYWORDS.eval) return 'eval'
    if (source === KEYWORDS['wasm-eval']) return undefined
    return isOrigin(source) ? 'script_origin' : 'script_scheme'
  }
  switch (directive) {
    case 'object-src':
      return 'plug_ins'
    case 'base-uri':
      return 'base'
    case 'form-action':
      return 'form_target'
    default:
      return undefined
  }
}
