import { MINUTE, type Milliseconds } from '../lib/duration.ts'

/** A response on its way that may come to a standstill. */
export type Watched = {
  /** Grows whenever something moved. */
  readonly moved: () => number
  /** Who it waits for; `nobody` when it may rest as long as it likes, as an event stream may. */
  readonly waitsFor: () => 'client' | 'app' | 'nobody'
  readonly stalled: () => void
}

/** Notices responses that stand still. One timer serves them all. */
export type StallWatch = {
  /** @param idle holds in the place of the usual limits, whomever it waits for */
  readonly add: (watched: Watched, idle?: Milliseconds) => void
  readonly remove: (watched: Watched) => void
}

/** How many looks a limit is divided into: a stall is noticed up to one eighth late. */
const LOOKS = 8

/**
 * @param options.client how long a client may take nothing of what is there for it
 * @param options.app how long an app may send nothing of what it has announced the length of
 */
export function createStallWatch(
  options: { readonly client?: Milliseconds; readonly app?: Milliseconds } = {},
): StallWatch {
  const limits = { client: options.client ?? 2 * MINUTE, app: options.app ?? 2 * MINUTE }
  const usual = Math.min(limits.client, limits.app) / LOOKS
  const entries = new Map<Watched, Entry>()
  let every = usual
  let timer: NodeJS.Timeout | undefined

  const look = () => {
    for (const [watched, entry] of entries) {
      const moved = watched.moved()
      const waitsFor = watched.waitsFor()
      const limit = entry.idle ?? (waitsFor === 'nobody' ? undefined : limits[waitsFor])
      if (moved !== entry.moved || limit === undefined) {
        entry.moved = moved
        entry.still = 0
        continue
      }
      entry.still += every
      if (entry.still < limit) continue
      entries.delete(watched)
      watched.stalled()
    }
    if (entries.size === 0) stop()
  }
  const stop = () => {
    clearInterval(timer)
    timer = undefined
    every = usual
  }

  return {
    add: (watched, idle) => {
      entries.set(watched, { moved: watched.moved(), still: 0, idle })
      if (idle !== undefined && idle / LOOKS < every) {
        clearInterval(timer)
        timer = undefined
        every = idle / LOOKS
      }
      timer ??= setInterval(look, every).unref()
    },
    remove: (watched) => {
      entries.delete(watched)
    },
  }
}

type Entry = { moved: number; still: Milliseconds; readonly idle: Milliseconds | undefined }
