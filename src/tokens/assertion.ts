import { sign } from 'node:crypto'
import { amrOf } from '../identity/amr.ts'
import type { Principal, SessionId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import { isServiceName } from './api-token.ts'
import type { Keys } from './keys.ts'

/** The header it is sent in; a client's own never reaches an app. */
export const ASSERTION_HEADER = 'Sallyport-Assertion'

/** `typ` of an assertion (RFC 8725 3.11): no other token of ours can be taken for one. */
export const ASSERTION_TYPE = 'sallyport-assertion+jwt'

/** How long an assertion is good for. */
export const ASSERTION_LASTS: Milliseconds = MINUTE
/** One that is older is made anew, so that an app has half a minute with it at the least. */
const RENEWED_AFTER: Milliseconds = 30 * SECOND

/**
 * Tells one app who is asking in a form it can verify: a JWT (RFC 7519) signed with ES256
 * (RFC 7518 3.4) by a key of the ring, whose public halves the JWKS lists.
 */
export type Assertions = {
  /**
   * @param audience the app's name to itself: `aud`
   * @param sessionId absent for who comes with a token of their own instead of a session
   * @returns the compact serialisation; the same one for `RENEWED_AFTER` at the longest
   */
  readonly of: (audience: string, principal: Principal, sessionId: SessionId | undefined) => string
}

/** So many are remembered; then it starts afresh. An assertion takes about a kilobyte. */
const MAX_KEPT = 10_000

type Kept = { readonly token: string; readonly madeAt: number; readonly keyId: string }

/**
 * Assertions are kept by the principal they speak of, and go with it. A principal is what memory
 * holds of a session for seconds, so what an assertion says is as fresh as the headers beside it,
 * and a session that is gone is asked for no further one.
 *
 * @param options.issuer the portal's origin: `iss`
 * @param options.maxKept 10 000 unless told
 */
export function createAssertions(
  deps: { readonly keys: Pick<Keys, 'signingKey'>; readonly clock: Clock },
  options: { readonly issuer: string; readonly maxKept?: number },
): Assertions {
  let kept = new WeakMap<Principal, Map<string, Kept>>()
  let count = 0

  const make = (audience: string, principal: Principal, sessionId: SessionId | undefined): Kept => {
    const key = deps.keys.signingKey('assertion')
    const now = deps.clock.now()
    const issuedAt = Math.floor(now / SECOND)
    const header = { alg: 'ES256', typ: ASSERTION_TYPE, kid: key.id }
    const claims = {
      iss: options.issuer,
      aud: audience,
      sub: subjectOf(principal),
      ...(sessionId === undefined ? {} : { sid: sessionId }),
      iat: issuedAt,
      exp: issuedAt + ASSERTION_LASTS / SECOND,
      jti: randomToken(16),
      ...provedClaims(principal),
      preferred_username: principal.name,
      name: principal.displayName,
      ...(principal.email === '' ? {} : { email: principal.email }),
      groups: principal.groups,
    }
    const text = `${base64url(header)}.${base64url(claims)}`
    const signature = sign('sha256', Buffer.from(text), {
      key: key.privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    return { token: `${text}.${signature.toString('base64url')}`, madeAt: now, keyId: key.id }
  }

  return {
    of: (audience, principal, sessionId) => {
      const known = kept.get(principal)?.get(audience)
      const age = known === undefined ? 0 : deps.clock.now() - known.madeAt
      if (
        known !== undefined &&
        age >= 0 &&
        age < RENEWED_AFTER &&
        known.keyId === deps.keys.signingKey('assertion').id
      ) {
        return known.token
      }
      const made = make(audience, principal, sessionId)
      if (known === undefined && ++count > (options.maxKept ?? MAX_KEPT)) {
        kept = new WeakMap()
        count = 1
      }
      const ofPrincipal = kept.get(principal) ?? new Map<string, Kept>()
      ofPrincipal.set(audience, made)
      kept.set(principal, ofPrincipal)
      return made.token
    },
  }
}

/** A service stays who it is when its token is replaced by another. */
function subjectOf({ userId, name }: Principal): string {
  return isServiceName(name) ? name : userId
}

/** Of how, how well and when somebody signed in; a service token's bearer never did. */
function provedClaims({ proved, level }: Principal): Readonly<Record<string, unknown>> {
  if (proved.length === 0) return {}
  return {
    amr: amrOf(proved),
    acr: level,
    auth_time: Math.floor(Math.max(...proved.map(({ at }) => at)) / SECOND),
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
