/** Why a connection is ended from here. */
export type EndReason = 'session' | 'address' | 'shutdown'

/**
 * Whose a connection is: everybody has an address, and whoever proved something holds what they
 * proved it with: a session's or a token's id.
 */
export type ConnectionOwner = {
  /** The network the client counts as (`networkKey`). */
  readonly address: string
  readonly holder?: string | undefined
  readonly entry?: AppEntry | undefined
}

/** What somebody was let in to with what they hold, and when that was judged (milliseconds). */
export type AppEntry = { readonly app: string; readonly at: number }

/** What became of a new connection. */
export type Entered =
  | { readonly kind: 'entered' /** Must be called when it is over. */; readonly leave: () => void }
  /** The owner has as many open as it may. */
  | { readonly kind: 'crowded'; readonly by: 'holder' | 'address' }

/** Connections that outlive the request they were let in by, by whose they are. */
export type LiveConnections = {
  readonly add: (owner: ConnectionOwner, close: (why: EndReason) => void) => Entered
  /** Enters a response that is on its way: never refused, and not counted against `add`. */
  readonly follow: (owner: ConnectionOwner, close: (why: EndReason) => void) => () => void
  /** Closes what the holder has open; gives how many. For when it ends or is revoked. */
  readonly closeHolder: (holder: string) => number
  /** Closes what was added for the address; gives how many. For when it is banned. */
  readonly closeAddress: (address: string) => number
  /**
   * Closes what was let in to the app at this instant or before; gives how many. For when its
   * access is taken back.
   */
  readonly closeApp: (app: string, until: number) => number
  /** The holders that have something open. */
  readonly holders: () => readonly string[]
  /** The addresses that have something open. */
  readonly addresses: () => readonly string[]
  /** Closes everything; gives how many. */
  readonly closeAll: () => number
  readonly size: () => number
}

/** How many connections one owner may have open; so that none takes all sockets. */
export type LiveLimits = { readonly perSession: number; readonly perAddress: number }

export function createLiveConnections(limits: LiveLimits): LiveConnections {
  const holders = new Map<string, Live>()
  const addresses = new Map<string, Live>()
  const apps = new Map<string, Live>()
  const all = new Set<Entry>()

  const enter = (
    { holder, address, entry: entered }: ConnectionOwner,
    counts: 0 | 1,
    close: (why: EndReason) => void,
  ): (() => void) => {
    const entry: Entry = { close, leave: () => {}, at: entered?.at ?? 0 }
    all.add(entry)
    const byHolder = holder === undefined ? undefined : join(holders, holder, entry, counts)
    const byAddress = join(addresses, address, entry, counts)
    const byApp = entered === undefined ? undefined : join(apps, entered.app, entry, counts)
    entry.leave = () => {
      if (!all.delete(entry)) return
      byHolder?.()
      byAddress()
      byApp?.()
    }
    return entry.leave
  }

  const closeEntries = (entries: Iterable<Entry> | undefined, why: EndReason): number => {
    const closing = [...(entries ?? [])]
    for (const entry of closing) {
      entry.leave()
      entry.close(why)
    }
    return closing.length
  }

  return {
    add: (owner, close) => {
      const { holder, address } = owner
      if (holder !== undefined && countOf(holders, holder) >= limits.perSession) {
        return { kind: 'crowded', by: 'holder' }
      }
      if (countOf(addresses, address) >= limits.perAddress) {
        return { kind: 'crowded', by: 'address' }
      }
      return { kind: 'entered', leave: enter(owner, 1, close) }
    },
    follow: (owner, close) => enter(owner, 0, close),
    closeHolder: (holder) => closeEntries(holders.get(holder)?.entries, 'session'),
    closeAddress: (address) => closeEntries(addresses.get(address)?.entries, 'address'),
    closeApp: (app, until) => {
      const entries = apps.get(app)?.entries ?? []
      return closeEntries(
        [...entries].filter(({ at }) => at <= until),
        'session',
      )
    },
    closeAll: () => closeEntries(all, 'shutdown'),
    holders: () => [...holders.keys()],
    addresses: () => [...addresses.keys()],
    size: () => all.size,
  }
}

type Entry = { readonly close: (why: EndReason) => void; leave: () => void; readonly at: number }
type Live = { readonly entries: Set<Entry>; counted: number }

function join<Key>(lives: Map<Key, Live>, key: Key, entry: Entry, counts: 0 | 1): () => void {
  const live = lives.get(key) ?? { entries: new Set(), counted: 0 }
  live.entries.add(entry)
  live.counted += counts
  lives.set(key, live)
  return () => {
    live.entries.delete(entry)
    live.counted -= counts
    if (live.entries.size === 0) lives.delete(key)
  }
}

function countOf<Key>(lives: ReadonlyMap<Key, Live>, key: Key): number {
  return lives.get(key)?.counted ?? 0
}
