import type { ConfigProblem, ProblemParam } from './problem.ts'
import { PROBLEMS } from './problem-catalogue.ts'
import type { SettingsLanguage } from './settings.ts'

/** How problems are written. */
export type FormatOptions = {
  /** English unless told. */
  readonly language?: SettingsLanguage
  /** Whether to colour by ANSI escape sequences. */
  readonly color?: boolean
}

/**
 * Writes problems for a terminal, each with its place, its code, the line with the spot
 * underlined and what to do; the last line counts them. Empty when there are none.
 */
export function formatProblems(
  problems: readonly ConfigProblem[],
  { language = 'en', color = false }: FormatOptions = {},
): string {
  if (problems.length === 0) return ''
  const paint = color ? (style: string, text: string) => `\u001b[${style}m${text}\u001b[0m` : plain
  const parts = problems.map((problem) => formatOne(problem, language, paint))
  return `${parts.join('\n')}\n${paint(BOLD, summary(problems, language))}\n`
}

/** What `--json` prints. The excerpts are left out: a program has the file. */
export function problemsToJson(
  problems: readonly ConfigProblem[],
  { language = 'en' }: Pick<FormatOptions, 'language'> = {},
): ProblemsJson {
  const { errors, warnings } = count(problems)
  return {
    version: 1,
    valid: errors === 0,
    errors,
    warnings,
    problems: problems.map((problem) => {
      const fix = fixOf(problem, language)
      return {
        code: problem.code,
        kind: problem.kind,
        severity: problem.severity,
        file: problem.file,
        line: problem.line,
        column: problem.column,
        path: problem.path,
        message: messageOf(problem, language),
        ...(fix === undefined ? {} : { fix }),
        ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
      }
    }),
  }
}

/** The shape of `--json`. */
export type ProblemsJson = {
  readonly version: 1
  readonly valid: boolean
  readonly errors: number
  readonly warnings: number
  readonly problems: readonly {
    readonly code: string
    readonly kind: ConfigProblem['kind']
    readonly severity: ConfigProblem['severity']
    readonly file: string
    readonly line: number
    readonly column: number
    readonly path: string
    readonly message: string
    readonly fix?: string
    readonly suggestion?: string
  }[]
}

/** The problem in one sentence, without place, suggestion or fix. */
export function messageOf(problem: ConfigProblem, language: SettingsLanguage): string {
  const message = fill(PROBLEMS[problem.kind][language], problem, language)
  if (problem.path === '' || NAMES_ITS_KEY.has(problem.kind)) return message
  return `${problem.path}${language === 'fr' ? '\u00a0: ' : ': '}${message}`
}

/** What to do about it; `undefined` when the message or the suggestion says it all. */
export function fixOf(problem: ConfigProblem, language: SettingsLanguage): string | undefined {
  const entry = PROBLEMS[problem.kind]
  return 'fix' in entry ? fill(entry.fix[language], problem, language) : undefined
}

const NAMES_ITS_KEY: ReadonlySet<ConfigProblem['kind']> = new Set([
  'unknown_key',
  'misplaced_key',
  'duplicate_key',
  'syntax',
])

const RED = '1;31'
const YELLOW = '1;33'
const BOLD = '1'
const DIM = '2'
const CODE_COLUMN = 96

type Paint = (style: string, text: string) => string
const plain: Paint = (_style, text) => text

function formatOne(problem: ConfigProblem, language: SettingsLanguage, paint: Paint): string {
  const error = problem.severity === 'error'
  const style = error ? RED : YELLOW
  const mark = error ? '✗' : '⚠'
  const place = problem.excerpt === undefined ? '' : `:${problem.line}:${problem.column}`
  const head = `${oneLine(problem.file)}${place}`
  const message = `${messageOf(problem, language)}${didYouMean(problem, language)}`
  const gap = ' '.repeat(Math.max(2, CODE_COLUMN - head.length - message.length - 4))
  const lines = [
    `${paint(style, mark)} ${paint(BOLD, head)}  ${message}${gap}${paint(DIM, problem.code)}`,
  ]

  const { excerpt } = problem
  const gutter = excerpt === undefined ? 3 : String(excerpt.lines.at(-1)?.number ?? 0).length + 3
  if (excerpt !== undefined) {
    for (const { number, text } of excerpt.lines) {
      lines.push(`${paint(DIM, `${String(number).padStart(gutter)} |`)} ${text}`.trimEnd())
    }
    const underline = paint(style, '^'.repeat(excerpt.caret.length))
    lines.push(
      `${paint(DIM, `${' '.repeat(gutter)} |`)} ${' '.repeat(excerpt.caret.offset)}${underline}`,
    )
  }
  const fix = fixOf(problem, language)
  if (fix !== undefined) lines.push(`${paint(DIM, `${' '.repeat(gutter)} =`)} ${fix}`)
  return lines.join('\n')
}

function didYouMean({ suggestion }: ConfigProblem, language: SettingsLanguage): string {
  if (suggestion === undefined) return ''
  const text = oneLine(suggestion)
  return language === 'fr'
    ? ` — vouliez-vous dire «\u00a0${text}\u00a0»\u202f?`
    : ` — did you mean "${text}"?`
}

function summary(problems: readonly ConfigProblem[], language: SettingsLanguage): string {
  const { errors, warnings } = count(problems)
  if (language === 'fr') {
    const counted = [
      ...(errors > 0 ? [`${errors} ${errors > 1 ? 'erreurs' : 'erreur'}`] : []),
      ...(warnings > 0 ? [`${warnings} ${warnings > 1 ? 'avertissements' : 'avertissement'}`] : []),
    ].join(', ')
    return errors > 0 ? `${counted}. Rien n’a été appliqué.` : `${counted}.`
  }
  const counted = [
    ...(errors > 0 ? [`${errors} ${errors > 1 ? 'errors' : 'error'}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings > 1 ? 'warnings' : 'warning'}`] : []),
  ].join(', ')
  return errors > 0 ? `${counted}. Nothing was applied.` : `${counted}.`
}

function count(problems: readonly ConfigProblem[]) {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  return { errors, warnings: problems.length - errors }
}

function fill(template: string, problem: ConfigProblem, language: SettingsLanguage): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const param: ProblemParam | undefined = problem.params[name]
    if (param === undefined) return whole
    return oneLine(typeof param === 'string' ? param : param[language])
  })
}

/** Values come from the file or the environment: nothing in them may act on a terminal. */
function oneLine(text: string): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
  // Room for the longest list of keys.
  return shown.length > 320 ? `${shown.slice(0, 319)}…` : shown
}
