import { compilePathPattern, type PathPattern, segmentsOf } from '../policy/path-pattern.ts'
import type { Target } from '../policy/target.ts'
import type { ApiTokenScope } from '../tokens/api-token.ts'

/**
 * Whether a token may be used for the target. Each part that names something must name this; of a
 * path with several readings, each must be covered. Capitals count: a scope is an allow.
 */
export type ScopeCovers = (
  scope: ApiTokenScope,
  app: string,
  target: Pick<Target, 'method' | 'readings'>,
) => boolean

/** Compiles the paths of a scope once, for as long as its token stays in memory. */
export function createScopeCovers(): ScopeCovers {
  const compiled = new WeakMap<ApiTokenScope, readonly PathPattern[]>()
  const patternsOf = (scope: ApiTokenScope) => {
    let patterns = compiled.get(scope)
    if (patterns === undefined) {
      patterns = scope.paths.map(compilePathPattern)
      compiled.set(scope, patterns)
    }
    return patterns
  }
  return (scope, app, { method, readings }) => {
    if (scope.apps.length > 0 && !scope.apps.includes(app)) return false
    if (scope.methods.length > 0 && !scope.methods.includes(method)) return false
    if (scope.paths.length === 0) return true
    const patterns = patternsOf(scope)
    return (
      readings.length > 0 &&
      readings.every(({ path }) => {
        const segments = segmentsOf(path)
        return patterns.some((pattern) => pattern.covers(path, segments))
      })
    )
  }
}
