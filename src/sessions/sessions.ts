import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Account } from '../accounts/account.ts'
import {
  isOverdue,
  levelOf,
  type Principal,
  type ProvedFactor,
  type SessionId,
  type UserId,
} from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { HOUR, MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import { rememberLast } from '../lib/remember-last.ts'
import { Secret } from '../lib/secret.ts'
import type {
  ForeignWrites,
  Session,
  SessionClient,
  SessionStage,
  SessionStore,
} from './session.ts'

/** What a cookie's token stands for. */
export type Resolution =
  /** No such session: never was, revoked, or over. */
  | { readonly kind: 'none' }
  /**
   * Something is still owed: a second factor, or a new password. Opens nothing but the page where
   * that is given.
   */
  | {
      readonly kind: 'pending'
      readonly owes: 'second_factor' | 'password'
      readonly session: Session
      readonly account: Account
    }
  | {
      readonly kind: 'active'
      readonly session: Session
      readonly account: Account
      readonly principal: Principal
    }

/** A fresh session and the token that goes into the cookie, this once. */
export type Issued = { readonly token: Secret<string>; readonly session: Session }

export type SessionOrigin = { readonly address: string; readonly userAgent: string }

export type Sessions = {
  /**
   * Starts a session. It is on disk when the promise resolves. `undefined` when the account is gone
   * or disabled by now. An account has a bounded number of them: the one used least lately ends.
   */
  readonly open: (
    start: SessionOrigin & {
      readonly userId: UserId
      readonly stage: SessionStage
      readonly factors: readonly ProvedFactor[]
      readonly remember: boolean
      /** Absent: a browser. */
      readonly client?: SessionClient
    },
  ) => Promise<Issued | undefined>
  /**
   * Adds a proved factor under a new id and a new token; the old token is dead in the same step.
   * `undefined` when the session was revoked or raised by a parallel request.
   */
  readonly raise: (session: Session, factor: ProvedFactor) => Promise<Issued | undefined>
  /**
   * A new id and a new token for the same session, nothing else changed: after its account's
   * password or factors changed. `undefined` when it is gone.
   */
  readonly renew: (session: Session) => Promise<Issued | undefined>
  /** What is remembered of accounts is read again: one of them was changed by this process. */
  readonly reread: () => void
  /**
   * What the token stands for now. Answered without I/O when it was asked for in the last
   * seconds and nothing was revoked since, by this process or another.
   * @throws AppError `store_unavailable`
   */
  readonly resolve: (token: string) => Resolution | Promise<Resolution>
  /**
   * The same by a session's id, for who has proved to be entitled to it by a signed token. Only
   * sessions of programs are found.
   * @throws AppError `store_unavailable`
   */
  readonly resolveId: (id: SessionId) => Resolution | Promise<Resolution>
  /**
   * The session the token opened a moment ago, from memory alone. It decides only which budget
   * pays for the request, never what is allowed.
   */
  readonly familiar: (token: string) => SessionId | undefined
  /** The language its account's owner chose, from memory alone; it decides only how pages read. */
  readonly familiarLanguage: (token: string) => Account['language']
  /**
   * When the token's session is over if nothing more is asked with it. Asking this is no use of
   * it: it moves no end. Only what is finished counts; a sign-in under way is `undefined`.
   * @throws AppError `store_unavailable`
   */
  readonly outlook: (token: string) => Promise<Outlook | undefined>
  /** The same for whose session it is. */
  readonly familiarUser: (token: string) => UserId | undefined
  readonly end: (id: SessionId) => Promise<boolean>
  readonly endOfUser: (userId: UserId, except?: SessionId) => Promise<number>
  /** Everybody's; gives how many. */
  readonly endAll: () => Promise<number>
  readonly ofUser: (userId: UserId) => Promise<readonly Session[]>
  /** Called with the id of each session that ends in this process. */
  readonly onEnd: (listener: (id: SessionId) => void) => void
  /**
   * Whether the session is still good and owes nothing, read from the store. For connections that
   * stay open.
   */
  readonly isAlive: (id: SessionId) => Promise<boolean>
  /** Writes what is pending about last use; to be called every few seconds and at the end. */
  readonly flush: () => Promise<void>
  /** Removes sessions that are over from the store. */
  readonly sweep: () => Promise<number>
}

/** Times of a session, milliseconds since the epoch. */
export type Outlook = {
  readonly endsAt: number
  /** Whether a request now would move that end. */
  readonly extends: boolean
}

export type SessionOptions = {
  readonly idle: Milliseconds
  readonly absolute: Milliseconds
  readonly remember: Milliseconds
  /** Of programs; absent: as a browser's. */
  readonly api?: { readonly idle: Milliseconds; readonly absolute: Milliseconds }
}

/** How long an answer is reused without asking the store. A revocation does not wait for it. */
const FRESH_FOR: Milliseconds = 10 * SECOND
/** A login whose second step was not finished is over after this. */
export const PENDING_FOR: Milliseconds = 20 * MINUTE
/** A session that an operator's link opened is to put things right, not to work in. */
export const LINK_SESSION_FOR: Milliseconds = HOUR
const MAX_CACHED = 100_000
/**
 * Sessions of one account, in browsers and of programs each. A program that signs in each time
 * ends others of its own with it, and no browser's.
 */
const MOST_OF_USER: Readonly<Record<Session['stage'], number>> = { complete: 200, pending: 50 }

type Entry = {
  readonly resolution: Exclude<Resolution, { kind: 'none' }>
  readonly readAt: number
  /** Which turn of foreign writes it was read in; an older one must be read again. */
  readonly generation: number
  lastSeen: number
}

export function createSessions(
  deps: {
    readonly store: SessionStore
    readonly accountById: (id: UserId) => Promise<Account | undefined>
    readonly foreignWrites: ForeignWrites
    /**
     * From when on an account that signed in at an instant must have proved a second factor, or
     * `undefined`; absent: nobody must.
     */
    readonly secondFactorDue?: (account: Account, signedInAt: number) => number | undefined
    readonly clock: Clock
  },
  options: SessionOptions,
): Sessions {
  const { store, clock } = deps
  /** By token's digest and, of programs, by the session's id. */
  const cache = new LRUCache<string, Entry>({
    max: MAX_CACHED,
    dispose: ({ resolution: { session } }, key) => {
      if (digests.get(session.id) === key) digests.delete(session.id)
    },
  })
  /** The digest by which a session is remembered, so that it is forgotten without a search. */
  const digests = new Map<SessionId, string>()
  const listeners: ((id: SessionId) => void)[] = []
  /** A request asks for its token's digest twice in a row. */
  const digestOnce = rememberLast((token) => (isToken(token) ? digest(token) : NO_TOKEN))
  let seen = new Map<SessionId, number>()
  let epoch = 0
  let generation = 0

  const forget = (id: SessionId) => {
    epoch++
    cache.delete(id)
    const known = digests.get(id)
    if (known !== undefined) cache.delete(known)
    for (const listener of listeners) listener(id)
  }

  /** `key`: a token's digest, or a session's id, by which the session is remembered. */
  const load = async (
    key: string,
    read: () => Promise<Session | undefined>,
  ): Promise<Resolution> => {
    const startedIn = epoch
    const startedAt = generation
    const session = await read()
    const now = clock.now()
    const lastSeen =
      session === undefined ? 0 : Math.max(session.lastSeenAt, seen.get(session.id) ?? 0)
    if (session === undefined || isOver(session, lastSeen, now)) return drop(key)
    const account = await deps.accountById(session.userId)
    if (account === undefined || account.disabled) return drop(key)
    const resolution: Entry['resolution'] =
      session.stage === 'pending'
        ? { kind: 'pending', owes: 'second_factor', session, account }
        : account.passwordDue !== ''
          ? { kind: 'pending', owes: 'password', session, account }
          : {
              kind: 'active',
              session,
              account,
              principal: principalOf(
                account,
                session,
                deps.secondFactorDue?.(account, session.createdAt),
              ),
            }
    // NOTE: what was read before a revocation must not be remembered after it.
    if (startedIn === epoch) {
      cache.set(key, { resolution, readAt: now, generation: startedAt, lastSeen: now })
      if (key !== session.id) digests.set(session.id, key)
    }
    noteSeen(session.id, now)
    return resolution
  }
  const drop = (key: string): Resolution => {
    cache.delete(key)
    return { kind: 'none' }
  }
  /** From memory while that is fresh, otherwise from the store. */
  const lookUp = (
    key: string,
    read: () => Promise<Session | undefined>,
  ): Resolution | Promise<Resolution> => {
    checkForeignWrites()
    const entry = cache.get(key)
    const now = clock.now()
    if (
      entry !== undefined &&
      entry.generation === generation &&
      now - entry.readAt < FRESH_FOR &&
      now >= entry.readAt
    ) {
      const { session } = entry.resolution
      if (isOver(session, entry.lastSeen, now)) return drop(key)
      if (now - entry.lastSeen >= SECOND) {
        entry.lastSeen = now
        noteSeen(session.id, now)
      }
      return entry.resolution
    }
    return load(key, read)
  }
  const noteSeen = (id: SessionId, now: number) => {
    seen.set(id, now)
  }
  const checkForeignWrites = () => {
    // What is remembered stays, to tell whose request it is, but opens nothing until it is read
    // again.
    if (deps.foreignWrites.seen()) generation++
  }

  /** `next` under a new id and a new token; the old token is dead in the same step. */
  const putInPlace = async (session: Session, next: Session): Promise<Issued | undefined> => {
    const token = randomToken()
    const issued: Session = { ...next, id: newSessionId(), tokenHash: digest(token) }
    const replaced = await store.replace(session.tokenHash, issued)
    if (!replaced) return undefined
    forget(session.id)
    if (issued.stage !== session.stage) await bound(issued)
    return { token: new Secret(token), session: issued }
  }

  /**
   * One more has come: of too many, those that were used least lately end. The new one is on disk
   * and good whatever comes of it; if the store fails now, the next one to come ends them.
   */
  const bound = async (session: Session) => {
    const ended = await store.removeBeyond(session, MOST_OF_USER[session.stage]).catch(() => [])
    for (const id of ended) forget(id)
  }

  type Lasting = Pick<Session, 'remember' | 'factors'> & { readonly client?: SessionClient }
  const lifetimes = ({ remember, client }: Lasting) => {
    if (client === 'api' && options.api !== undefined) return options.api
    return remember ? { idle: options.remember, absolute: options.remember } : options
  }
  const longest = (session: Lasting): Milliseconds => {
    const lasts = lifetimes(session).absolute
    return session.factors.some(({ kind }) => kind === 'link')
      ? Math.min(lasts, LINK_SESSION_FOR)
      : lasts
  }

  const flush = async (): Promise<void> => {
    if (seen.size === 0) return
    const batch = seen
    seen = new Map()
    try {
      await store.touch(batch)
    } catch (error) {
      for (const [id, at] of batch) if (!seen.has(id)) seen.set(id, at)
      throw error
    }
  }

  return {
    open: async (start) => {
      const now = clock.now()
      const token = randomToken()
      const pending = start.stage === 'pending'
      const session: Session = {
        id: newSessionId(),
        tokenHash: digest(token),
        userId: start.userId,
        stage: start.stage,
        factors: start.factors,
        createdAt: now,
        lastSeenAt: now,
        idle: pending ? PENDING_FOR : lifetimes(start).idle,
        endsAt: now + (pending ? PENDING_FOR : longest(start)),
        remember: start.remember,
        address: start.address,
        userAgent: start.userAgent,
        client: start.client ?? 'browser',
      }
      if (!(await store.add(session))) return undefined
      await bound(session)
      return { token: new Secret(token), session }
    },
    raise: async (session, factor) => {
      const now = clock.now()
      // The absolute end counts from the first proof of this session, not from the rise.
      const lasts = longest(session)
      return putInPlace(session, {
        ...session,
        stage: 'complete',
        factors: [...session.factors.filter((known) => known.kind !== factor.kind), factor],
        lastSeenAt: now,
        idle: lifetimes(session).idle,
        endsAt: session.createdAt + lasts,
      })
    },
    renew: (session) => putInPlace(session, session),
    reread: () => {
      generation++
    },
    resolve: (token) => {
      const tokenHash = digestOnce(token)
      if (tokenHash === NO_TOKEN) return { kind: 'none' }
      return lookUp(tokenHash, () => store.byTokenHash(tokenHash))
    },
    resolveId: (id) =>
      lookUp(id, async () => {
        const session = await store.byId(id)
        return session?.client === 'api' ? session : undefined
      }),
    familiar: (token) => {
      const resolution = cache.peek(digestOnce(token))?.resolution
      return resolution?.kind === 'active' ? resolution.session.id : undefined
    },
    familiarUser: (token) => {
      const resolution = cache.peek(digestOnce(token))?.resolution
      return resolution?.kind === 'active' ? resolution.session.userId : undefined
    },
    familiarLanguage: (token) => cache.peek(digestOnce(token))?.resolution.account.language ?? '',
    outlook: async (token) => {
      const tokenHash = digestOnce(token)
      if (tokenHash === NO_TOKEN) return undefined
      const session = await store.byTokenHash(tokenHash)
      if (session?.stage !== 'complete') return undefined
      const account = await deps.accountById(session.userId)
      if (account === undefined || account.disabled || account.passwordDue !== '') return undefined
      const lastSeen = Math.max(session.lastSeenAt, seen.get(session.id) ?? 0)
      if (isOver(session, lastSeen, clock.now())) return undefined
      const idleEnd = lastSeen + session.idle
      return { endsAt: Math.min(idleEnd, session.endsAt), extends: idleEnd < session.endsAt }
    },
    end: async (id) => {
      const removed = await store.remove(id)
      forget(id)
      return removed
    },
    endOfUser: async (userId, except) => {
      const removed = await store.removeOfUser(userId, except)
      for (const id of removed) forget(id)
      return removed.length
    },
    endAll: async () => {
      const removed = await store.removeAll()
      epoch++
      const known = new Set([...cache.values()].map(({ resolution }) => resolution.session.id))
      cache.clear()
      // What memory does not know and still has a connection is found by who looks after those.
      for (const id of known) for (const listener of listeners) listener(id)
      return removed
    },
    ofUser: async (userId) => {
      const now = clock.now()
      const sessions = await store.ofUser(userId)
      return sessions
        .map((session) => ({
          ...session,
          lastSeenAt: Math.max(session.lastSeenAt, seen.get(session.id) ?? 0),
        }))
        .filter((session) => !isOver(session, session.lastSeenAt, now))
    },
    onEnd: (listener) => {
      listeners.push(listener)
    },
    isAlive: async (id) => {
      const session = await store.byId(id)
      if (session === undefined) return false
      const account = await deps.accountById(session.userId)
      if (account === undefined || account.disabled || account.passwordDue !== '') return false
      const now = clock.now()
      const secondFactorDue = deps.secondFactorDue?.(account, session.createdAt)
      if (isOverdue({ level: levelOf(session.factors), secondFactorDue }, now)) return false
      // An open connection is use of the session: only its absolute end closes it.
      return now < session.endsAt
    },
    flush,
    sweep: async () => {
      // What was used a moment ago must not look idle to the store.
      await flush()
      return store.removeEnded(clock.now())
    },
  }
}

/** A session is over at its absolute end, and when it was not used for its idle time. */
function isOver(session: Session, lastSeen: number, now: number): boolean {
  return now >= session.endsAt || now - lastSeen >= session.idle
}

function principalOf(
  account: Account,
  session: Session,
  secondFactorDue: number | undefined,
): Principal {
  return {
    userId: account.id,
    name: account.name,
    displayName: account.displayName,
    email: account.email,
    groups: account.groups,
    level: levelOf(session.factors),
    proved: session.factors,
    secondFactorDue,
  }
}

/** Stands for text that cannot be a token: no digest equals it. */
const NO_TOKEN = ''

/** SHA-256 of the token, base64url: all that is kept of it. */
function digest(token: string): string {
  return hash('sha256', token, 'base64url')
}

function isToken(text: string): boolean {
  return text.length === 43 && /^[A-Za-z0-9_-]{43}$/.test(text)
}

function newSessionId(): SessionId {
  return `ses_${randomToken(16)}` as SessionId
}
