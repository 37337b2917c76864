import type { Milliseconds } from '../lib/duration.ts'
import type { Answer } from './answer.ts'
import { headerValues, type RawHeaders } from './raw-headers.ts'

/** Which pages of other origins may use an app, and how (the CORS protocol of the Fetch standard). */
export type CorsPolicy = {
  /** As browsers write them: `https://front.example.fr`; `*`: every one, without credentials. */
  readonly origins: readonly string[] | '*'
  /** Beyond `GET`, `HEAD` and `POST`, which need no leave. */
  readonly methods: readonly string[]
  /** Request headers beyond those that need no leave. */
  readonly headers: readonly string[]
  /** Response headers a page may read beyond those that need no leave. */
  readonly expose: readonly string[]
  /** Whether cookies are sent along; never with `*`. */
  readonly credentials: boolean
  readonly maxAge: Milliseconds
}

/** Why a page is not let in; for the log and a metric. */
export type CorsRefusal = 'origin' | 'null_origin' | 'repeated_origin' | 'method' | 'header'

/** What a request is to this policy. */
export type Crossing =
  /** From the app's own pages or from no page: none of our business. */
  | { readonly kind: 'none' }
  | { readonly kind: 'preflight'; readonly answer: Answer }
  /** `preflight`: nothing but a question, which is answered with a refusal. */
  | { readonly kind: 'refused'; readonly reason: CorsRefusal; readonly preflight: boolean }
  | { readonly kind: 'allowed' }

/** Response headers, in order, changed in place. */
type HeaderList = [name: string, value: string][]

/** The policy of one app, ready to be asked. */
export type Cors = {
  /** @param own the origin the app is known by itself */
  readonly judge: (request: CorsRequest, own: string) => Crossing
  /** What lets the page read the answer; for others only that the answer depends on who asks. */
  readonly headersFor: (
    headers: RawHeaders,
    own: string,
    options?: { readonly exposeOurs?: boolean },
  ) => readonly (readonly [string, string])[]
  /** Works them into an app's answer, in the place of what the app says about it itself. */
  readonly dress: (list: HeaderList, headers: RawHeaders, own: string) => void
}

export type CorsRequest = { readonly method: string; readonly headers: RawHeaders }

/** Methods and headers no preflight asks for (Fetch, "CORS-safelisted"). */
const SAFE_METHODS = ['GET', 'HEAD', 'POST'] as const
/** What a page should be able to read of a refusal of ours. */
const OURS = ['WWW-Authenticate', 'Retry-After', 'RateLimit', 'RateLimit-Policy']
/** A preflight that names more than this is no browser's. */
const MAX_ASKED = 100

/** An app's own say on the matter, which the policy replaces as a whole. */
const RESPONSE_NAMES: ReadonlySet<string> = new Set([
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
])

export function createCors(policy: CorsPolicy): Cors {
  const { origins, credentials } = policy
  const listed: ReadonlySet<string> = new Set(origins === '*' ? [] : origins)
  const methods = [...new Set<string>([...SAFE_METHODS, ...policy.methods])]
  const askable: ReadonlySet<string> = new Set(methods)
  const names: ReadonlySet<string> = new Set(policy.headers.map((name) => name.toLowerCase()))
  const exposed = policy.expose.join(', ')
  const exposedWithOurs = [...new Set([...policy.expose, ...OURS])].join(', ')

  const originOf = (headers: RawHeaders, own: string): OriginReading => {
    const values = headerValues(headers, 'origin')
    const [origin] = values
    if (origin === undefined) return { kind: 'none' }
    // A list of origins was once allowed in one field; no browser sends several.
    if (values.length > 1) return { kind: 'refused', reason: 'repeated_origin' }
    if (origin === own) return { kind: 'none' }
    // Sandboxed pages, local files and redirects all share `null`: it names nobody.
    if (origin === 'null') return { kind: 'refused', reason: 'null_origin' }
    if (origins === '*' || listed.has(origin)) return { kind: 'allowed', origin }
    return { kind: 'refused', reason: 'origin' }
  }

  const preflight = (origin: string, method: string, headers: RawHeaders): Crossing => {
    if (!askable.has(method)) return { kind: 'refused', reason: 'method', preflight: true }
    const asked = headerValues(headers, 'access-control-request-headers')
      .join(',')
      .split(',', MAX_ASKED + 1)
    const foreign = asked.some((name) => {
      const folded = name.trim().toLowerCase()
      return folded !== '' && !names.has(folded)
    })
    if (foreign || asked.length > MAX_ASKED) {
      return { kind: 'refused', reason: 'header', preflight: true }
    }
    return {
      kind: 'preflight',
      answer: {
        status: 204,
        headers: [
          ...allow(origin),
          ['Access-Control-Allow-Methods', methods.join(', ')],
          ...(policy.headers.length === 0
            ? []
            : [['Access-Control-Allow-Headers', policy.headers.join(', ')] as const]),
          ['Access-Control-Max-Age', String(Math.floor(policy.maxAge / 1000))],
          [
            'Vary',
            'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
          ] as const,
        ],
        body: '',
      },
    }
  }

  const allow = (origin: string): readonly (readonly [string, string])[] => [
    ['Access-Control-Allow-Origin', origins === '*' ? '*' : origin],
    ...(credentials ? [['Access-Control-Allow-Credentials', 'true'] as const] : []),
  ]

  const headersFor: Cors['headersFor'] = (headers, own, { exposeOurs = false } = {}) => {
    const origin = originOf(headers, own)
    const shown = exposeOurs ? exposedWithOurs : exposed
    return [
      ...(origin.kind === 'allowed' ? allow(origin.origin) : []),
      ...(origin.kind === 'allowed' && shown !== ''
        ? [['Access-Control-Expose-Headers', shown] as const]
        : []),
      // Also where nobody is let in: a cache must not hand this answer to who would be.
      ['Vary', 'Origin'],
    ]
  }

  return {
    judge: ({ method, headers }, own) => {
      const origin = originOf(headers, own)
      if (origin.kind === 'none') return origin
      const asked =
        method === 'OPTIONS' ? headerValues(headers, 'access-control-request-method') : []
      if (origin.kind === 'refused') return { ...origin, preflight: asked.length > 0 }
      const [wanted] = asked
      if (wanted === undefined) return { kind: 'allowed' }
      if (asked.length > 1) return { kind: 'refused', reason: 'method', preflight: true }
      return preflight(origin.origin, wanted, headers)
    },
    headersFor,
    dress: (list, headers, own) => {
      let kept = 0
      let vary: [string, string] | undefined
      for (const field of list) {
        const name = field[0].toLowerCase()
        if (RESPONSE_NAMES.has(name)) continue
        if (name === 'vary') vary = field
        list[kept++] = field
      }
      list.length = kept
      for (const [name, value] of headersFor(headers, own)) {
        if (name !== 'Vary' || vary === undefined) list.push([name, value])
        else if (!/(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i.test(vary[1])) vary[1] += `, ${value}`
      }
    },
  }
}

type OriginReading =
  | { readonly kind: 'none' }
  | { readonly kind: 'allowed'; readonly origin: string }
  | { readonly kind: 'refused'; readonly reason: CorsRefusal }
