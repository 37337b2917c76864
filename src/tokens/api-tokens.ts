import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Account } from '../accounts/account.ts'
import {
  isOverdue,
  levelOf,
  type Principal,
  parseUserId,
  type UserId,
} from '../identity/principal.ts'
import type { ChangeSignal } from '../lib/change-signal.ts'
import type { Clock } from '../lib/clock.ts'
import { DAY, type Milliseconds, SECOND } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import { rememberLast } from '../lib/remember-last.ts'
import { Secret } from '../lib/secret.ts'
import {
  type ApiToken,
  type ApiTokenId,
  type ApiTokenReader,
  type ApiTokenResolution,
  type ApiTokenStore,
  type ApiTokenUse,
  parseApiTokenId,
  serviceName,
} from './api-token.ts'
import {
  type ApiTokenOrder,
  type ApiTokenProblem,
  type ApiTokenRules,
  readApiTokenOrder,
  type TokenAsker,
} from './api-token-order.ts'
import { HINT_LENGTH, isTokenText, newTokenText } from './token-text.ts'

/** What came of an order for a token. */
export type CreatedApiToken =
  /** `text` is the token itself, this once: it is not kept. */
  | { readonly kind: 'created'; readonly text: Secret<string>; readonly token: ApiToken }
  | { readonly kind: 'refused'; readonly problems: readonly ApiTokenProblem[] }
  /** There are as many as there may be. */
  | { readonly kind: 'full'; readonly max: number }
  /** Personal tokens are switched off. */
  | { readonly kind: 'off' }

/** An app that a token can be made for. */
export type TokenApp = {
  /** As configured, and as a scope has it. */
  readonly name: string
  /** As people know it. */
  readonly label: string
  /** It is not shown to anybody; who knows of it and may use it may name it. */
  readonly hidden: boolean
}

/** Personal and service tokens: made, resolved, revoked. */
export type ApiTokens = ApiTokenReader & {
  /** What may be ordered, for forms. */
  readonly rules: ApiTokenRules
  /**
   * The apps a personal token of theirs may name: those they may use. Nothing is said of the others.
   * @throws AppError `store_unavailable`
   */
  readonly appsOf: (asker: TokenAsker) => Promise<readonly TokenApp[]>
  /** What is wrong with an order; nothing is made. */
  readonly problems: (order: ApiTokenOrder) => Promise<readonly ApiTokenProblem[]>
  /** Makes a token. It is on disk when the promise resolves. */
  readonly create: (order: ApiTokenOrder) => Promise<CreatedApiToken>
  /** Expired ones among them, oldest first, each with its last use. */
  readonly ofUser: (userId: UserId) => Promise<readonly ApiToken[]>
  readonly services: () => Promise<readonly ApiToken[]>
  readonly list: () => Promise<readonly ApiToken[]>
  readonly byId: (id: ApiTokenId) => Promise<ApiToken | undefined>
  /** It opens nothing from the next request on. `false` when it was gone already. */
  readonly revoke: (id: ApiTokenId) => Promise<boolean>
  /** Each gives how many were revoked. */
  readonly revokeOfUser: (userId: UserId) => Promise<number>
  /** Those whose scope names the app; tokens for every app stay. */
  readonly revokeOfApp: (app: string) => Promise<number>
  readonly revokeAll: () => Promise<number>
  /** Called with the id of each token that is revoked in this process. */
  readonly onEnd: (listener: (id: ApiTokenId) => void) => void
  /** Whether it still opens something, read from the store. For connections that stay open. */
  readonly isAlive: (id: ApiTokenId) => Promise<boolean>
  /** What is remembered of accounts is read again: one of them was changed by this process. */
  readonly reread: () => void
  /** Writes what is pending about last use; to be called every few seconds and at the end. */
  readonly flush: () => Promise<void>
  /** Removes tokens that expired a while ago. */
  readonly sweep: () => Promise<number>
}

/** How long an answer is reused without asking the store. A revocation does not wait for it. */
const FRESH_FOR: Milliseconds = 10 * SECOND
/** Expired tokens are listed for so long, so that their owners see why a program stopped. */
const LISTED_FOR: Milliseconds = 30 * DAY
const MAX_CACHED = 50_000

type Active = Extract<ApiTokenResolution, { kind: 'active' }>
type Entry = {
  readonly resolution: Active
  readonly readAt: number
  /** Which turn of changes it was read in; an older one must be read again. */
  readonly generation: number
  notedAt: number
  notedFrom: string
}

/**
 * @param deps.changes tells that another process has changed the store
 * @param deps.appsOf the apps somebody may use; absent: no asker can name one
 * @param deps.secondFactorDue as for sessions; absent: nobody must have a second factor
 */
export function createApiTokens(
  deps: {
    readonly store: ApiTokenStore
    readonly accountById: (id: UserId) => Promise<Account | undefined>
    readonly changes: ChangeSignal
    readonly appsOf?: ((asker: TokenAsker) => Promise<readonly TokenApp[]>) | undefined
    readonly secondFactorDue?: (account: Account, signedInAt: number) => number | undefined
    readonly clock: Clock
  },
  rules: ApiTokenRules,
): ApiTokens {
  const { store, clock } = deps
  const cache = new LRUCache<string, Entry>({ max: MAX_CACHED })
  const listeners: ((id: ApiTokenId) => void)[] = []
  /** A request asks for its token a few times in a row. */
  const digestOnce = rememberLast((text) => (isTokenText(text) ? digest(text) : NO_TOKEN))
  let uses = new Map<ApiTokenId, ApiTokenUse>()
  let epoch = 0
  let generation = 0

  const forget = (ids: readonly ApiTokenId[]) => {
    epoch++
    const gone = new Set(ids)
    for (const [key, entry] of cache.entries()) {
      if (gone.has(entry.resolution.token.id)) cache.delete(key)
    }
    for (const id of ids) uses.delete(id)
    for (const id of ids) for (const listener of listeners) listener(id)
    return ids.length
  }

  /** What a token that was read stands for. */
  const judge = async (token: ApiToken | undefined, now: number): Promise<ApiTokenResolution> => {
    if (token === undefined || isOver(token, now)) return NOTHING
    if (token.kind === 'service') {
      return { kind: 'active', token, account: undefined, principal: servicePrincipal(token) }
    }
    if (!rules.personal.enabled || token.userId === undefined) return NOTHING
    const account = await deps.accountById(token.userId)
    if (account === undefined || account.disabled || account.passwordDue !== '') return NOTHING
    const due = deps.secondFactorDue?.(account, token.createdAt)
    return { kind: 'active', token, account, principal: ownersPrincipal(account, token, due) }
  }

  const load = async (tokenHash: string, address: string): Promise<ApiTokenResolution> => {
    const startedIn = epoch
    const startedAt = generation
    const read = await store.byTokenHash(tokenHash)
    const now = clock.now()
    const resolution = await judge(read, now)
    if (resolution.kind === 'none') {
      cache.delete(tokenHash)
      return resolution
    }
    // NOTE: what was read before a revocation must not be remembered after it.
    if (startedIn === epoch) {
      const noted = { notedAt: now, notedFrom: address }
      cache.set(tokenHash, { resolution, readAt: now, generation: startedAt, ...noted })
    }
    uses.set(resolution.token.id, { at: now, from: address })
    return resolution
  }

  const flush = async (): Promise<void> => {
    if (uses.size === 0) return
    const batch = uses
    uses = new Map()
    try {
      await store.touch(batch)
    } catch (error) {
      for (const [id, use] of batch) if (!uses.has(id)) uses.set(id, use)
      throw error
    }
  }

  const appsOf: ApiTokens['appsOf'] = async (asker) => (await deps.appsOf?.(asker)) ?? []

  /** SECURITY: whether an app is there is told only to who may use it. */
  const readOrder = async (order: ApiTokenOrder, now: number) => {
    const asker = order.kind === 'personal' ? order.asker : undefined
    if (asker === undefined) return readApiTokenOrder(order, rules, rules.apps, now)
    const named = order.scope.apps.length > 0
    const apps = (named ? await appsOf(asker) : []).map(({ name }) => name)
    return readApiTokenOrder(order, rules, apps, now)
  }

  /** With the uses that are not written yet. */
  const upToDate = (token: ApiToken): ApiToken => {
    const use = uses.get(token.id)
    if (use === undefined || use.at < token.lastUsedAt) return token
    return { ...token, lastUsedAt: use.at, lastUsedFrom: use.from }
  }

  return {
    rules,
    isOurs: (text) => digestOnce(text) !== NO_TOKEN,
    familiar: (text) => {
      const known = cache.peek(digestOnce(text))?.resolution
      return known && { id: known.token.id, userId: known.principal.userId }
    },
    appsOf,
    problems: async (order) => {
      const read = await readOrder(order, clock.now())
      return read.kind === 'refused' ? read.problems : []
    },
    resolve: (text, address) => {
      const tokenHash = digestOnce(text)
      if (tokenHash === NO_TOKEN) return NOTHING
      if (deps.changes.seen()) generation++
      const entry = cache.get(tokenHash)
      const now = clock.now()
      const age = now - (entry?.readAt ?? 0)
      if (entry?.generation !== generation || age >= FRESH_FOR || age < 0) {
        return load(tokenHash, address)
      }
      if (isOver(entry.resolution.token, now)) {
        cache.delete(tokenHash)
        return NOTHING
      }
      if (now - entry.notedAt >= SECOND || entry.notedFrom !== address) {
        entry.notedAt = now
        entry.notedFrom = address
        uses.set(entry.resolution.token.id, { at: now, from: address })
      }
      return entry.resolution
    },
    create: async (order) => {
      if (order.kind === 'personal' && !rules.personal.enabled) return { kind: 'off' }
      const now = clock.now()
      const read = await readOrder(order, now)
      if (read.kind === 'refused') return read
      const isPersonal = order.kind === 'personal'
      const text = newTokenText(isPersonal ? 'pat' : 'svc')
      const token: ApiToken = {
        ...read.wanted,
        id: newApiTokenId(),
        kind: order.kind,
        userId: isPersonal ? order.owner : undefined,
        factors: isPersonal ? order.factors : [],
        tokenHash: digest(text),
        hint: text.slice(-HINT_LENGTH),
        createdAt: now,
        lastUsedAt: 0,
        lastUsedFrom: '',
      }
      const max = isPersonal ? rules.personal.perAccount : rules.service.most
      if (!(await store.add(token, max))) return { kind: 'full', max }
      return { kind: 'created', text: new Secret(text), token }
    },
    ofUser: async (userId) => (await store.ofUser(userId)).map(upToDate),
    services: async () => (await store.services()).map(upToDate),
    list: async () => (await store.list()).map(upToDate),
    byId: async (id) => {
      const token = await store.byId(id)
      return token && upToDate(token)
    },
    revoke: async (id) => {
      const removed = await store.remove(id)
      forget([id])
      return removed
    },
    revokeOfUser: async (userId) => forget(await store.removeOfUser(userId)),
    revokeOfApp: async (app) => forget(await store.removeOfApp(app)),
    revokeAll: async () => forget(await store.removeAll()),
    onEnd: (listener) => {
      listeners.push(listener)
    },
    isAlive: async (id) => {
      const now = clock.now()
      const found = await judge(await store.byId(id), now)
      return found.kind === 'active' && !isOverdue(found.principal, now)
    },
    reread: () => {
      generation++
    },
    flush,
    sweep: () => store.removeExpired(clock.now() - LISTED_FOR),
  }
}

const NOTHING: ApiTokenResolution = { kind: 'none' }
/** Stands for text that cannot be a token: no digest equals it. */
const NO_TOKEN = ''

function isOver({ expiresAt }: ApiToken, now: number): boolean {
  return expiresAt !== 0 && now >= expiresAt
}

/** SHA-256 of the token, base64url: all that is kept of it. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Its owner as they are now, with what they had proved when they made it. */
function ownersPrincipal(
  account: Account,
  token: ApiToken,
  secondFactorDue: number | undefined,
): Principal {
  return {
    userId: account.id,
    name: account.name,
    displayName: account.displayName,
    email: account.email,
    groups: account.groups,
    level: levelOf(token.factors),
    proved: token.factors,
    secondFactorDue,
  }
}

/** Nobody's: an operator made it, who could have opened anything. It proves no factor. */
function servicePrincipal({ id, name, groups }: ApiToken): Principal {
  // No account has this id: it stands for the token where requests are counted by user.
  const userId = parseUserId(`usr_${id.slice('tok_'.length)}`)
  if (userId === undefined) throw new TypeError('a token id has the wrong shape')
  return {
    userId,
    name: serviceName(name),
    displayName: name,
    email: '',
    groups,
    level: 'two_factor',
    proved: [],
    secondFactorDue: undefined,
  }
}

function newApiTokenId(): ApiTokenId {
  const id = parseApiTokenId(`tok_${randomToken(16)}`)
  if (id === undefined) throw new TypeError('a new token id has the wrong shape')
  return id
}
