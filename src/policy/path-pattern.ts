/**
 * A path glob: `*` stands for any characters within a segment, a `**` segment for any number of
 * segments, none included; so `/admin/**` covers `/admin` too. Everything else is literal.
 */
export type PathPattern = {
  readonly source: string
  /**
   * Whether the pattern covers `path`, which is decoded and starts with `/`. Who asks several
   * patterns gives the same `segments` to all of them.
   */
  readonly covers: (path: string, segments?: Segments) => boolean
}

/** The segments of a path. */
export type Segments = () => readonly string[]

/** Compiles a glob. The work is at most pattern × path, so no path can make it slow. */
export function compilePathPattern(source: string): PathPattern {
  return { source, covers: matcher(source) }
}

function matcher(source: string): PathPattern['covers'] {
  if (source === '/**' || source === '**') return () => true
  if (!source.includes('*')) return (path) => path === source
  const prefix = source.endsWith('/**') ? source.slice(0, -3) : undefined
  if (prefix !== undefined && !prefix.includes('*')) {
    const below = `${prefix}/`
    return (path) => path === prefix || path.startsWith(below)
  }
  const pattern = source.split('/')
  // What stands before the first `*` is literal: most paths are told apart by it alone.
  const literal = source.slice(0, source.indexOf('*')).replace(/\/$/, '')
  return (path, segments = segmentsOf(path)) =>
    path.startsWith(literal) && coversSegments(pattern, segments())
}

/** Takes a path apart at its slashes, the first time somebody asks. */
export function segmentsOf(path: string): Segments {
  let segments: readonly string[] | undefined
  return () => {
    segments ??= path.split('/')
    return segments
  }
}

/** Greedy wildcard matching that falls back to the last `**` only: no exponential search. */
function coversSegments(pattern: readonly string[], path: readonly string[]): boolean {
  let p = 0
  let s = 0
  let resumePattern = -1
  let resumePath = -1
  while (s < path.length) {
    const glob = pattern[p]
    if (glob === '**') {
      resumePattern = ++p
      resumePath = s
    } else if (glob !== undefined && coversText(glob, path[s] ?? '')) {
      p++
      s++
    } else if (resumePattern >= 0) {
      p = resumePattern
      s = ++resumePath
    } else {
      return false
    }
  }
  while (pattern[p] === '**') p++
  return p === pattern.length
}

function coversText(glob: string, text: string): boolean {
  if (!glob.includes('*')) return glob === text
  let g = 0
  let t = 0
  let resumeGlob = -1
  let resumeText = -1
  while (t < text.length) {
    if (glob[g] === '*') {
      resumeGlob = ++g
      resumeText = t
    } else if (g < glob.length && glob[g] === text[t]) {
      g++
      t++
    } else if (resumeGlob >= 0) {
      g = resumeGlob
      t = ++resumeText
    } else {
      return false
    }
  }
  while (glob[g] === '*') g++
  return g === glob.length
}
