import type { ForeignWrites } from '../../sessions/session.ts'

/**
 * Says `true` once after each change another connection has committed. When the question itself
 * fails the answer is `true`: what is cached must be read again, and the reading then fails.
 */
export function createForeignWrites(dataVersion: () => number): ForeignWrites {
  let last = dataVersion()
  return {
    seen: () => {
      try {
        const version = dataVersion()
        if (version === last) return false
        last = version
        return true
      } catch {
        return true
      }
    },
  }
}
