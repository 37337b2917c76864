/** How one test file went. `time` in milliseconds; the numbers count assertions. */
export type FileResult = {
  readonly file: string
  readonly ok: boolean
  readonly time: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** One failed assertion, or a test that ended badly without any. */
export type Failure = {
  /** File, tests and assertion, outermost first. */
  readonly trail: readonly string[]
  /** What tap says about it, without indentation. */
  readonly details: readonly string[]
}

export type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number }

export type TapEvents = {
  readonly file: (result: FileResult, failures: readonly Failure[]) => void
  readonly skip: (reason: string) => void
  /** Anything at the outermost level that is not TAP, e.g. `Bail out!`. */
  readonly other: (line: string) => void
}

export type TapReader = {
  readonly line: (text: string) => void
  /**
   * All assertions so far. To-do counts as skipped, and a file that failed without any failed
   * assertion as a failed one.
   */
  readonly totals: () => Totals
}

const POINT = /^( *)(not )?ok \d+(?: - (.*?))?(?: +# +time=([\d.]+)ms)?$/
const DIRECTIVE = /^(.*?)(?:^| +)# +(SKIP|TODO)\b *(.*)$/i

/** Reads TAP 14 with nested subtests, of which the outermost are files, line by line. */
export function tapReader(events: TapEvents): TapReader {
  const open: { readonly indent: number; readonly name: string }[] = []
  const totals = { passed: 0, failed: 0, skipped: 0 }
  let counts = { passed: 0, failed: 0, skipped: 0 }
  let failures: Failure[] = []
  let finish: (() => void) | undefined
  /** Where the diagnostics of the newest point go, should it have some. */
  let details: { readonly margin: string; readonly lines: string[]; started: boolean } | undefined

  const point = (indent: number, failed: boolean, written: string, time: number): void => {
    const [, before = written, directive, reason = ''] = DIRECTIVE.exec(written) ?? []
    const closes = open.at(-1)?.indent === indent
    if (closes) open.pop()
    const skipped = directive !== undefined
    if (skipped && directive.toUpperCase() === 'SKIP') events.skip(reason)
    if (!closes || skipped) counts[skipped ? 'skipped' : failed ? 'failed' : 'passed'] += 1
    const lines: string[] = []
    details = { margin: ' '.repeat(indent + 2), lines, started: false }
    if (failed && !skipped && (!closes || failures.length === 0)) {
      const trail = [...open.map(({ name }) => name), before]
      failures.push({ trail: trail.map(unescapeName), details: lines })
    }
    if (indent === 0) {
      totals.passed += counts.passed
      totals.failed += failed && !skipped ? Math.max(1, counts.failed) : counts.failed
      totals.skipped += counts.skipped
      const result = { file: before, ok: !failed, time, ...counts }
      const known = failures
      finish = () => events.file(result, known)
      counts = { passed: 0, failed: 0, skipped: 0 }
      failures = []
    }
  }

  const line = (text: string): void => {
    if (details?.started === true) {
      if (text === `${details.margin}...`) details = undefined
      else if (details.lines.length < 200) details.lines.push(text.slice(details.margin.length))
      return
    }
    if (details !== undefined && text === `${details.margin}---`) {
      details.started = true
      return
    }
    details = undefined
    finish?.()
    finish = undefined
    const matched = POINT.exec(text)
    if (matched !== null) {
      const [, indent = '', not, name = '', time = '0'] = matched
      point(indent.length, not !== undefined, name, Number(time))
      return
    }
    const subtest = /^( *)# Subtest: (.*)$/.exec(text)
    if (subtest !== null) open.push({ indent: subtest[1]?.length ?? 0, name: subtest[2] ?? '' })
    else if (!/^(?: |$|#|1\.\.|TAP version)/.test(text)) events.other(text)
  }
  return {
    line,
    totals: () => {
      finish?.()
      finish = undefined
      return { ...totals }
    },
  }
}

function unescapeName(name: string): string {
  return name.replace(/\\([#\\])/g, '$1')
}
