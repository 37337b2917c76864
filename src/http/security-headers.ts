import { type ContentPolicyOptions, contentPolicy } from './content-policy.ts'
import {
  type HeaderPair,
  HSTS_SECONDS,
  pair,
  type TransportScope,
  transportSecurity,
} from './header-policy.ts'

/** Puts one app's responses into the headers that browsers protect it by. */
export type SecurityHeaders = {
  /**
   * Changes `headers` in place, in one pass. `https`: whether the browser asked over TLS, ours or
   * a trusted proxy's.
   */
  readonly dress: (headers: HeaderPair[], context: { readonly https: boolean }) => void
}

export type SecurityHeadersOptions = Omit<ContentPolicyOptions, 'preset'> & {
  /**
   * `strict`: for apps that run without inline script and style. `legacy`: nothing that an
   * unmodified app could break on. `off`: the app's responses are left alone, `csp` or not.
   */
  readonly preset: 'strict' | 'legacy' | 'off'
  /**
   * How far `Strict-Transport-Security` reaches, `preload` unless told; `off`: it is neither added
   * nor touched.
   */
  readonly hsts?: TransportScope | 'off'
}

/**
 * Headers that tell which software answered. `Via` is among them: it names the machines and
 * caches inside, and a gateway need not send it in responses (RFC 9110 7.6.3).
 */
const REVEALING = [
  'server',
  'via',
  'x-aspnet-version',
  'x-aspnetmvc-version',
  'x-backend-server',
  'x-generator',
  'x-owa-version',
  'x-powered-by',
  'x-powered-by-plesk',
  'x-powered-cms',
  'x-redirect-by',
  'x-runtime',
] as const
const REVEALING_PREFIX = 'x-drupal-'

const FRAME = 'SAMEORIGIN'
/** Other sites learn the origin only. Stricter would take the `Origin` off forms to the portal. */
const REFERRER = 'strict-origin-when-cross-origin'
const OPENER = 'same-origin-allow-popups'
const RESOURCE = 'same-site'

/** From weakest to strictest, in the spelling that is sent. */
const ORDER = {
  frame: ['SAMEORIGIN', 'DENY'],
  referrer: [
    'unsafe-url',
    'no-referrer-when-downgrade',
    'origin-when-cross-origin',
    'origin',
    'strict-origin-when-cross-origin',
    'strict-origin',
    'same-origin',
    'no-referrer',
  ],
  opener: ['unsafe-none', 'same-origin-allow-popups', 'noopener-allow-popups', 'same-origin'],
  resource: ['cross-origin', 'same-site', 'same-origin'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/**
 * What the presets differ in.
 *
 * `legacy`: devices that business apps do use are kept for the app itself and denied to other
 * origins in its frames.
 *
 * `strict` lets no other site share the app's window or load its files; popups it opens itself,
 * to sign in elsewhere, still work.
 */
const PRESETS = {
  strict: {
    features: { none: 'camera geolocation microphone payment usb serial hid midi' },
    isolated: true,
  },
  legacy: {
    features: { self: 'camera geolocation microphone payment', none: 'usb serial hid midi' },
    isolated: false,
  },
} as const satisfies Readonly<Record<string, Preset>>

type Preset = {
  /** Names of the Permissions Policy, separated by spaces. */
  readonly features: { readonly self?: string; readonly none: string }
  readonly isolated: boolean
}

/**
 * Makes the headers of one app. Everything that does not depend on the response is computed here.
 *
 * What the app sends itself stays where it is at least as strict; a weaker, malformed or doubled
 * value is replaced. Its Content-Security-Policy stays as it is beside ours: a browser enforces
 * each (CSP3 8.1). Over http, HSTS and the opener policy are neither added nor touched, for
 * browsers heed neither there (RFC 6797 8.1).
 *
 * @throws TypeError when `csp` or `portal` cannot stand in a header.
 */
export function createSecurityHeaders(options: SecurityHeadersOptions): SecurityHeaders {
  if (options.preset === 'off') return { dress: () => {} }
  const { preset } = options
  const rules = rulesOf(PRESETS[preset], options.hsts ?? 'preload')
  const policy = contentPolicy({ ...options, preset })
  const byName = new Map<string, Rule | 'reveals'>()
  for (const name of REVEALING) byName.set(name, 'reveals')
  for (const rule of rules) byName.set(rule.pair[0].toLowerCase(), rule)

  return {
    dress: (headers, { https }) => {
      let sent: Map<Rule, string | string[]> | undefined
      let kept = 0
      for (const header of headers) {
        const name = header[0].toLowerCase()
        const fate = byName.get(name)
        if (fate === 'reveals') continue
        if (fate === undefined || !(https || fate.onHttp)) {
          if (!name.startsWith(REVEALING_PREFIX)) headers[kept++] = header
          continue
        }
        sent ??= new Map()
        const before = sent.get(fate)
        if (before === undefined) sent.set(fate, header[1])
        else if (typeof before === 'string') sent.set(fate, [before, header[1]])
        else before.push(header[1])
      }
      headers.length = kept
      for (const rule of rules) {
        if (!(https || rule.onHttp)) continue
        const values = sent?.get(rule)
        headers.push(values === undefined ? rule.pair : rule.settled(values))
      }
      headers.push(...(https ? policy.https : policy.http))
    },
  }
}

/** A header we put. `settled` makes one of ours and what the app sent itself. */
type Rule = {
  readonly pair: HeaderPair
  readonly settled: (sent: string | readonly string[]) => HeaderPair
  readonly onHttp: boolean
}

function newRule(
  name: string,
  ours: string,
  settle: (sent: readonly string[]) => string,
  scheme: 'any' | 'https only' = 'any',
): Rule {
  // An app says the same in nearly every response, so the last answer is kept.
  let last: { readonly sent: string; readonly pair: HeaderPair } | undefined
  return {
    pair: pair(name, ours),
    settled: (sent) => {
      if (typeof sent !== 'string') return pair(name, settle(sent))
      if (last?.sent !== sent) last = { sent, pair: pair(name, settle([sent])) }
      return last.pair
    },
    onHttp: scheme === 'any',
  }
}

function rulesOf(preset: Preset, hsts: TransportScope | 'off'): readonly Rule[] {
  const features = featuresOf(preset.features)
  const permissions = [...features.values()].join(', ')
  const isolation: readonly Rule[] = [
    newRule('Cross-Origin-Opener-Policy', OPENER, strictest(ORDER.opener, OPENER), 'https only'),
    newRule('Cross-Origin-Resource-Policy', RESOURCE, strictest(ORDER.resource, RESOURCE)),
  ]
  return [
    ...(hsts === 'off' ? [] : [transportRule(hsts)]),
    newRule('X-Content-Type-Options', 'nosniff', () => 'nosniff'),
    newRule('X-Frame-Options', FRAME, strictest(ORDER.frame, FRAME)),
    newRule('Referrer-Policy', REFERRER, settleReferrer),
    newRule('Permissions-Policy', permissions, (sent) => settlePermissions(sent, features)),
    ...(preset.isolated ? isolation : []),
  ]
}

/** The strictest known one of what was sent, or `ours` when none is stricter. */
function strictest(order: readonly string[], ours: string) {
  return (sent: readonly string[]): string => {
    let best = rank(order, ours)
    for (const token of tokens(sent)) best = Math.max(best, rank(order, token))
    return order[best] ?? ours
  }
}

/** Of several policies browsers follow the last one they know (Referrer Policy 8.1). */
function settleReferrer(sent: readonly string[]): string {
  const followed = tokens(sent).findLast((token) => rank(ORDER.referrer, token) >= 0)
  return strictest(ORDER.referrer, REFERRER)(followed === undefined ? [] : [followed])
}

/** The wider reach of the two, for as long as the longer of the two. */
function transportRule(scope: TransportScope): Rule {
  const settle = (sent: readonly string[]): string => {
    const [value = ''] = sent
    const theirs = sent.length === 1 ? readTransportSecurity(value) : undefined
    const wider = theirs !== undefined && rank(SCOPES, theirs.scope) > rank(SCOPES, scope)
    return transportSecurity(
      Math.max(HSTS_SECONDS, theirs?.seconds ?? 0),
      wider ? theirs.scope : scope,
    )
  }
  const ours = transportSecurity(HSTS_SECONDS, scope)
  return newRule('Strict-Transport-Security', ours, settle, 'https only')
}

const SCOPES = ['host', 'subdomains', 'preload'] as const satisfies readonly TransportScope[]

/** A header in which nothing is malformed or doubled (RFC 6797 6.1). */
function readTransportSecurity(
  value: string,
): { readonly seconds: number; readonly scope: TransportScope } | undefined {
  const directives = new Map<string, string>()
  for (const directive of value.split(';')) {
    const [name = '', ...argument] = directive.split('=')
    const key = name.trim().toLowerCase()
    if (key === '') continue
    if (directives.has(key)) return undefined
    directives.set(key, argument.join('=').trim())
  }
  const digits = /^(?:([0-9]{1,10})|"([0-9]{1,10})")$/.exec(directives.get('max-age') ?? '')
  if (digits === null) return undefined
  const below = directives.has('includesubdomains')
  const scope = !below ? 'host' : directives.has('preload') ? 'preload' : 'subdomains'
  return { seconds: Number(digits[1] ?? digits[2]), scope }
}

/** One member of a Dictionary (RFC 9651 3.2) as Permissions Policy writes it. Linear. */
const MEMBER =
  /[ \t]*([a-z*][a-z0-9_.*-]*)(?:=(?:\([^()"]*(?:"[^"\\]*"[^()"]*)*\)|"[^"\\]*"|[^\s,;()"]+))?(?:;[ ]*[a-z*][a-z0-9_.*-]*(?:=(?:"[^"\\]*"|[^\s,;()"]+))?)*[ \t]*(?:,|$)/gy

/** The app's own policy and, for the features it does not name, ours. Doubled lines are one list. */
function settlePermissions(sent: readonly string[], features: ReadonlyMap<string, string>): string {
  const theirs = sent.join(', ').trim()
  const named = new Set<string>()
  let end = 0
  for (const member of theirs.matchAll(MEMBER)) {
    named.add(member[1] ?? '')
    end += member[0].length
  }
  // A browser drops a malformed dictionary whole, so it protects nothing.
  const isValid = end === theirs.length && named.size > 0 && !theirs.endsWith(',')
  if (!isValid) return [...features.values()].join(', ')
  const missing = [...features].filter(([name]) => !named.has(name)).map(([, member]) => member)
  return [theirs, ...missing].join(', ')
}

function featuresOf(features: Preset['features']): ReadonlyMap<string, string> {
  const members = new Map<string, string>()
  for (const name of features.none.split(' ')) members.set(name, `${name}=()`)
  for (const name of features.self?.split(' ') ?? []) members.set(name, `${name}=(self)`)
  return members
}

function rank(order: readonly string[], token: string): number {
  return order.findIndex((known) => known.toLowerCase() === token.toLowerCase())
}

/** The single tokens of a header and its repetitions, without parameters. */
function tokens(sent: readonly string[]): readonly string[] {
  return sent
    .flatMap((value) => value.split(','))
    .map((token) => (token.split(';', 1)[0] ?? '').trim())
}
