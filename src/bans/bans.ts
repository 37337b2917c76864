import type { ChangeSignal } from '../lib/change-signal.ts'
import type { Clock } from '../lib/clock.ts'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import { type Ban, type BanStore, MAX_BANS } from './ban.ts'
import { banList } from './ban-list.ts'

/** The bans of a running server. */
export type Bans = {
  /**
   * The ban that keeps the address out now. Answered from memory, unless another process has
   * changed the store since: then the bans are read once, and whoever asks meanwhile waits for it.
   * Never fails: while the store cannot be read, the bans that were known hold.
   */
  readonly find: (address: string) => Ban | undefined | Promise<Ban | undefined>
  /** The same from memory alone. */
  readonly known: (address: string) => Ban | undefined
  /** Reads them if they were changed. Never fails. For chores, so that no request is needed. */
  readonly refresh: () => Promise<void>
  /** Reads them from the store. @throws AppError `store_unavailable` */
  readonly load: () => Promise<void>
  /** Removes those that are over from the store; gives how many. */
  readonly sweep: () => Promise<number>
}

/** How long nothing is read again after the store could not be: a failure may take seconds. */
const PAUSE: Milliseconds = SECOND

/**
 * @param deps.changes tells that another process has changed the store
 * @param deps.failed is told when the bans could not be read again
 */
export function createBans(deps: {
  readonly store: BanStore
  readonly changes: ChangeSignal
  readonly clock: Clock
  readonly failed: (error: unknown) => void
}): Bans {
  const { store, clock } = deps
  let list = banList([])
  let stale = false
  let notBefore = 0
  let started = 0
  let shown = 0
  let reading: Promise<void> | undefined

  const known = (address: string): Ban | undefined => {
    const ban = list.find(address)
    return ban !== undefined && clock.now() < ban.endsAt ? ban : undefined
  }
  const load = async (): Promise<void> => {
    const turn = ++started
    stale = false
    try {
      const bans = await store.list(clock.now(), MAX_BANS)
      // Of two readings under way the later one knows more, whichever ends first.
      if (turn < shown) return
      shown = turn
      list = banList(bans)
    } catch (error) {
      stale = true
      notBefore = clock.now() + PAUSE
      throw error
    }
  }
  /** What is to be waited for; `undefined`: what is known is up to date, or the best there is. */
  const update = (): Promise<void> | undefined => {
    if (deps.changes.seen()) stale = true
    if (!stale) return reading
    const now = clock.now()
    if (now < notBefore && now >= notBefore - PAUSE) return reading
    // What changes while they are read makes them stale again, and another reading begins.
    const own: Promise<void> = load()
      .catch(deps.failed)
      .finally(() => {
        if (reading === own) reading = undefined
      })
    reading = own
    return own
  }

  return {
    find: (address) => {
      const updating = update()
      return updating === undefined ? known(address) : updating.then(() => known(address))
    },
    known,
    refresh: async () => {
      await update()
    },
    load,
    sweep: () => store.removeEnded(clock.now()),
  }
}
