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
  const pattern = source.split('/').map((glob) => (glob === '**' ? glob : textMatcher(glob)))
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

/** Any number of segments, or what one segment must be. */
type Segment = '**' | ((text: string) => boolean)

/** Greedy wildcard matching that falls back to the last `**` only: no exponential search. */
function coversSegments(pattern: readonly Segment[], path: readonly string[]): boolean {
  let p = 0
  let s = 0
  let resumePattern = -1
  let resumePath = -1
  while (s < path.length) {
    const segment = pattern[p]
    if (segment === '**') {
      resumePattern = ++p
      resumePath = s
    } else if (segment?.(path[s] ?? '') === true) {
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

/** Each literal part is looked for once, behind the one before: the first place is the best. */
function textMatcher(glob: string): (text: string) => boolean {
  const [first = '', ...inner] = glob.split('*')
  const last = inner.pop()
  if (last === undefined) return (text) => text === glob
  const least = first.length + last.length
  return (text) => {
    if (text.length < least || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let at = first.length
    for (const part of inner) {
      const found = text.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return at <= end
  }
}
