import { LRUCache } from 'lru-cache'

/** A bounded map whose values lose their meaning with time. Nothing in it runs by itself. */
export type FadingCache<V> = {
  readonly size: number
  /** Finds a value and makes it the youngest. */
  readonly get: (key: string) => V | undefined
  /** Finds a value and leaves its age alone. */
  readonly peek: (key: string) => V | undefined
  /** Puts a value in, as the youngest. When the cache is full, the oldest goes. */
  readonly set: (key: string, value: V) => void
  readonly delete: (key: string) => void
  readonly keys: () => Iterable<string>
}

/** How many faded values a new one sweeps out: more than one, so that a past flood ebbs away. */
const SWEPT_BY_ONE = 2

/**
 * At most `maxKeys` values, the least recently used dropped first. `isFaded` tells that a value
 * says no more than its absence would; such values are swept out as new ones come, oldest first,
 * so that what is kept shrinks back after a flood without a timer.
 */
export function createFadingCache<V extends object>(options: {
  readonly maxKeys: number
  readonly isFaded: (value: V) => boolean
}): FadingCache<V> {
  const { maxKeys, isFaded } = options
  const cache = new LRUCache<string, V>({ max: maxKeys })
  const sweep = () => {
    for (let i = 0; i < SWEPT_BY_ONE; i++) {
      const oldest = cache.rkeys().next().value
      const value = oldest === undefined ? undefined : cache.peek(oldest)
      if (value === undefined || !isFaded(value)) return
      cache.pop()
    }
  }
  return {
    get size() {
      return cache.size
    },
    get: (key) => cache.get(key),
    peek: (key) => cache.peek(key),
    set: (key, value) => {
      sweep()
      cache.set(key, value)
    },
    delete: (key) => {
      cache.delete(key)
    },
    keys: () => cache.keys(),
  }
}
