import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { bad, type Fault, type Path } from '../problem.ts'
import { listAt, valueAt } from '../readable.ts'
import { decodeText, isWorldReadable, type ReadFile, readFailure } from '../source-file.ts'
import { line } from '../values/basics.ts'
import { type Reader, textThen } from '../values/reader.ts'

/** The text of a file that `upstream.tls` names, by its path as it is written. */
export type UpstreamFiles = (path: string) => string | undefined

/**
 * The path of a file in PEM. SECURITY: what looks like its content is refused without a word of
 * it, for it may be a key.
 */
export const pemFile: Reader<string> = textThen((text) => {
  if (/-----BEGIN|[\r\n]|[A-Za-z0-9+=]{64}/.test(text)) return bad('pem_inline')
  return line(4096)(text)
})

const MAX_PEM_BYTES = 256 * 1024

/**
 * Reads the files that the apps' `upstream.tls` name and looks into them: authorities and
 * certificates must be ones, the key must be the certificate's.
 * @param file the configuration as plain data, not checked yet
 */
export async function readUpstreamFiles(
  file: unknown,
  sources: { readonly readFile: ReadFile; readonly directory: string },
): Promise<{
  readonly files: UpstreamFiles
  readonly faults: readonly (Fault & { readonly path: Path })[]
}> {
  const texts = new Map<string, string>()
  const faults: (Fault & { readonly path: Path })[] = []
  const read = async (tls: unknown, key: string, path: Path): Promise<string | undefined> => {
    const reading = pemFile(valueAt(tls, key))
    if (reading.kind === 'faults') return undefined
    const outcome = await readPem(resolve(sources.directory, reading.value), sources.readFile)
    const fail = (fault: Fault) => faults.push({ ...fault, path: [...path, key] })
    for (const fault of outcome.faults) {
      if (fault.kind !== 'world_readable' || key === 'key') fail(fault)
    }
    if (outcome.text !== undefined) texts.set(reading.value, outcome.text)
    return outcome.text
  }
  for (const [index, app] of listAt(file, 'apps').entries()) {
    const tls = valueAt(valueAt(app, 'upstream'), 'tls')
    const path = ['apps', index, 'upstream', 'tls']
    const ca = await read(tls, 'ca', path)
    if (ca !== undefined && certificatesIn(ca) === undefined) {
      faults.push({ kind: 'no_certificate', path: [...path, 'ca'] })
    }
    const text = await read(tls, 'certificate', path)
    const certificate = text === undefined ? undefined : certificatesIn(text)?.[0]
    if (text !== undefined && certificate === undefined) {
      faults.push({ kind: 'no_certificate', path: [...path, 'certificate'] })
    }
    const pem = await read(tls, 'key', path)
    if (pem === undefined) continue
    const key = privateKey(pem)
    if (key === undefined) faults.push({ kind: 'no_private_key', path: [...path, 'key'] })
    else if (certificate?.checkPrivateKey(key) === false) {
      faults.push({ kind: 'key_of_another', path: [...path, 'key'] })
    }
  }
  return { files: (path) => texts.get(path), faults }
}

/** The text of a PEM file, or what keeps it from being used. */
export async function readPem(
  file: string,
  readFile: ReadFile,
): Promise<{ readonly text?: string; readonly faults: readonly Fault[] }> {
  try {
    const { bytes, mode } = await readFile(file, MAX_PEM_BYTES)
    const text = bytes.length > MAX_PEM_BYTES ? undefined : decodeText(bytes)
    if (text === undefined || text.trim() === '') {
      return { faults: [{ kind: 'secret_file_unfit', params: { file, limit: '256 KiB' } }] }
    }
    const open: Fault[] = isWorldReadable(mode)
      ? [{ kind: 'world_readable', params: { file } }]
      : []
    return { text, faults: open }
  } catch (cause) {
    const params = { file, reason: readFailure(cause) }
    return { faults: [{ kind: 'secret_file_unreadable', params }] }
  }
}

/** The certificates in a text; `undefined` when there is none, or one that cannot be read. */
export function certificatesIn(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  try {
    return blocks?.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}

function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
