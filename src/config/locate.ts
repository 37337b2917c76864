import { createExcerpter } from './excerpt.ts'
import {
  type ConfigProblem,
  type Fault,
  type Path,
  pathText,
  type Span,
  severityOf,
} from './problem.ts'
import { PROBLEMS } from './problem-catalogue.ts'
import { secretLines } from './secret-lines.ts'
import { eachScalar, type Node, placeOf } from './tree.ts'

/** Finds for each fault its place in the file, and puts them in the order of the file. */
export function locateFaults(
  faults: readonly Fault[],
  source: { readonly file: string; readonly text: string; readonly root: Node | undefined },
): readonly ConfigProblem[] {
  const { file, text, root } = source
  if (faults.length === 0) return []
  const hidden = secretLines(text, root)
  const excerpter = createExcerpter(text, (index) => hidden.get(index))
  const lost = root === undefined ? [] : unreadablePaths(root)
  const located = faults
    .filter(
      ({ span, path = [] }) => span !== undefined || !lost.some((one) => startsWith(path, one)),
    )
    .map((fault) => place(fault, root))
    .sort((a, b) => a.span.start - b.span.start)
  const seen = new Set<string>()
  const problems: ConfigProblem[] = []
  for (const { fault, span, path } of located) {
    const identity = JSON.stringify([fault.kind, span, fault.params])
    if (seen.has(identity)) continue
    seen.add(identity)
    problems.push({
      kind: fault.kind,
      code: PROBLEMS[fault.kind].code,
      severity: severityOf(fault.kind),
      file,
      path: pathText(path),
      params: fault.params ?? {},
      ...(fault.suggestion === undefined ? {} : { suggestion: fault.suggestion }),
      ...excerpter.at(span),
    })
  }
  return problems
}

type Placed = { readonly fault: Fault; readonly span: Span; readonly path: Path }

function place(fault: Fault, root: Node | undefined): Placed {
  const path = fault.path ?? []
  if (root === undefined) return { fault, span: fault.span ?? { start: 0, end: 1 }, path: [] }
  const { node, key, found } = placeOf(root, path)
  if (fault.span !== undefined) return { fault, span: fault.span, path: found }
  if (fault.kind === 'missing_key') return { fault, span: key ?? firstKey(node), path: found }
  const whole = found.length === path.length
  if (fault.part === 'key' && key === undefined) {
    return { fault, span: firstKey(node), path: found }
  }
  // A value that is not there has no width, and stands after its key.
  const useKey = (fault.part === 'key' && whole) || node.span.end <= node.span.start
  const span = useKey && key !== undefined ? key : node.span
  return { fault: asWritten(fault, node), span, path: found }
}

/**
 * A value that came from the environment or a file is not repeated in a message: what is shown
 * is the reference to it.
 */
function asWritten(fault: Fault, node: Node): Fault {
  if (node.kind !== 'scalar' || node.written === undefined) return fault
  const { suggestion, ...rest } = fault
  const value = fault.params?.['value'] === undefined ? {} : { value: node.written }
  const keep = suggestion !== undefined && fault.kind === 'unknown_value' ? { suggestion } : {}
  return { ...rest, ...keep, params: { ...fault.params, ...value } }
}

function firstKey(node: Node): Span {
  const [first] = node.kind === 'map' ? node.entries.values() : []
  return first?.key ?? { start: node.span.start, end: node.span.start + 1 }
}

/** Where values could not be had: nothing more is said about them. */
function unreadablePaths(root: Node): readonly Path[] {
  const paths: Path[] = []
  eachScalar(root, (scalar, path) => {
    if (scalar.value === undefined) paths.push(path)
  })
  return paths
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((part, index) => path[index] === part)
}
