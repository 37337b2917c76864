import type { SessionId } from '../identity/principal.ts'

/** Why a connection is ended from here. */
export type EndReason = 'session' | 'address' | 'shutdown'

/** Whose a connection is: everybody has an address, and who is signed in a session. */
export type ConnectionOwner = {
  /** The network the client counts as (`networkKey`). */
  readonly address: string
  readonly session?: SessionId
}

/** What became of a new connection. */
export type Entered =
  | { readonly kind: 'entered' /** Must be called when it is over. */; readonly leave: () => void }
  /** The owner has as many open as it may. */
  | { readonly kind: 'crowded'; readonly by: 'session' | 'address' }

/** Connections that outlive the request they were let in by, by whose they are. */
export type LiveConnections = {
  readonly add: (owner: ConnectionOwner, close: (why: EndReason) => void) => Entered
  /** Enters a response that is on its way: never refused, and not counted against `add`. */
  readonly follow: (owner: ConnectionOwner, close: (why: EndReason) => void) => () => void
  /** Closes what the session has open; gives how many. For when it ends or is revoked. */
  readonly closeSession: (session: SessionId) => number
  /** Closes what was added for the address; gives how many. For when it is banned. */
  readonly closeAddress: (address: string) => number
  /** The sessions that have something open. */
  readonly sessions: () => readonly SessionId[]
  /** The addresses that have something open. */
  readonly addresses: () => readonly string[]
  /** Closes everything; gives how many. */
  readonly closeAll: () => number
  readonly size: () => number
}

/** How many connections one owner may have open; so that none takes all sockets. */
export type LiveLimits = { readonly perSession: number; readonly perAddress: number }

export function createLiveConnections(limits: LiveLimits): LiveConnections {
  const sessions = new Map<SessionId, Live>()
  const addresses = new Map<string, Live>()
  const all = new Set<Entry>()

  const enter = (
    { session, address }: ConnectionOwner,
    counts: 0 | 1,
    close: (why: EndReason) => void,
  ): (() => void) => {
    const entry: Entry = { close, leave: () => {} }
    all.add(entry)
    const bySession = session === undefined ? undefined : join(sessions, session, entry, counts)
    const byAddress = join(addresses, address, entry, counts)
    entry.leave = () => {
      if (!all.delete(entry)) return
      bySession?.()
      byAddress()
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
      const { session, address } = owner
      if (session !== undefined && countOf(sessions, session) >= limits.perSession) {
        return { kind: 'crowded', by: 'session' }
      }
      if (countOf(addresses, address) >= limits.perAddress) {
        return { kind: 'crowded', by: 'address' }
      }
      return { kind: 'entered', leave: enter(owner, 1, close) }
    },
    follow: (owner, close) => enter(owner, 0, close),
    closeSession: (session) => closeEntries(sessions.get(session)?.entries, 'session'),
    closeAddress: (address) => closeEntries(addresses.get(address)?.entries, 'address'),
    closeAll: () => closeEntries(all, 'shutdown'),
    sessions: () => [...sessions.keys()],
    addresses: () => [...addresses.keys()],
    size: () => all.size,
  }
}

type Entry = { readonly close: (why: EndReason) => void; leave: () => void }
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
