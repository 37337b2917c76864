import { createHmac, randomBytes } from 'node:crypto'
import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { Enrolled } from '../factors/enrolled.ts'
import { isOverdue, type Level, type Principal, type UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { HOUR, MINUTE, type Milliseconds } from '../lib/duration.ts'
import { foldName } from '../lib/fold.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import { createFadingCache } from '../limits/fading-cache.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import type { ApiToken, ApiTokenReader, ApiTokenResolution } from '../tokens/api-token.ts'
import type { SecondFactorDue } from './duty.ts'
import type { PasswordAttempt } from './password-attempt.ts'
import type { PasswordUpkeep } from './password-upkeep.ts'
import { auditContext, type LoginContext, orUndo, type StepOrigin } from './step.ts'

/** What an app takes as the password of HTTP Basic. `password`: an account's own as well. */
export type BasicAccepts = 'tokens' | 'password'

/** User name and password, as `readBasic` takes them apart. */
export type BasicPair = { readonly userid: string; readonly secret: Secret<string> }

/** What a pair stands for. Every refusal is one `refused`: the audit log alone knows why. */
export type BasicResolution =
  | {
      readonly kind: 'active'
      readonly via: 'token'
      readonly token: ApiToken
      /** Of its owner; a service token has none. */
      readonly account: Account | undefined
      readonly principal: Principal
    }
  | {
      readonly kind: 'active'
      readonly via: 'password'
      readonly account: Account
      readonly principal: Principal
    }
  | { readonly kind: 'refused' }
  /** Too many attempts from this network. */
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  /** Too many sign-ins at once on this server; nothing was judged or counted. */
  | { readonly kind: 'busy' }

/** HTTP Basic (RFC 7617): a token as the password, or the account's own where that is enough. */
export type BasicLogin = {
  /**
   * Who the pair stands for now. A token is looked up like any other; a password is an attempt,
   * paid for and counted with those on the sign-in page.
   * @param asks what the app takes, and the level that the rules ask of this request: a password
   * alone is taken only where that is `one_factor`
   * @throws AppError `store_unavailable`; the caller must answer 503, never let it pass
   */
  readonly resolve: (
    pair: BasicPair,
    asks: { readonly accepts: BasicAccepts; readonly level: Level },
    origin: StepOrigin,
  ) => BasicResolution | Promise<BasicResolution>
}

/** How long a password that was right is not hashed again. Whether it still holds is asked always. */
const REMEMBERED_FOR: Milliseconds = MINUTE
/** Programs send it with every request: it is written down so often that it was right. */
const TOLD_EVERY: Milliseconds = HOUR
const MAX_REMEMBERED = 10_000

/** A pair that was right when it was verified. */
type Verified = {
  readonly userId: UserId
  /** What it was compared with: once this is not the account's any more, it says nothing. */
  readonly hash: string
  readonly at: number
  readonly toldAt: number
}

export function createBasicLogin(deps: {
  readonly tokens: ApiTokenReader
  readonly attempt: PasswordAttempt
  readonly accounts: Pick<AccountStore, 'byId' | 'passwordHash' | 'secondFactorAsked'>
  readonly enrolled: Pick<Enrolled, 'hasSecond'>
  /** Absent: nobody must have a second factor. */
  readonly secondFactorDue?: SecondFactorDue
  readonly upkeep?: PasswordUpkeep
  /** An id that no account has. */
  readonly nobody: UserId
  readonly audit: Audit
  readonly clock: Clock
}): BasicLogin {
  const { accounts, clock } = deps
  /** Of this process alone: what is remembered by it can be tried against nothing that is kept. */
  const secretKey = randomBytes(32)
  const remembered = createFadingCache<Verified>({
    maxKeys: MAX_REMEMBERED,
    isFaded: ({ toldAt }) => Math.abs(clock.now() - toldAt) >= TOLD_EVERY,
  })
  const underWay = new Map<string, Promise<Verified | Unverified>>()

  /** SECURITY: by all there is of the pair and by who pays, so that no other pair shares it. */
  const keyOf = ({ userid, secret }: BasicPair, address: string) =>
    createHmac('sha256', secretKey)
      .update(JSON.stringify([userid, secret.reveal(), networkKey(address)]))
      .digest('base64url')

  const dueOf = (account: Account) => deps.secondFactorDue?.(account, 0)

  /** Asked about nobody too: a name that nobody has is not found out by how long it takes. */
  const cannotPass = async (account: Account | undefined) => {
    const hasSecond = await deps.enrolled.hasSecond(account?.id ?? deps.nobody)
    if (account === undefined || hasSecond || account.passwordDue !== '') return 'needs_token'
    const secondFactorDue = dueOf(account)
    return isOverdue({ level: 'one_factor', secondFactorDue }, clock.now())
      ? 'needs_token'
      : undefined
  }

  const verify = async (
    pair: BasicPair,
    mayPass: boolean,
    key: string,
    origin: StepOrigin,
  ): Promise<Verified | Unverified> => {
    const context: LoginContext = { ...origin, knownDevice: () => undefined }
    const given = { username: pair.userid, password: pair.secret }
    const attempt = await deps.attempt.begin(given, context, async (account) => {
      const closed = await cannotPass(account)
      return mayPass ? closed : 'needs_token'
    })
    if (attempt.kind !== 'right') {
      remembered.delete(key)
      return attempt
    }
    const { account, hash, needsRehash } = attempt
    if (!(await orUndo(attempt.isStill, attempt.takeBack))) {
      attempt.refuse('wrong')
      return { kind: 'refused' }
    }
    attempt.settle()
    const now = clock.now()
    const trail = auditContext(origin, { account })
    const before = remembered.peek(key)
    const isTold = before !== undefined && Math.abs(now - before.toldAt) < TOLD_EVERY
    if (!isTold) deps.audit({ event: 'auth.password', outcome: 'success' }, trail)
    deps.upkeep?.given({ account, password: pair.secret, hash, needsRehash }, trail)
    const toldAt = isTold ? before.toldAt : now
    const verified: Verified = { userId: account.id, hash, at: now, toldAt }
    remembered.set(key, verified)
    return verified
  }

  /** What a pair that was right stands for now: everything but the hash is asked afresh. */
  const standing = async ({ userId, hash, at }: Verified): Promise<BasicResolution | undefined> => {
    const account = await accounts.byId(userId)
    if (account === undefined || account.disabled) return undefined
    if ((await accounts.passwordHash(userId)) !== hash) return undefined
    if ((await cannotPass(account)) !== undefined) return undefined
    const secondFactorDue = dueOf(account)
    if (secondFactorDue !== undefined && account.secondFactorAskedAt === 0) {
      // From now on the time runs within which it must have one.
      await accounts.secondFactorAsked(userId, clock.now())
    }
    const principal = passwordPrincipal(account, at, secondFactorDue)
    return { kind: 'active', via: 'password', account, principal }
  }

  const withPassword = async (
    pair: BasicPair,
    mayPass: boolean,
    origin: StepOrigin,
  ): Promise<BasicResolution> => {
    const key = keyOf(pair, origin.address)
    const known = mayPass ? remembered.get(key) : undefined
    const age = clock.now() - (known?.at ?? 0)
    if (known !== undefined && age >= 0 && age < REMEMBERED_FOR) {
      const still = await standing(known)
      if (still !== undefined) return still
    }
    // A page asks for many things at once: the same pair is hashed once for all of them.
    const flight = `${mayPass} ${key}`
    let verifying = underWay.get(flight)
    if (verifying === undefined) {
      verifying = verify(pair, mayPass, key, origin).finally(() => underWay.delete(flight))
      underWay.set(flight, verifying)
    }
    const verdict = await verifying
    if ('kind' in verdict) return verdict
    return (await standing(verdict)) ?? { kind: 'refused' }
  }

  return {
    resolve: (pair, { accepts, level }, origin) => {
      const text = pair.secret.reveal()
      if (deps.tokens.isOurs(text)) {
        // 256 random bits are not guessed: no attempt is counted, as for tokens sent otherwise.
        const resolution = deps.tokens.resolve(text, origin.address)
        return resolution instanceof Promise
          ? resolution.then((one) => withToken(one, pair.userid))
          : withToken(resolution, pair.userid)
      }
      return withPassword(pair, accepts === 'password' && level === 'one_factor', origin)
    },
  }
}

type Unverified = Exclude<BasicResolution, { kind: 'active' }>

/** The name must be its owner's, or the service token's own, which a user name cannot spell whole. */
function withToken(resolution: ApiTokenResolution, userid: string): BasicResolution {
  if (resolution.kind === 'none') return { kind: 'refused' }
  const { token, account, principal } = resolution
  const given = foldName(userid.slice(0, 1024))
  const names = account === undefined ? [token.name] : [account.name, foldName(account.email)]
  if (given === '' || !names.includes(given)) return { kind: 'refused' }
  return { kind: 'active', via: 'token', token, account, principal }
}

function passwordPrincipal(
  account: Account,
  at: number,
  secondFactorDue: number | undefined,
): Principal {
  return {
    userId: account.id,
    name: account.name,
    displayName: account.displayName,
    email: account.email,
    groups: account.groups,
    level: 'one_factor',
    proved: [{ kind: 'password', at }],
    secondFactorDue,
  }
}
