import { resolve } from 'node:path'
import type { Fault, Path } from '../problem.ts'
import { valueAt } from '../readable.ts'
import type { ReadFile } from '../source-file.ts'
import { certificatesIn, pemFile, readPem, type UpstreamFiles } from './upstream-files.ts'

/**
 * Reads the file of authorities that `mail.ca` names.
 * @param file the configuration as plain data, not checked yet
 */
export async function readMailFiles(
  file: unknown,
  sources: { readonly readFile: ReadFile; readonly directory: string },
): Promise<{
  readonly files: UpstreamFiles
  readonly faults: readonly (Fault & { readonly path: Path })[]
}> {
  const path = ['mail', 'ca']
  const written = pemFile(valueAt(valueAt(file, 'mail'), 'ca'))
  if (written.kind === 'faults') return { files: () => undefined, faults: [] }
  const { text, faults } = await readPem(
    resolve(sources.directory, written.value),
    sources.readFile,
  )
  // Certificates are no secret: everybody may read them.
  const found = faults.filter(({ kind }) => kind !== 'world_readable')
  const none: Fault[] =
    text !== undefined && certificatesIn(text) === undefined ? [{ kind: 'no_certificate' }] : []
  return {
    files: (name) => (name === written.value ? text : undefined),
    faults: [...found, ...none].map((fault) => ({ ...fault, path })),
  }
}
