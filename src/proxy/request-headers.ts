import type { RawHeaders } from '../http/raw-headers.ts'
import {
  createHeaderFilter,
  type HeaderPair,
  type IdentityHeaderFilter,
  type IdentityHeaderNames,
} from '../identity/identity-headers.ts'
import { AppError } from '../lib/app-error.ts'
import { foldHeaderName, isForwardedName } from '../lib/header-families.ts'
import { remember } from '../lib/remember.ts'
import type { Secret } from '../lib/secret.ts'
import { type IsOwnCookie, withoutOwnCookies } from './cookies.ts'
import { HOP_BY_HOP, nominatedNames, nominatesNothing } from './header-names.ts'

/** What the app is told about the request besides the client's own fields. */
export type RequestContext = {
  /** Address of the client, canonical. */
  readonly address: string
  /** How the client asked for it, at the outermost proxy we believe. */
  readonly scheme: 'http' | 'https'
  /** `Host` as received, after it was judged. */
  readonly host: string
  /** Sent as `X-Request-Id`. */
  readonly requestId: string
  /** The identity fields, all of them. */
  readonly identity: readonly HeaderPair[]
  /** What the client says in `Authorization` was for us: the app never sees it. */
  readonly ours: boolean
}

/** A request's fields for the app: name, value, name, value, …; and how its body is framed. */
export type OutgoingFields = {
  readonly fields: string[]
  readonly framing: 'none' | 'sized' | 'chunked'
}

/** What one app is sent, worked out once. */
export type RequestHeaders = {
  /** For a plain request. The framing fields are left to the sender but for `Content-Length`. */
  readonly plain: (raw: RawHeaders, context: RequestContext) => OutgoingFields
  /** For a WebSocket handshake (RFC 6455 4.1): no body, and the upgrade asked for anew. */
  readonly websocket: (raw: RawHeaders, context: RequestContext) => string[]
}

/**
 * The order of the steps is the rule: first everything the client must not say is left out, then
 * what its `Connection` nominates, and only then is our own added, so that no nomination can
 * remove it (CVE-2024-45410, CVE-2026-33805).
 *
 * @throws AppError `config_invalid` when a configured field cannot be sent
 */
export function createRequestHeaders(options: {
  readonly identity: IdentityHeaderNames
  readonly requestHeaders: ReadonlyMap<string, Secret<string>>
  readonly isOwnCookie: IsOwnCookie
  /**
   * Names with other characters than letters, digits and dashes that the app takes from clients,
   * in any case. None of them gets past what is left out of every request.
   */
  readonly allowed?: readonly string[]
  /** The app's own login is ours to send: a client's `Authorization` is left out. */
  readonly ownLogin?: boolean
}): RequestHeaders {
  const { identity, isOwnCookie } = options
  const fixed = fixedFields(options.requestHeaders, identity)
  const fixedNames = new Set([...options.requestHeaders.keys()].map(foldHeaderName))
  if (options.ownLogin === true) fixedNames.add('authorization')
  const told = TOLD.filter(([name]) => !fixedNames.has(foldHeaderName(name)))
  const allowed = new Set(options.allowed?.map((name) => name.toLowerCase()))
  const classify = createClassifier(createHeaderFilter(identity), fixedNames, allowed)

  const collect = (raw: RawHeaders, context: RequestContext): Collected => {
    const fields = ['Host', context.host]
    let length: string | undefined
    let coded = false
    let cookies: string | undefined
    let nominated: string[] | undefined
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? ''
      const value = raw[i + 1] ?? ''
      switch (classify(name)) {
        case KEEP:
          fields.push(name, value)
          break
        case AUTHORIZATION:
          if (!context.ours) fields.push(name, value)
          break
        case COOKIE: {
          const kept = withoutOwnCookies(value, isOwnCookie)
          // Several lines are one list (RFC 9113 8.2.3); an app may read only the first.
          if (kept !== undefined) cookies = cookies === undefined ? kept : `${cookies}; ${kept}`
          break
        }
        case CONNECTION:
          if (!nominatesNothing(value)) nominated = [...(nominated ?? []), ...nominatedNames(value)]
          break
        case LENGTH:
          length ??= value
          break
        case CODING:
          coded = true
          break
      }
    }
    if (cookies !== undefined) fields.push('Cookie', cookies)
    return {
      fields: nominated === undefined ? fields : withoutNominated(fields, nominated),
      length,
      coded,
    }
  }

  const addOurs = (fields: string[], context: RequestContext): string[] => {
    for (const [name, value] of told) fields.push(name, value(context))
    for (const [name, value] of fixed) fields.push(name, value)
    for (const [name, value] of context.identity) {
      // An empty login is none (RFC 9110 11.6.2): it would be refused as a malformed one.
      if (value !== '' || name !== 'Authorization') fields.push(name, value)
    }
    return fields
  }

  return {
    plain: (raw, context) => {
      const { fields, length, coded } = collect(raw, context)
      if (coded) return { fields: addOurs(fields, context), framing: 'chunked' }
      if (length === undefined) return { fields: addOurs(fields, context), framing: 'none' }
      fields.push('Content-Length', length)
      return {
        fields: addOurs(fields, context),
        framing: Number(length) === 0 ? 'none' : 'sized',
      }
    },
    websocket: (raw, context) => {
      const { fields } = collect(raw, context)
      fields.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
      return addOurs(fields, context)
    },
  }
}

type Collected = {
  readonly fields: string[]
  readonly length: string | undefined
  readonly coded: boolean
}

/**
 * What we say of the hop to us. The chain before it is not passed on: the client's address has
 * been worked out from it already, and an app that reads its left end would believe the client.
 */
const TOLD: readonly (readonly [string, (context: RequestContext) => string])[] = [
  ['X-Forwarded-For', (context) => context.address],
  ['X-Forwarded-Proto', (context) => context.scheme],
  ['X-Forwarded-Host', (context) => context.host],
  ['X-Real-IP', (context) => context.address],
  ['X-Request-Id', (context) => context.requestId],
]

const TOLD_NAMES: ReadonlySet<string> = new Set(TOLD.map(([name]) => name.toLowerCase()))

const KEEP = 0
const DROP = 1
const COOKIE = 2
const CONNECTION = 3
const LENGTH = 4
const CODING = 5
const AUTHORIZATION = 6
type Verdict =
  | typeof KEEP
  | typeof DROP
  | typeof COOKIE
  | typeof CONNECTION
  | typeof LENGTH
  | typeof CODING
  | typeof AUTHORIZATION

/** Fields of the client's that an owner may put another value in the place of. */
const REPLACEABLE: ReadonlySet<Verdict> = new Set([COOKIE, AUTHORIZATION])

const SPECIAL: ReadonlyMap<string, Verdict> = new Map([
  ['host', DROP],
  ['cookie', COOKIE],
  ['authorization', AUTHORIZATION],
  ['connection', CONNECTION],
  ['content-length', LENGTH],
  ['transfer-encoding', CODING],
])

function createClassifier(
  isIdentityHeader: IdentityHeaderFilter,
  fixedNames: ReadonlySet<string>,
  allowed: ReadonlySet<string>,
): (name: string) => Verdict {
  return remember((name) => {
    const lower = name.toLowerCase()
    const special = SPECIAL.get(lower)
    // Framing and nominations are read even where the field itself is replaced.
    if (special !== undefined && !REPLACEABLE.has(special)) return special
    const folded = foldHeaderName(lower)
    // SECURITY: only names that no app can fold into another one get through, and those that
    // this app was said to need, if what they fold into is harmless too.
    if (folded !== lower && (!allowed.has(lower) || SPECIAL.has(folded))) return DROP
    if (HOP_BY_HOP.has(folded) || TOLD_NAMES.has(folded) || fixedNames.has(folded)) return DROP
    if (isForwardedName(folded) || isIdentityHeader(lower)) return DROP
    return special ?? KEEP
  })
}

/** The client's fields but those it nominates; `Host`, the first of them, is ours. */
function withoutNominated(fields: readonly string[], nominated: readonly string[]): string[] {
  const names = new Set(nominated)
  const kept = fields.slice(0, 2)
  for (let i = 2; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (!names.has(name.toLowerCase())) kept.push(name, fields[i + 1] ?? '')
  }
  return kept
}

function fixedFields(
  requestHeaders: ReadonlyMap<string, Secret<string>>,
  identity: IdentityHeaderNames,
): readonly HeaderPair[] {
  const identityNames = new Set(Object.values(identity).map(foldHeaderName))
  const fields: HeaderPair[] = []
  for (const [name, secret] of requestHeaders) {
    const folded = foldHeaderName(name)
    const value = secret.reveal()
    if (!/^[A-Za-z0-9-]+$/.test(name) || /[^\t -~\u0080-\u00ff]/.test(value)) {
      throw new AppError('config_invalid', `request header ${name} cannot be sent`)
    }
    const special = SPECIAL.get(folded)
    if (HOP_BY_HOP.has(folded) || (special !== undefined && !REPLACEABLE.has(special))) {
      throw new AppError('config_invalid', `request header ${name} belongs to the connection`)
    }
    if (identityNames.has(folded)) {
      throw new AppError('config_invalid', `request header ${name} is an identity header`)
    }
    fields.push([name, value])
  }
  return fields
}
