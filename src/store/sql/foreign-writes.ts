import type { ForeignWrites } from '../../sessions/session.ts'
import type { SqliteFile } from './sqlite-file.ts'

/**
 * Says `true` once after each change another connection has committed, and while the file is gone.
 * When the question itself fails the answer is `true`: what is cached must be read again, and the
 * reading then fails.
 */
export function createForeignWrites(
  file: Pick<SqliteFile, 'dataVersion' | 'isPresent'>,
): ForeignWrites {
  let last = file.dataVersion()
  return {
    seen: () => {
      try {
        if (!file.isPresent()) return true
        const version = file.dataVersion()
        if (version === last) return false
        last = version
        return true
      } catch {
        return true
      }
    },
  }
}
