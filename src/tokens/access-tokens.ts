import { hash, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { parseSessionId, parseUserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import { rememberLast } from '../lib/remember-last.ts'
import { Secret } from '../lib/secret.ts'
import type {
  AccessClaims,
  AccessRefusal,
  AccessStage,
  AccessTokens,
  AccessVerdict,
} from './access-token.ts'
import { type JwtReading, readJwt } from './jwt-format.ts'
import type { Keys } from './keys.ts'

/** How long a token of each stage is good. */
export type AccessLifetimes = Readonly<Record<AccessStage, Milliseconds>>

/** The time for the second step, or for choosing a new password, of a program's sign-in. */
export const STAGE_FOR: Milliseconds = 5 * MINUTE

/** The media type of each stage; only the first is RFC 9068's, for only that one opens anything. */
const TYPES = {
  complete: 'at+jwt',
  mfa_pending: 'sallyport-mfa+jwt',
  password_due: 'sallyport-password+jwt',
} as const satisfies Readonly<Record<AccessStage, string>>
const OWN_TYPES: ReadonlySet<string> = new Set(Object.values(TYPES))

/** How far ahead the clock of the machine that issued it may be. */
const LEEWAY: Milliseconds = 60 * SECOND
const MAX_REMEMBERED = 20_000
/** Longer ones are nobody's token; see `isOurs`. */
const MAX_LOOKED_AT = 16 * 1024

/** A token that was verified: its SHA-256, and all that is asked again at each use. */
type Verified = {
  readonly digest: Buffer
  readonly kid: string
  readonly typ: string
  readonly claims: AccessClaims
}

/**
 * Signed tokens (Ed25519, RFC 8037). The signature says who issued a token and that nothing in it
 * was changed; whether its session is still there is asked elsewhere, at each use.
 *
 * @param options.issuer the portal's origin, e.g. `https://auth.example.fr`
 */
export function createAccessTokens(
  deps: { readonly keys: Keys; readonly clock: Clock },
  options: { readonly issuer: string; readonly lifetimes: AccessLifetimes },
): AccessTokens {
  const { keys, clock } = deps
  const { issuer } = options
  const audience = audienceOf(issuer)
  const mark = `"iss":${JSON.stringify(issuer)}`
  /** By `jti`, never by text: a token that is altered must not be another entry. */
  const verified = new LRUCache<string, Verified>({ max: MAX_REMEMBERED })

  /** Judges what the token says against the clock. @param claims signed by us, or remembered so */
  const inTime = ({ expiresAt }: AccessClaims): boolean => clock.now() < expiresAt * SECOND

  const readClaims = (payload: Payload): AccessClaims | AccessRefusal => {
    const { iss, aud, sub, sid, jti, iat, exp, auth_time: authTime, amr } = payload
    const sessionId = typeof sid === 'string' ? parseSessionId(sid) : undefined
    const userId = typeof sub === 'string' ? parseUserId(sub) : undefined
    if (
      Object.keys(payload).length !== CLAIMS ||
      iss !== issuer ||
      aud !== audience ||
      sessionId === undefined ||
      userId === undefined ||
      !isTokenId(jti) ||
      !isSeconds(iat) ||
      !isSeconds(exp) ||
      !isSeconds(authTime) ||
      !Array.isArray(amr) ||
      !amr.every((method) => typeof method === 'string') ||
      exp <= iat ||
      iat * SECOND > clock.now() + LEEWAY
    ) {
      return 'claims'
    }
    return { sessionId, userId, expiresAt: exp }
  }

  /**
   * What is remembered of this very token. Found by what it calls itself; that it is the very one,
   * byte for byte, its digest says, and so all that was found of its form and its signature holds.
   */
  const recall = (text: string): Verified | undefined => {
    const payload = payloadOf(text)
    const start = payload.indexOf(JTI) + JTI.length
    const known =
      start < JTI.length ? undefined : verified.get(payload.slice(start, start + JTI_LENGTH))
    if (known === undefined) return undefined
    return timingSafeEqual(known.digest, digestOf(text)) ? known : undefined
  }
  /** A request asks for its token a few times in a row. */
  const recallOnce = rememberLast(recall)

  const check = async (text: string, { header, payload }: Parts): Promise<AccessVerdict> => {
    const key = keys.verificationKey('access', header.kid)
    if (key === undefined || key.algorithm !== header.alg) return refused('key')
    try {
      const { compactVerify } = await library()
      await compactVerify(text, key.publicKey, { algorithms: [key.algorithm] })
    } catch {
      return refused('signature')
    }
    const claims = readClaims(payload)
    if (typeof claims === 'string') return refused(claims)
    if (!inTime(claims)) return refused('expired')
    const { kid, typ } = header
    verified.set(String(payload['jti']), { digest: digestOf(text), kid, typ, claims })
    return { kind: 'valid', claims }
  }

  return {
    issue: async ({ stage, sessionId, userId, amr, authTime }) => {
      const key = keys.signingKey('access')
      const iat = Math.floor(clock.now() / SECOND)
      const expiresIn = Math.floor(options.lifetimes[stage] / SECOND)
      const payload = {
        iss: issuer,
        aud: audience,
        sub: userId,
        sid: sessionId,
        jti: `jti_${randomToken(16)}`,
        iat,
        exp: iat + expiresIn,
        auth_time: Math.floor(authTime / SECOND),
        amr,
      } satisfies Readonly<Record<Claim, unknown>>
      const { CompactSign } = await library()
      const text = await new CompactSign(Buffer.from(JSON.stringify(payload)))
        .setProtectedHeader({ alg: key.algorithm, typ: TYPES[stage], kid: key.id })
        .sign(key.privateKey)
      return { token: new Secret(text), expiresIn }
    },

    isOurs: (text) => {
      // SECURITY: read leniently, as whatever stands behind us may read it: a token of ours in
      // another spelling must not be handed on as somebody else's.
      if (text.length > MAX_LOOKED_AT) return false
      return recallOnce(text) !== undefined || payloadOf(text).includes(mark)
    },

    familiar: (text) => recallOnce(text)?.claims,

    verify: (text, stage) => {
      const known = recallOnce(text)
      if (known !== undefined && known.typ === TYPES[stage]) {
        // A key that was retired a moment ago opens nothing, remembered or not.
        if (keys.verificationKey('access', known.kid) === undefined) return refused('key')
        return inTime(known.claims) ? { kind: 'valid', claims: known.claims } : refused('expired')
      }
      const read: JwtReading = readJwt(text)
      if (read.kind === 'refused') return read
      const { typ } = read.header
      if (typ !== TYPES[stage]) return refused(OWN_TYPES.has(typ) ? 'stage' : 'header')
      return check(text, read)
    },
  }
}

/** Loaded when it is first needed: many installations have no programs that sign in. */
function library(): Promise<typeof import('jose')> {
  return import('jose')
}

/** Whom tokens are for: us. What apps are sent has another audience and another key. */
export function audienceOf(issuer: string): string {
  return `${issuer}/.sallyport/`
}

type Claim = 'iss' | 'aud' | 'sub' | 'sid' | 'jti' | 'iat' | 'exp' | 'auth_time' | 'amr'
const CLAIMS = 9
type Payload = { readonly [name: string]: unknown } & { readonly [name in Claim]?: unknown }
type Parts = Extract<JwtReading, { readonly kind: 'read' }>

function refused(reason: AccessRefusal): AccessVerdict {
  return { kind: 'refused', reason }
}

const JTI = '"jti":"'
/** `jti_` and 22 characters of base64url. */
const JTI_LENGTH = 26

/** What stands between the first two dots, read leniently; empty when there are none. */
function payloadOf(text: string): string {
  const start = text.indexOf('.') + 1
  const end = text.indexOf('.', start)
  if (start === 0 || end < 0) return ''
  return Buffer.from(text.slice(start, end), 'base64url').toString('latin1')
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function isTokenId(value: unknown): value is string {
  return typeof value === 'string' && /^jti_[A-Za-z0-9_-]{22}$/.test(value)
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
