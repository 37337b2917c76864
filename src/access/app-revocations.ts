import type { ChangeSignal } from '../lib/change-signal.ts'
import type { Clock } from '../lib/clock.ts'

/** Where is kept since when proofs count for an app. Durable on disk when its promise resolves. */
export type AppRevocationStore = {
  /** From this instant on, milliseconds since the epoch; an earlier one than is kept is ignored. */
  readonly revoke: (app: string, at: number) => Promise<void>
  /** By the app's name. */
  readonly all: () => Promise<ReadonlyMap<string, number>>
}

/**
 * Apps whose access was taken back from everybody at once: what was proved, or issued, before
 * that instant opens the app no more, while sessions and other apps stay as they are.
 */
export type AppRevocations = {
  /**
   * The instant before which nothing counts for the app; 0: everything does. Answered from memory,
   * unless another process has changed the store since.
   * @throws AppError `store_unavailable`; never to be taken for 0
   */
  readonly since: (app: string) => number | Promise<number>
  /** Takes back all access as of now. In force in this process when the promise resolves. */
  readonly revoke: (app: string) => Promise<void>
  /** Reads the store if it was changed. For chores, so that no request is needed. */
  readonly refresh: () => Promise<void>
  /** Those known, from memory. */
  readonly known: () => ReadonlyMap<string, number>
  /** Called with each revocation when this process learns of it. */
  readonly onRevoke: (listener: (app: string, at: number) => void) => void
}

/** @param deps.changes tells that another process has changed the store */
export function createAppRevocations(deps: {
  readonly store: AppRevocationStore
  readonly changes: ChangeSignal
  readonly clock: Clock
}): AppRevocations {
  const listeners: ((app: string, at: number) => void)[] = []
  let revoked: ReadonlyMap<string, number> = new Map()
  // Nothing was read yet.
  let stale = true
  let started = 0
  let shown = 0
  let reading: Promise<void> | undefined

  const load = async (): Promise<void> => {
    const turn = ++started
    stale = false
    try {
      const read = await deps.store.all()
      // Of two readings under way the later one knows more, whichever ends first.
      if (turn < shown) return
      shown = turn
      const before = revoked
      revoked = read
      for (const [app, at] of read) {
        if (at <= (before.get(app) ?? 0)) continue
        for (const listener of listeners) listener(app, at)
      }
    } catch (error) {
      stale = true
      throw error
    }
  }
  /** What is to be waited for; `undefined`: what is known is up to date. */
  const update = (): Promise<void> | undefined => {
    if (deps.changes.seen()) stale = true
    if (!stale) return reading
    const own: Promise<void> = load().finally(() => {
      if (reading === own) reading = undefined
    })
    reading = own
    return own
  }
  const at = (app: string): number => revoked.get(app) ?? 0

  return {
    since: (app) => {
      const updating = update()
      return updating === undefined ? at(app) : updating.then(() => at(app))
    },
    revoke: async (app) => {
      await deps.store.revoke(app, deps.clock.now())
      await load()
    },
    refresh: async () => {
      await update()
    },
    known: () => revoked,
    onRevoke: (listener) => {
      listeners.push(listener)
    },
  }
}
