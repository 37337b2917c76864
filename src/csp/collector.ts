import type { Clock } from '../lib/clock.ts'
import type { SeenViolation, Violation } from './violation.ts'
import type { ViolationStore } from './violation-store.ts'

/** Gathers violations in memory and brings them to the store from time to time. */
export type Collector = {
  readonly add: (app: string, violation: Violation) => void
  /** Brings what was gathered; it is kept for the next time when the store does not take it. */
  readonly flush: () => Promise<void>
}

/**
 * Kinds of violation kept of one app, in the store and in memory. Pages of an app make some dozens;
 * who sends made-up ones fills the list of that app and nothing else.
 */
export const KINDS_PER_APP = 500

/** @param deps.store what `flush` throws is the store's */
export function createCollector(
  deps: { readonly store: Pick<ViolationStore, 'add'>; readonly clock: Clock },
  options: { readonly kindsPerApp: number } = { kindsPerApp: KINDS_PER_APP },
): Collector {
  const { store, clock } = deps
  const { kindsPerApp } = options
  let apps = new Map<string, Gathered>()
  let flushing: Promise<void> | undefined

  const gather = (app: string, seen: SeenViolation) => {
    let gathered = apps.get(app)
    if (gathered === undefined) {
      gathered = { kinds: new Map(), dropped: 0 }
      apps.set(app, gathered)
    }
    const key = `${seen.directive} ${seen.blocked}`
    const known = gathered.kinds.get(key)
    if (known !== undefined) gathered.kinds.set(key, merged(known, seen))
    else if (gathered.kinds.size < kindsPerApp) gathered.kinds.set(key, seen)
    else gathered.dropped += seen.count
  }

  const bring = async (): Promise<void> => {
    const taken = apps
    if (taken.size === 0) return
    apps = new Map()
    try {
      const harvest = [...taken].map(([app, { kinds, dropped }]) => {
        return { app, violations: [...kinds.values()], dropped }
      })
      await store.add(harvest, kindsPerApp)
    } catch (error) {
      // What came first goes in first: the newcomers are the ones there may be no room for.
      const since = apps
      apps = taken
      for (const [app, { kinds, dropped }] of since) {
        for (const seen of kinds.values()) gather(app, seen)
        const gathered = apps.get(app)
        if (gathered !== undefined) gathered.dropped += dropped
      }
      throw error
    }
  }

  return {
    add: (app, violation) => {
      const now = clock.now()
      gather(app, { ...violation, count: 1, firstAt: now, lastAt: now })
    },
    flush: () => {
      flushing ??= bring().finally(() => {
        flushing = undefined
      })
      return flushing
    },
  }
}

type Gathered = { readonly kinds: Map<string, SeenViolation>; dropped: number }

function merged(known: SeenViolation, more: SeenViolation): SeenViolation {
  return {
    ...known,
    count: known.count + more.count,
    firstAt: Math.min(known.firstAt, more.firstAt),
    lastAt: Math.max(known.lastAt, more.lastAt),
  }
}
