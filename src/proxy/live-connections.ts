import type { SessionId } from '../identity/principal.ts'

/** Connections that outlive the request they were let in by, by the session that opened them. */
export type LiveConnections = {
  /**
   * Enters a connection; `undefined` when the session has as many as it may have. The function
   * takes it out again and must be called when it is over.
   */
  readonly add: (session: SessionId, close: () => void) => (() => void) | undefined
  /** Enters a response that is on its way: never refused, and not counted against `add`. */
  readonly follow: (session: SessionId, close: () => void) => () => void
  /** Closes what the session has open; gives how many. For when it ends or is revoked. */
  readonly closeSession: (session: SessionId) => number
  /** The sessions that have something open. */
  readonly sessions: () => readonly SessionId[]
  /** Closes everything; gives how many. */
  readonly closeAll: () => number
  readonly size: () => number
}

/** @param options.perSession 100 unless told, so that one session cannot take all sockets */
export function createLiveConnections(
  options: { readonly perSession?: number } = {},
): LiveConnections {
  const perSession = options.perSession ?? 100
  const sessions = new Map<SessionId, Live>()
  let size = 0

  const enter = (session: SessionId, close: () => void, counts: 0 | 1): (() => void) => {
    const live = sessions.get(session) ?? { closes: new Set(), counted: 0 }
    // One object for each entry, whatever function it is asked to call.
    const entry = () => close()
    live.closes.add(entry)
    live.counted += counts
    sessions.set(session, live)
    size++
    return () => {
      if (!live.closes.delete(entry)) return
      live.counted -= counts
      size--
      if (live.closes.size === 0 && sessions.get(session) === live) sessions.delete(session)
    }
  }

  const closeSession = (session: SessionId): number => {
    const live = sessions.get(session)
    if (live === undefined) return 0
    sessions.delete(session)
    const closing = [...live.closes]
    live.closes.clear()
    size -= closing.length
    for (const close of closing) close()
    return closing.length
  }

  return {
    add: (session, close) => {
      if ((sessions.get(session)?.counted ?? 0) >= perSession) return undefined
      return enter(session, close, 1)
    },
    follow: (session, close) => enter(session, close, 0),
    closeSession,
    closeAll: () => {
      let closed = 0
      for (const session of [...sessions.keys()]) closed += closeSession(session)
      return closed
    },
    sessions: () => [...sessions.keys()],
    size: () => size,
  }
}

type Live = { readonly closes: Set<() => void>; counted: number }
