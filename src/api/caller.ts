import { firstHeader, singleHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import { isOverdue, levelOf } from '../identity/principal.ts'
import { FOR_SETTINGS, lackOf } from '../policy/step-up.ts'
import type { AccessStage } from '../tokens/access-token.ts'
import type { ApiDeps } from './api-deps.ts'
import { API } from './api-paths.ts'
import { confirmationsOf } from './auth/ways.ts'
import { refuse } from './refusals.ts'
import type { ApiCaller, ApiResult, ApiRoute } from './route.ts'

/** Who calls, or why this route is closed to them. */
export type CallerOutcome =
  | { readonly kind: 'caller'; readonly caller: ApiCaller | undefined }
  | { readonly kind: 'refused'; readonly result: ApiResult }

/**
 * Judges who calls a route. Only a bearer token opens the API (RFC 6750 2.1): a cookie opens
 * nothing here, so no page of another site can call it in a visitor's name.
 * @throws AppError `store_unavailable`
 */
export async function callerOf(
  deps: ApiDeps,
  visit: Visit,
  route: Pick<ApiRoute, 'stage' | 'whileDue'>,
): Promise<CallerOutcome> {
  if (route.stage === 'anyone') return { kind: 'caller', caller: undefined }
  const token = bearerToken(visit)
  if (token === undefined) return closed('')
  const verdict = await deps.accessTokens.verify(token, tokenStage(route.stage))
  if (verdict.kind === 'refused') {
    return verdict.reason === 'stage' ? wrongStage(deps, token) : closed('invalid_token')
  }
  const { claims } = verdict
  const resolution = await deps.sessions.resolveId(claims.sessionId)
  if (resolution.kind === 'none' || resolution.account.id !== claims.userId) {
    return closed('invalid_token')
  }
  const { session, account } = resolution
  const stage: AccessStage =
    resolution.kind === 'active'
      ? 'complete'
      : resolution.owes === 'password'
        ? 'password_due'
        : 'mfa_pending'
  if (stage !== tokenStage(route.stage)) return owed(stage)
  const caller: ApiCaller = { session, account, level: levelOf(session.factors) }
  if (resolution.kind !== 'active') return { kind: 'caller', caller }
  const now = deps.clock.now()
  // SECURITY: an account that gained a second factor elsewhere owes it here too.
  if (caller.level === 'one_factor' && (await deps.enrolled.hasSecond(account.id))) {
    return closed('invalid_token')
  }
  if (route.whileDue !== true && isOverdue(resolution.principal, now)) {
    return { kind: 'refused', result: refuse('second_factor_due') }
  }
  if (isAdminStage(route.stage) && !(caller.level === 'two_factor' && deps.isAdmin(account))) {
    return { kind: 'refused', result: refuse('not_an_administrator') }
  }
  if (isFreshStage(route.stage) && lackOf(FOR_SETTINGS, session.factors, now) !== undefined) {
    const ways = await confirmationsOf(deps, visit, caller)
    return { kind: 'refused', result: refuse('fresh_proof_required', { extra: { ways } }) }
  }
  return { kind: 'caller', caller }
}

const isAdminStage = (stage: ApiRoute['stage']) => stage === 'admin' || stage === 'fresh_admin'
const isFreshStage = (stage: ApiRoute['stage']) => stage === 'fresh' || stage === 'fresh_admin'

/** The one token of the one `Authorization` field, if that is what was sent. */
export function bearerToken({ headers }: Pick<Visit, 'headers'>): string | undefined {
  const field = singleHeader(headers, 'authorization')
  return field.kind === 'one' ? BEARER.exec(field.value)?.[1] : undefined
}

/** RFC 6750 2.1, `b64token` without the length of a book. */
const BEARER = /^[Bb]earer +([A-Za-z0-9._~+/-]{1,4096}=*)$/

function tokenStage(stage: ApiRoute['stage']): AccessStage {
  return stage === 'mfa_pending' || stage === 'password_due' ? stage : 'complete'
}

/** A good token of another stage is told what is owed; whatever else it is, it is refused. */
async function wrongStage(deps: ApiDeps, token: string): Promise<CallerOutcome> {
  for (const stage of ['mfa_pending', 'password_due'] as const) {
    if ((await deps.accessTokens.verify(token, stage)).kind === 'valid') return owed(stage)
  }
  return closed('invalid_token')
}

function owed(stage: AccessStage): CallerOutcome {
  if (stage === 'complete') return closed('invalid_token')
  const headers = [challenge('insufficient_scope')] as const
  return {
    kind: 'refused',
    result:
      stage === 'password_due'
        ? refuse('password_change_required')
        : refuse('second_factor_required', { headers }),
  }
}

function closed(error: '' | 'invalid_token'): CallerOutcome {
  return {
    kind: 'refused',
    result: refuse('unauthenticated', { headers: [challenge(error)] }),
  }
}

/** RFC 6750 3. */
function challenge(error: '' | 'invalid_token' | 'insufficient_scope'): readonly [string, string] {
  const suffix = error === '' ? '' : `, error="${error}"`
  return ['WWW-Authenticate', `Bearer realm="${API}"${suffix}`]
}

/** As sent, for audit events and lists of sessions. */
export function userAgentOf(visit: Visit): string {
  return (firstHeader(visit.headers, 'user-agent') ?? '').slice(0, 256)
}
