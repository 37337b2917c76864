import { PROBLEMS, type ProblemKind } from './problem-catalogue.ts'

/**
 * One thing that is wrong with a configuration file, complete in itself: it can be shown without
 * the file at hand, and nothing in it is a secret.
 */
export type ConfigProblem = {
  readonly kind: ProblemKind
  /** Stable, `SP-nnnn`: what manuals and searches refer to. */
  readonly code: string
  /** An error keeps the configuration from being used, a warning does not. */
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** Both count from 1; the column in UTF-16 units, as editors do. */
  readonly line: number
  readonly column: number
  /** The key in question, e.g. `apps[0].rules[2].policy`; empty for the file as a whole. */
  readonly path: string
  readonly params: Readonly<Record<string, ProblemParam>>
  /** What was probably meant. */
  readonly suggestion?: string
  /** Absent when there is no line to show, e.g. for a file that cannot be read. */
  readonly excerpt?: Excerpt
}

/** Fills a placeholder of the text; words that differ between languages come in both. */
export type ProblemParam = string | BothLanguages
export type BothLanguages = { readonly en: string; readonly fr: string }

/** The line in question with the one before it. Secrets are masked already. */
export type Excerpt = {
  readonly lines: readonly { readonly number: number; readonly text: string }[]
  /** Offset in the text of the last line, and how many characters to underline. */
  readonly caret: { readonly offset: number; readonly length: number }
}

/** A place in the tree of keys: names of keys and positions in lists. */
export type Path = readonly (string | number)[]

/** Character offsets in the file, the end excluded. */
export type Span = { readonly start: number; readonly end: number }

/** What a check found wrong, before it is known where in the file that is. */
export type Fault = {
  readonly kind: ProblemKind
  readonly params?: Readonly<Record<string, ProblemParam>>
  readonly suggestion?: string
  /** Relative to what was checked; absent: that itself. */
  readonly path?: Path
  /** Whether the key or its value is at fault; the value unless told. */
  readonly part?: 'key' | 'value'
  /** The exact place, when it is smaller than key or value. */
  readonly span?: Span
}

/** What reading a value gave: the value in its final form, or everything wrong with it. */
export type Reading<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }

/** A reading that worked. */
export function good<T>(value: T): Reading<T> {
  return { kind: 'value', value }
}

/** A reading that failed for one reason. */
export function bad(
  kind: ProblemKind,
  params: Readonly<Record<string, ProblemParam>> = {},
  suggestion?: string,
): Reading<never> {
  const hint = suggestion === undefined ? {} : { suggestion }
  return { kind: 'faults', faults: [{ kind, params, ...hint }] }
}

/** The fault as seen from `key` one level up. */
export function under(key: string | number, fault: Fault): Fault {
  return { ...fault, path: [key, ...(fault.path ?? [])] }
}

/** Whether a kind of problem keeps the configuration from being used. */
export function severityOf(kind: ProblemKind): ConfigProblem['severity'] {
  const entry = PROBLEMS[kind]
  return 'severity' in entry ? entry.severity : 'error'
}

/** `apps[0].rules[2].policy` */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`,
    '',
  )
}
