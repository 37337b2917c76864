/**
 * A path and how an app might understand it. `text` is what is forwarded, byte for byte;
 * `readings` is what rules are matched against, the plainest first.
 */
export type RequestPath = {
  /** As received, without the query. */
  readonly text: string
  /** From `?` on, as received; empty when there is none. */
  readonly query: string
  readonly readings: readonly { readonly path: string; readonly ignoreCase: boolean }[]
}

export type PathOutcome =
  | { readonly kind: 'path'; readonly path: RequestPath }
  /** No two programs would agree on what it names. `reason` is for the log. */
  | { readonly kind: 'ambiguous'; readonly reason: PathRefusal }

export type PathRefusal =
  | 'not_origin_form'
  | 'forbidden_character'
  | 'bad_escape'
  | 'encoded_separator'
  | 'encoded_control'
  | 'double_encoding'
  | 'dot_segment'
  | 'too_long'
  | 'too_many_readings'

/**
 * Spellings that are refused unless an app is known to need them: `%2F`; `\\` bare or as `%5C`;
 * `%25` before two hexadecimal digits. Dot segments and control bytes are never among them.
 */
export const PATH_OPENINGS = ['encoded_slash', 'backslash', 'encoded_percent'] as const
export type PathOpening = (typeof PATH_OPENINGS)[number]

/** Characters a path may hold as they are (RFC 3986 3.3), `%` and `/` apart. */
const PLAIN = /^(?:\/[a-z0-9\-._~!$&'()*+,=:@]*)+$/
/** Browsers send some characters bare that the grammar would have encoded, such as `[` and `|`. */
const ALLOWED = /^[\x21\x22\x24-\x5b\x5d-\x7e]*$/
const ALLOWED_OR_BACKSLASH = /^[\x21\x22\x24-\x7e]*$/
const MAX_TARGET = 16 * 1024
/** Longer than any app's, and short enough that judging every reading of it costs little. */
const MAX_PATH = 4 * 1024
/** Enough for two kinds of opened spellings in one path; judging costs time for each. */
const MAX_FORMS = 8
const NOTHING: ReadonlySet<PathOpening> = new Set()

/**
 * Reads a request target in origin-form (RFC 9112 3.2.1). Refused are spellings that are known
 * to be taken apart differently by different programs: encoded `/` and `\`, raw `\`, control
 * bytes, broken or double percent-encoding, dot segments in any spelling.
 *
 * What remains may still be read in more than one way, and each way is given: with and without
 * `;parameters` and what follows an encoded `?` or `#`, with `//` folded, without the trailing
 * slash, in lower case, and without the dots and spaces that end a segment on Windows.
 *
 * @param opened lets these spellings through for an app that needs them; each is read as what it
 * may stand for and as a plain character, and so are all of them together.
 */
export function readRequestPath(
  target: string,
  opened: ReadonlySet<PathOpening> = NOTHING,
): PathOutcome {
  if (target.length > MAX_TARGET) return refused('too_long')
  const mark = target.indexOf('?')
  const text = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark)
  if (text.length > MAX_PATH) return refused('too_long')
  if (text.charCodeAt(0) !== 0x2f) return refused('not_origin_form')
  if (!/^[\x21-\x7e]*$/.test(query) || query.includes('#')) return refused('forbidden_character')

  if (
    text === '/' ||
    (PLAIN.test(text) && !text.includes('//') && !text.endsWith('/') && !endsInMark(text))
  ) {
    return { kind: 'path', path: { text, query, readings: [{ path: text, ignoreCase: false }] } }
  }
  if (!(opened.has('backslash') ? ALLOWED_OR_BACKSLASH : ALLOWED).test(text)) {
    return refused('forbidden_character')
  }
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return refused('bad_escape')

  const forms = new Set<string>()
  const reason = decodeInto(forms, text, opened, true)
  if (reason !== undefined) return refused(reason)
  const readings = readingsOf(forms)
  if (readings.some(({ path }) => hasDotSegment(path))) return refused('dot_segment')
  return { kind: 'path', path: { text, query, readings } }
}

/** What may separate segments for one program and be a character for another. */
const SEPARATORS: readonly { readonly opening: PathOpening; readonly spelled: RegExp }[] = [
  { opening: 'encoded_slash', spelled: /%2f/gi },
  { opening: 'backslash', spelled: /%5c/gi },
  { opening: 'backslash', spelled: /\\/g },
]

/**
 * Adds what decoding gives, for every choice of which opened spellings separate; twice where a
 * double encoding is opened. Gives the reason when that cannot be allowed.
 */
function decodeInto(
  forms: Set<string>,
  text: string,
  opened: ReadonlySet<PathOpening>,
  mayDecodeAgain: boolean,
): PathRefusal | undefined {
  let spellings = [text]
  for (const { opening, spelled } of SEPARATORS) {
    if (!opened.has(opening) || text.search(spelled) < 0) continue
    // As a character it is none that a rule could name: any other stands for it.
    spellings = spellings.flatMap((one) => [one.replace(spelled, '/'), one.replace(spelled, '_')])
  }
  for (const spelling of spellings) {
    const { path, refusal } = decodeOnce(spelling)
    if (refusal !== undefined) return refusal
    forms.add(path)
    if (forms.size > MAX_FORMS) return 'too_many_readings'
    if (!ESCAPE.test(path.normalize('NFKC'))) continue
    // SECURITY: a third time is nothing any app needs, and would make work without end.
    if (!opened.has('encoded_percent') || !mayDecodeAgain || !ESCAPE.test(path)) {
      return 'double_encoding'
    }
    const inner = decodeInto(forms, path, opened, false)
    if (inner !== undefined) return inner
  }
  return undefined
}

const ESCAPE = /%[0-9a-fA-F]{2}/

/** Decodes the escapes there are. Refused is what programs decode differently, or fold. */
function decodeOnce(
  text: string,
):
  | { readonly path: string; readonly refusal?: undefined }
  | { readonly path?: undefined; readonly refusal: PathRefusal } {
  if (/%(?:2f|5c)/i.test(text)) return { refusal: 'encoded_separator' }
  if (/%(?:[01][0-9a-f]|7f)/i.test(text)) return { refusal: 'encoded_control' }
  let path: string
  try {
    path = text.replace(/(?:%[0-9a-fA-F]{2})+/g, decodeURIComponent)
  } catch {
    // Not UTF-8: apps differ in what they make of it.
    return { refusal: 'bad_escape' }
  }
  // Full-width and other compatibility forms of the separators are folded by some programs.
  const folded = path.normalize('NFKC')
  if (/[\\\u0080-\u009f]/.test(folded)) return { refusal: 'encoded_control' }
  if (folded.split('/').length !== path.split('/').length) return { refusal: 'encoded_separator' }
  return { path }
}

/** `.` or `..` as a whole segment, also with spaces, which some programs drop. */
function hasDotSegment(path: string): boolean {
  return path.includes('.') && /(?:^|\/)\s*\.{1,2}\s*(?:\/|$)/.test(path)
}

/** Every combination of what programs do to a path before they route it. */
function readingsOf(forms: ReadonlySet<string>): RequestPath['readings'] {
  const exact = combined(forms, [...CUTS, ...TIDYINGS])
  const lower = [...forms].map((path) => path.normalize('NFKC').toLowerCase())
  // What ignores case is what ignores dots and spaces at the end of a name, too.
  const folded = combined(new Set(lower), [...CUTS, withoutMarks, ...TIDYINGS])
  return [
    ...[...exact].map((path) => ({ path, ignoreCase: false })),
    ...[...folded].map((path) => ({ path, ignoreCase: true })),
  ]
}

function combined(
  forms: ReadonlySet<string>,
  changes: readonly ((path: string) => string)[],
): ReadonlySet<string> {
  const all = new Set(forms)
  for (const change of changes) {
    for (const path of [...all]) all.add(change(path))
  }
  return all
}

/** A dot that ends a segment; dot segments are among them. */
function endsInMark(path: string): boolean {
  return path.includes('.') && /\.(?:\/|$)/.test(path)
}

/** Segments lose the dots and spaces at their end, as names of files do on Windows. */
function withoutMarks(path: string): string {
  if (!/[. ](?:\/|$)/.test(path)) return path
  return path.split('/').map(withoutMarksAtEnd).join('/')
}

function withoutMarksAtEnd(segment: string): string {
  let end = segment.length
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end--
  return segment.slice(0, end)
}

// An app that decodes before it looks for the query finds one here.
const withoutQuery = (path: string) => path.replace(/[?#].*$/s, '') || '/'
const withoutParameters = (path: string) => path.replace(/;[^/]*/g, '') || '/'
const withoutEmptySegments = (path: string) => path.replace(/\/{2,}/g, '/')
const withoutTrailingSlash = (path: string) => (path.length > 1 ? path.replace(/\/$/, '') : path)

const CUTS = [withoutQuery, withoutParameters]
const TIDYINGS = [withoutEmptySegments, withoutTrailingSlash]

function refused(reason: PathRefusal): {
  readonly kind: 'ambiguous'
  readonly reason: PathRefusal
} {
  return { kind: 'ambiguous', reason }
}
