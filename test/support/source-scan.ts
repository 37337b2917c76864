/** One `import`, `export … from` or `import()` of a source file. */
export type ImportStatement = {
  /** As written between the quotes; `undefined` for `import(expression)`. */
  readonly specifier: string | undefined
  /** Erased by the compiler: `import type`, or every name in the braces is marked `type`. */
  readonly typeOnly: boolean
  /** `export … from`. */
  readonly reExport: boolean
  readonly line: number
}

/** A source file taken apart far enough to judge it. */
export type SourceScan = {
  /** Same length and line breaks as the source; comments, strings and patterns are blanked out. */
  readonly code: string
  readonly imports: readonly ImportStatement[]
}

/**
 * Reads TypeScript without a parser: one pass blanks comments, strings, templates and regular
 * expressions (code inside `${}` stays), a second one reads the import statements in what is left.
 */
export function scanSource(source: string): SourceScan {
  const { code, strings } = blank(source)
  return { code, imports: findImports(code, strings) }
}

/** Line number, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1
  }
  return line
}

/** Each ends right before the quote, or before the argument of `import(`. */
const STATEMENTS = {
  import:
    /(?<![\w$.])import\b(?:\s+(type)\s+(?!from\b|,))?\s*(?:([\w$*{][^'"`;()=]*?)\s*\bfrom\s*)?(?=['"])/g,
  reExport:
    /(?<![\w$.])export\s+(?:(type)\s+)?(\*(?:\s*as\s+[\w$]+)?|\{[^{}]*\})\s*from\s*(?=['"])/g,
  dynamic: /(?<![\w$.])import\s*()()\(\s*/g,
} as const

function findImports(code: string, strings: ReadonlyMap<number, string>): ImportStatement[] {
  return Object.entries(STATEMENTS)
    .flatMap(([kind, pattern]) =>
      [...code.matchAll(pattern)].map((match) => {
        const [text, type, clause] = match
        const quote = match.index + text.length
        const specifier = strings.get(quote)
        const after = code.slice(quote + (specifier?.length ?? 0) + 2)
        return {
          specifier: kind === 'dynamic' && !/^\s*[,)]/.test(after) ? undefined : specifier,
          typeOnly: type === 'type' || (kind === 'import' && !!clause && allNamesAreTypes(clause)),
          reExport: kind === 'reExport',
          line: lineAt(code, match.index),
        }
      }),
    )
    .sort((a, b) => a.line - b.line)
}

function allNamesAreTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}$/.exec(clause.trim())?.[1]?.split(',')
  const written = names?.map((name) => name.trim()).filter((name) => name !== '') ?? []
  return written.length > 0 && written.every((name) => /^type\s+\w/.test(name))
}

/** After these a `/` starts a pattern; after a name, a number or a closing bracket it divides. */
const BEFORE_PATTERN =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield))\s*$/

function blank(source: string): { code: string; strings: Map<number, string> } {
  const strings = new Map<number, string>()
  const out: string[] = []
  /** One entry for each `${` that is open: how many braces are open inside it. */
  const templates: number[] = []
  let at = 0

  /** Blanks up to `end`, keeping line breaks and, for strings, the two quotes. */
  const hide = (end: number, quotes: boolean): void => {
    const hidden = source.slice(at, end).replace(/[^\n]/g, ' ')
    out.push(
      quotes && end - at >= 2 ? `${source[at]}${hidden.slice(1, -1)}${source[end - 1]}` : hidden,
    )
    at = end
  }
  /** Offset after the closing mark, honouring backslashes. */
  const closing = (mark: string, from: number): number => {
    for (let i = from; i < source.length; i += 1) {
      if (source[i] === '\\') i += 1
      else if (source[i] === mark) return i + 1
    }
    return source.length
  }
  /** Blanks template text from `at` to its end or to its next `${`. */
  const template = (from: number): void => {
    let end = from
    while (end < source.length && source[end] !== '`' && source.slice(end, end + 2) !== '${') {
      end += source[end] === '\\' ? 2 : 1
    }
    const open = source[end] === '$'
    if (open) templates.push(0)
    hide(Math.min(end + (open ? 2 : 1), source.length), false)
  }
  const patternEnd = (): number => {
    let inClass = false
    for (let i = at + 1; i < source.length && source[i] !== '\n'; i += 1) {
      const char = source[i]
      if (char === '\\') i += 1
      else if (char === '[') inClass = true
      else if (char === ']') inClass = false
      else if (char === '/' && !inClass) return i + 1
    }
    return at + 1
  }

  while (at < source.length) {
    const char = source[at] ?? ''
    const pair = source.slice(at, at + 2)
    if (pair === '//') {
      const end = source.indexOf('\n', at)
      hide(end === -1 ? source.length : end, false)
    } else if (pair === '/*') {
      const end = source.indexOf('*/', at + 2)
      hide(end === -1 ? source.length : end + 2, false)
    } else if (char === "'" || char === '"') {
      const end = closing(char, at + 1)
      strings.set(at, source.slice(at + 1, end - 1))
      hide(end, true)
    } else if (char === '`') {
      template(at + 1)
    } else if (char === '/' && BEFORE_PATTERN.test(out.slice(-64).join(''))) {
      hide(patternEnd(), false)
    } else {
      const depth = templates.at(-1)
      if (depth !== undefined && char === '{') templates[templates.length - 1] = depth + 1
      if (depth !== undefined && char === '}') {
        if (depth === 0) {
          templates.pop()
          template(at)
          continue
        }
        templates[templates.length - 1] = depth - 1
      }
      out.push(char)
      at += 1
    }
  }
  return { code: out.join(''), strings }
}
