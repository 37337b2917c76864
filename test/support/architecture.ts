import { posix } from 'node:path'
import { type ImportStatement, lineAt, scanSource } from './source-scan.ts'

/** What `checkArchitecture` enforces. Folders are the first path segment under `src/`. */
export type ArchitectureRules = {
  /** Which folders each folder may import, apart from itself. */
  readonly mayImport: Readonly<Record<string, FolderRule>>
  /** Files directly in `src/`; they may import anything but what is guarded. */
  readonly rootFiles: readonly string[]
  /** Folders whose values only these files import; types are free for whoever may import the folder. */
  readonly guarded: Readonly<Record<string, readonly string[]>>
  /** npm specifier, or package name for all its entry points → folders or root files it is used in. */
  readonly packages: Readonly<Record<string, readonly string[]>>
  /** Expressions bound to folders. */
  readonly homes: readonly Home[]
}

export type FolderRule = {
  readonly values: readonly string[]
  /** Folders of which only types may be imported. */
  readonly types?: readonly string[]
}

/** `pattern` (global) may occur in `folders` only; it is looked for outside strings and comments. */
export type Home = {
  readonly name: string
  readonly pattern: RegExp
  readonly folders: readonly string[]
}

/**
 * Judges a source tree, given as path (`src/lib/clock.ts`) → text.
 * One line for each violation, `path:line what is wrong`, in the order of the paths.
 */
export function checkArchitecture(
  files: ReadonlyMap<string, string>,
  rules: ArchitectureRules,
): readonly string[] {
  const problems: string[] = []
  const graph = new Map<string, readonly string[]>()
  for (const path of [...files.keys()].sort()) {
    const complain = (line: number, text: string): void => {
      problems.push(`${path}:${line} ${text}`)
    }
    checkPath(path, rules, complain)
    if (!path.endsWith('.ts')) continue
    const { code, imports } = scanSource(files.get(path) ?? '')
    checkCode(path, code, rules, complain)
    const targets: string[] = []
    for (const statement of imports) {
      const target = checkImport(path, statement, files, rules, complain)
      if (target !== undefined) targets.push(target)
    }
    graph.set(path, targets)
  }
  return [...problems, ...cycles(graph).map((cycle) => `${cycle[0]}:1 cycle: ${cycle.join(' → ')}`)]
}

/** The first cycle found through each group of nodes that reach one another. */
export function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const walk = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node)
    if (start !== -1) {
      found.push([...trail.slice(start), node])
      return
    }
    if (done.has(node)) return
    for (const next of graph.get(node) ?? []) walk(next, [...trail, node])
    done.add(node)
  }
  for (const node of graph.keys()) walk(node, [])
  return found
}

type Complain = (line: number, text: string) => void

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

function folderOf(path: string): string {
  const segments = path.split('/')
  return segments[1] ?? ''
}

function isRoot(path: string): boolean {
  return path.split('/').length === 2
}

function checkPath(path: string, rules: ArchitectureRules, complain: Complain): void {
  const segments = path.split('/').slice(1)
  const name = segments.at(-1) ?? ''
  if (isRoot(path)) {
    if (!rules.rootFiles.includes(name)) complain(1, 'is not one of the files kept in src itself')
  } else if (rules.mayImport[folderOf(path)] === undefined) {
    complain(1, `lies in ${folderOf(path)}, a folder the import table does not know`)
  }
  const words = [...segments.slice(0, -1), name.replace(/(?:\.[a-z0-9]+)+$/, '')]
  if (!words.every((word) => KEBAB.test(word))) complain(1, 'is not named in kebab-case')
  if (name === 'index.ts') complain(1, 'is a barrel: name the file after what it exports')
}

function checkCode(path: string, code: string, rules: ArchitectureRules, complain: Complain): void {
  for (const home of rules.homes) {
    if (home.folders.includes(folderOf(path))) continue
    for (const match of code.matchAll(home.pattern)) {
      complain(
        lineAt(code, match.index),
        home.folders.length === 0
          ? `uses ${home.name}`
          : `uses ${home.name}, which belongs in ${home.folders.join(' ')}`,
      )
    }
  }
}

/** Complains about the import; gives the path of the file it leads to inside `src`. */
function checkImport(
  path: string,
  statement: ImportStatement,
  files: ReadonlyMap<string, string>,
  rules: ArchitectureRules,
  complain: Complain,
): string | undefined {
  const { specifier, line } = statement
  if (statement.reExport) complain(line, 're-exports another file: import it where it lives')
  if (specifier === undefined) {
    complain(line, 'imports a computed name')
  } else if (specifier.startsWith('.')) {
    return checkRelative(path, specifier, statement, files, rules, complain)
  } else if (!specifier.startsWith('node:')) {
    checkPackage(path, specifier, line, rules, complain)
  }
  return undefined
}

function checkRelative(
  path: string,
  specifier: string,
  { line, typeOnly }: ImportStatement,
  files: ReadonlyMap<string, string>,
  rules: ArchitectureRules,
  complain: Complain,
): string | undefined {
  const target = posix.join(posix.dirname(path), specifier)
  const folder = folderOf(path)
  if (target === 'package.json' && (isRoot(path) || folder === 'cli')) return undefined
  if (!files.has(target)) {
    complain(line, `imports ${specifier}, which is no file of src`)
    return undefined
  }
  const wanted = folderOf(target)
  const openTo = rules.guarded[wanted]
  if (openTo !== undefined && wanted !== folder && !typeOnly && !openTo.includes(folder)) {
    complain(line, `imports ${wanted}, which only ${openTo.join(' ')} may`)
    return target
  }
  const rule = rules.mayImport[folder]
  if (isRoot(path) || rule === undefined || wanted === folder) return target
  if (rule.values.includes('*') || rule.values.includes(wanted)) return target
  if (rule.types?.includes(wanted)) {
    if (!typeOnly)
      complain(line, `imports values of ${wanted}; ${folder} may import its types only`)
    return target
  }
  complain(line, `imports ${wanted}, which ${folder} may not`)
  return target
}

function checkPackage(
  path: string,
  specifier: string,
  line: number,
  rules: ArchitectureRules,
  complain: Complain,
): void {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const homes = [...(rules.packages[name] ?? []), ...(rules.packages[specifier] ?? [])]
  if (homes.length === 0) complain(line, `imports ${specifier}, a package without a home`)
  else if (!homes.includes(folderOf(path))) {
    complain(line, `imports ${specifier}, whose home is ${homes.join(' ')}`)
  }
}
