import type { UserId } from '../identity/principal.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import { Secret } from '../lib/secret.ts'
import type { Keys } from './keys.ts'
import {
  type StoredUpstreamLogin,
  type UpstreamLogin,
  type UpstreamLoginFault,
  type UpstreamLoginStore,
  upstreamLoginAt,
  upstreamLoginFault,
} from './upstream-login.ts'

/** One of them as it may be shown: never with its password. */
export type ShownUpstreamLogin = Pick<StoredUpstreamLogin, 'app' | 'userId' | 'updatedAt'> & {
  /** The name at the app. */
  readonly user: string
}

/** What people are called, and how they sign in, at apps with a login of their own. */
export type UpstreamLogins = {
  /** @throws AppError `store_unavailable`; `keys_unavailable` when it was sealed elsewhere */
  readonly of: (app: string, userId: UserId) => Promise<UpstreamLogin | undefined>
  /** Keeps it, or says what of it cannot be sent. On disk when the promise resolves. */
  readonly set: (
    app: string,
    userId: UserId,
    login: UpstreamLogin,
  ) => Promise<
    { readonly kind: 'set' } | { readonly kind: 'refused'; readonly fault: UpstreamLoginFault }
  >
  /** `false` when there was none. */
  readonly remove: (app: string, userId: UserId) => Promise<boolean>
  readonly list: (userId?: UserId) => Promise<readonly ShownUpstreamLogin[]>
  /** Grows with each change by this process: what was read before one is to be read again. */
  readonly changes: () => number
}

export function createUpstreamLogins(deps: {
  readonly store: UpstreamLoginStore
  readonly keys: Pick<Keys, 'seal' | 'open'>
  readonly clock: Clock
}): UpstreamLogins {
  const { store, keys, clock } = deps
  let changes = 0
  const open = ({ app, userId, sealedLogin }: StoredUpstreamLogin): UpstreamLogin => {
    const [user, password] = readPair(keys.open(sealedLogin, upstreamLoginAt(app, userId)))
    return { user, password: new Secret(password) }
  }

  return {
    of: async (app, userId) => {
      const stored = await store.of(app, userId)
      return stored === undefined ? undefined : open(stored)
    },
    set: async (app, userId, login) => {
      const fault = upstreamLoginFault(login)
      if (fault !== undefined) return { kind: 'refused', fault }
      const pair = JSON.stringify([login.user, login.password.reveal()])
      const sealedLogin = keys.seal(pair, upstreamLoginAt(app, userId))
      try {
        await store.set({ app, userId, sealedLogin, updatedAt: clock.now() })
      } finally {
        changes++
      }
      return { kind: 'set' }
    },
    remove: async (app, userId) => {
      try {
        return await store.remove(app, userId)
      } finally {
        changes++
      }
    },
    list: async (userId) => {
      const all = await store.list(userId)
      return all.map((stored) => ({
        app: stored.app,
        userId: stored.userId,
        updatedAt: stored.updatedAt,
        user: open(stored).user,
      }))
    },
    changes: () => changes,
  }
}

function readPair(text: string): readonly [user: string, password: string] {
  const pair: unknown = JSON.parse(text)
  if (Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string') {
    return [pair[0], pair[1]]
  }
  throw new AppError('keys_unavailable', 'A login in upstream_logins is none.')
}
