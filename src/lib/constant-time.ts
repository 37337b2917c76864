import { hash, timingSafeEqual } from 'node:crypto'

/**
 * Whether two strings are equal, in a time that depends on neither.
 * Both are hashed first, so their lengths do not show either.
 */
export function equalInConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
