import { dirname, resolve } from 'node:path'
import { systemClock } from '../lib/clock.ts'
import { checkFile } from './check-file.ts'
import { cookieDomain } from './cookie-domain.ts'
import { MAX_FILE_BYTES, readDocument } from './document.ts'
import { locateFaults } from './locate.ts'
import {
  type ConfigProblem,
  type Fault,
  type Path,
  type ProblemParam,
  severityOf,
} from './problem.ts'
import { PROBLEMS } from './problem-catalogue.ts'
import { resolveReferences } from './references.ts'
import { type ConfigFile, fileSchema } from './schema.ts'
import { schemaFaults } from './schema-faults.ts'
import { isSecretPath } from './secret-lines.ts'
import { readLogos } from './sections/branding.ts'
import { readMailFiles } from './sections/mail-files.ts'
import { checkLeakFile } from './sections/passwords.ts'
import { checkTlsFiles } from './sections/tls-files.ts'
import { readUpstreamFiles } from './sections/upstream-files.ts'
import type { Settings } from './settings.ts'
import {
  decodeText,
  isWorldReadable,
  type ReadFile,
  readFailure,
  readSourceFile,
} from './source-file.ts'
import { toSettings } from './to-settings.ts'
import { eachScalar, type Node, placeOf, plainValue } from './tree.ts'

/** A configuration that can be relied on, or everything that is wrong with it. */
export type LoadResult =
  | {
      readonly kind: 'ok'
      readonly settings: Settings
      readonly warnings: readonly ConfigProblem[]
    }
  | {
      readonly kind: 'invalid'
      /** In the order of the file, warnings among them. */
      readonly problems: readonly ConfigProblem[]
      /** The file they are about. */
      readonly source: string
    }

/** What a configuration file may refer to. */
export type LoadDeps = {
  /** The environment that `${NAME}` refers to. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** How files are read, the configuration and those it refers to; from disk unless told. */
  readonly readFile?: ReadFile
}

/**
 * Reads, checks and completes a configuration file. Nothing is applied and nothing is written:
 * `validate` and `serve` call the same function.
 */
export async function loadSettings(file: string, deps: LoadDeps): Promise<LoadResult> {
  const { readFile = readSourceFile } = deps
  let source: Awaited<ReturnType<ReadFile>>
  try {
    source = await readFile(resolve(file), MAX_FILE_BYTES)
  } catch (cause) {
    return unreadable(file, 'file_unreadable', { reason: readFailure(cause) })
  }
  if (source.bytes.length > MAX_FILE_BYTES) return unreadable(file, 'too_big', { limit: '1 MiB' })
  const text = decodeText(source.bytes)
  if (text === undefined) return unreadable(file, 'file_unreadable', { reason: NOT_UTF8 })
  return check(text, file, deps, isWorldReadable(source.mode))
}

/** The same for a text at hand. `file` names it in problems, and relative paths start beside it. */
export function checkSettings(text: string, file: string, deps: LoadDeps): Promise<LoadResult> {
  return check(text.replace(/^\ufeff/, ''), file, deps, false)
}

const NOT_UTF8 = { en: 'it is not text in UTF-8', fr: 'ce n’est pas du texte en UTF-8' }

async function check(
  text: string,
  file: string,
  { env, readFile = readSourceFile }: LoadDeps,
  worldReadable: boolean,
): Promise<LoadResult> {
  const directory = dirname(resolve(file))
  const document = readDocument(text)
  if (document.root === undefined) {
    const problems = locateFaults(document.faults, { file, text, root: undefined })
    return { kind: 'invalid', problems, source: file }
  }
  const { root, faults } = await resolveReferences(document.root, text, {
    env,
    readFile,
    directory,
  })
  const value = plainValue(root)
  const parsed = fileSchema.safeParse(value)
  const upstreams = await readUpstreamFiles(value, { readFile, directory })
  const logos = await readLogos(value, { readFile, directory })
  const mail = await readMailFiles(value, { readFile, directory })
  const problems = locateFaults(
    [
      ...document.faults,
      ...faults,
      ...upstreams.faults,
      ...logos.faults,
      ...mail.faults,
      ...(await checkTlsFiles(value, { readFile, directory, now: systemClock.now() })),
      ...(await checkLeakFile(value, { readFile, directory })),
      ...(parsed.success ? [] : schemaFaults(parsed.error.issues, (path) => valueIn(root, path))),
      ...checkFile(value),
      ...(worldReadable ? exposedSecret(root, file) : []),
    ],
    { file, text, root },
  )
  if (!parsed.success || problems.some(({ severity }) => severity === 'error')) {
    return { kind: 'invalid', problems, source: file }
  }
  const settings = toSettings(parsed.data, {
    directory,
    files: (path) => upstreams.files(path) ?? mail.files(path),
    logos: logos.files,
    cookieDomain: domainOf(parsed.data),
  })
  return { kind: 'ok', settings, warnings: problems }
}

function domainOf({ portal, apps }: ConfigFile): string | undefined {
  const appHosts = apps.flatMap((app) => app.host).map((host) => ({ host, path: [] }))
  const { domain } = cookieDomain({
    portalHost: portal.url.host,
    appHosts,
    written: portal.cookie_domain,
  })
  return domain
}

function valueIn(root: Node, path: Path): unknown {
  const { node, found } = placeOf(root, path)
  return found.length === path.length ? plainValue(node) : undefined
}

/** A secret that stands in the file itself is only as safe as the file. */
function exposedSecret(root: Node, file: string): readonly Fault[] {
  let fault: Fault | undefined
  eachScalar(root, (scalar, path) => {
    if (!isSecretPath(path) || scalar.written !== undefined || fault !== undefined) return
    fault = { kind: 'world_readable', params: { file }, path, part: 'key' }
  })
  return fault === undefined ? [] : [fault]
}

function unreadable(
  file: string,
  kind: 'file_unreadable' | 'too_big',
  params: Readonly<Record<string, ProblemParam>>,
): LoadResult {
  const severity = severityOf(kind)
  const { code } = PROBLEMS[kind]
  return {
    kind: 'invalid',
    problems: [{ kind, code, severity, file, line: 1, column: 1, path: '', params }],
    source: file,
  }
}
