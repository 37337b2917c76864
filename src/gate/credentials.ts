import type { Identification, Scheme } from '../access/identification.ts'
import type { RawHeaders } from '../http/raw-headers.ts'
import type { Level, SessionId, UserId } from '../identity/principal.ts'
import type { BasicAccepts, BasicLogin, BasicPair } from '../login/basic.ts'
import { readBasic } from '../login/basic-pair.ts'
import type { StepOrigin } from '../login/step.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { AccessTokens } from '../tokens/access-token.ts'
import type { ApiTokenReader } from '../tokens/api-token.ts'
import { holdsToken } from '../tokens/token-text.ts'
import { passwordHolder } from './holders.ts'

/** What a request shows of who sends it. */
export type Credential =
  | { readonly kind: 'cookie'; readonly token: string }
  | { readonly kind: 'access'; readonly token: string }
  | { readonly kind: 'api_token'; readonly token: string }
  | { readonly kind: 'basic'; readonly pair: BasicPair; readonly accepts: BasicAccepts }
  /** Meant for us, and not to be read in one way. */
  | { readonly kind: 'unreadable'; readonly scheme: 'bearer' | 'basic' }

/** Whose request it probably is, from memory alone: it decides only which budget pays. */
export type Familiar = { readonly session: string; readonly user: UserId }

/** Finds out who sends a request. */
export type Credentials = {
  /**
   * The credential that counts: what a program says in `Authorization` before the cookie, if it is
   * for us. An `Authorization` of the app's own counts for nothing here and is left to the app.
   * @param cookie the session cookie's value
   * @param accepts what the app takes by HTTP Basic; absent: nothing, it is the app's own
   */
  readonly read: (
    headers: RawHeaders,
    cookie: string | undefined,
    accepts: BasicAccepts | undefined,
  ) => Credential | undefined
  readonly familiar: (credential: Credential) => Familiar | undefined
  /**
   * Answers at once when it was asked for a moment ago.
   * @param level what the rules ask for
   * @throws AppError `store_unavailable`; never to be taken for an allow
   */
  readonly identify: (
    credential: Credential,
    level: Level,
    origin: StepOrigin,
  ) => Identification | Promise<Identification>
}

export function createCredentials(deps: {
  readonly sessions: Pick<Sessions, 'resolve' | 'resolveId' | 'familiar' | 'familiarUser'>
  readonly accessTokens: Pick<AccessTokens, 'isOurs' | 'familiar' | 'verify'>
  readonly apiTokens: ApiTokenReader
  readonly basic: BasicLogin
}): Credentials {
  const { sessions, accessTokens, apiTokens, basic } = deps

  const readOne = (field: string, accepts: BasicAccepts | undefined): Credential | undefined => {
    const bearer = BEARER.exec(field)
    if (bearer !== null) {
      const [, gap = '', rest = ''] = bearer
      const token = rest.trim()
      const kind = apiTokens.isOurs(token)
        ? 'api_token'
        : accessTokens.isOurs(token)
          ? 'access'
          : undefined
      const isPlain = token === rest && /^ +$/.test(gap)
      if (kind !== undefined) return isPlain ? { kind, token } : UNREADABLE_BEARER
    }
    // SECURITY: without its scheme, quoted, or with a slip of the pen it is still the whole secret.
    if (holdsToken(field)) return UNREADABLE_BEARER
    const reading = readBasic(field)
    if (reading.kind === 'other') return undefined
    if (accepts !== undefined && reading.kind === 'pair') {
      return { kind: 'basic', pair: reading.pair, accepts }
    }
    const isOurs = accepts !== undefined || (reading.kind === 'pair' && holdsPair(reading.pair))
    return isOurs ? { kind: 'unreadable', scheme: 'basic' } : undefined
  }

  const resolveAccess = (sessionId: SessionId, userId: UserId) => {
    const check = (resolution: Identification): Identification =>
      resolution.kind === 'active' && resolution.account.id === userId ? resolution : REFUSED
    const resolution = sessions.resolveId(sessionId)
    return resolution instanceof Promise ? resolution.then(check) : check(resolution)
  }

  return {
    read: (headers, cookie, accepts) => {
      let found: Credential | undefined
      let fields = 0
      for (let i = 0; i + 1 < headers.length; i += 2) {
        if (!isAuthorization(headers[i])) continue
        fields++
        found ??= readOne(headers[i + 1] ?? '', accepts)
      }
      if (found !== undefined) {
        // SECURITY: of two fields, this server and the app might each read another one.
        return fields > 1 ? { kind: 'unreadable', scheme: schemeOf(found) } : found
      }
      return cookie === undefined ? undefined : { kind: 'cookie', token: cookie }
    },
    familiar: (credential) => {
      if (credential.kind === 'access') {
        const claims = accessTokens.familiar(credential.token)
        return claims && { session: claims.sessionId, user: claims.userId }
      }
      if (credential.kind === 'api_token') {
        const known = apiTokens.familiar(credential.token)
        return known && { session: known.id, user: known.userId }
      }
      if (credential.kind !== 'cookie') return undefined
      const session = sessions.familiar(credential.token)
      const user = sessions.familiarUser(credential.token)
      return session === undefined || user === undefined ? undefined : { session, user }
    },
    identify: (credential, level, origin) => {
      switch (credential.kind) {
        case 'cookie':
          return sessions.resolve(credential.token)
        case 'access': {
          const settle = (
            verdict: Awaited<ReturnType<AccessTokens['verify']>>,
          ): Identification | Promise<Identification> =>
            verdict.kind === 'valid'
              ? resolveAccess(verdict.claims.sessionId, verdict.claims.userId)
              : REFUSED
          const verdict = accessTokens.verify(credential.token, 'complete')
          return verdict instanceof Promise ? verdict.then(settle) : settle(verdict)
        }
        case 'api_token': {
          const settle = (
            found: Awaited<ReturnType<ApiTokenReader['resolve']>>,
          ): Identification => {
            if (found.kind === 'none') return REFUSED
            const { token, account, principal } = found
            const { scope, createdAt: issuedAt } = token
            return { kind: 'program', holder: token.id, account, principal, issuedAt, scope }
          }
          const found = apiTokens.resolve(credential.token, origin.address)
          return found instanceof Promise ? found.then(settle) : settle(found)
        }
        case 'basic': {
          const settle = (found: Awaited<ReturnType<BasicLogin['resolve']>>): Identification => {
            if (found.kind !== 'active') return found
            const { account, principal } = found
            return found.via === 'token'
              ? {
                  kind: 'program',
                  holder: found.token.id,
                  account,
                  principal,
                  issuedAt: found.token.createdAt,
                  scope: found.token.scope,
                }
              : {
                  kind: 'program',
                  holder: passwordHolder(found.account),
                  account,
                  principal,
                }
          }
          const { pair, accepts } = credential
          const found = basic.resolve(pair, { accepts, level }, origin)
          return found instanceof Promise ? found.then(settle) : settle(found)
        }
        case 'unreadable':
          return REFUSED
      }
    },
  }
}

/**
 * RFC 6750 2.1; what follows the scheme is judged by who made it. SECURITY: it is spaces that part
 * the two. An app may forgive other blanks, so a token of ours behind those is not handed on either.
 */
const BEARER = /^bearer(\s+)(.*)$/i
const UNREADABLE_BEARER: Credential = { kind: 'unreadable', scheme: 'bearer' }
const REFUSED: Identification = { kind: 'refused' }

/** A token of ours in the login of an app that has its own. */
function holdsPair({ userid, secret }: BasicPair): boolean {
  return holdsToken(userid) || holdsToken(secret.reveal())
}

/** How the credential was sent; `undefined`: not at all. */
export function schemeOf(credential: Credential): 'bearer' | 'basic'
export function schemeOf(credential: Credential | undefined): Scheme | undefined
export function schemeOf(credential: Credential | undefined): Scheme | undefined {
  switch (credential?.kind) {
    case undefined:
      return undefined
    case 'cookie':
      return 'cookie'
    case 'basic':
      return 'basic'
    case 'unreadable':
      return credential.scheme
    default:
      return 'bearer'
  }
}

function isAuthorization(name: string | undefined): boolean {
  return name?.length === 13 && name.toLowerCase() === 'authorization'
}
