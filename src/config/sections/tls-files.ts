import type { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { coversName, readKeyPair } from '../../lib/pem.ts'
import type { Fault, Path } from '../problem.ts'
import { entriesAt, listAt, valueAt } from '../readable.ts'
import { decodeText, isWorldReadable, type ReadFile, readFailure } from '../source-file.ts'
import { hostPattern, isAddress } from '../values/host.ts'
import { origin } from '../values/origin.ts'
import { pemFile } from './upstream-files.ts'

type PlacedFault = Fault & { readonly path: Path }

const MAX_PEM_BYTES = 256 * 1024

/**
 * Reads the certificates and keys that `tls` names: they must be ones and belong together. That
 * one is out of date, or that a host has none, is a warning: it can be mended while we run.
 *
 * @param file the configuration as plain data, not checked yet
 * @param sources.now milliseconds since the epoch
 */
export async function checkTlsFiles(
  file: unknown,
  sources: { readonly readFile: ReadFile; readonly directory: string; readonly now: number },
): Promise<readonly PlacedFault[]> {
  const tls = valueAt(file, 'tls')
  if (tls === undefined) return []
  const faults: PlacedFault[] = []
  const names: string[] = []
  let whole = true
  const isList = Array.isArray(valueAt(tls, 'certificates'))
  for (const [index, entry] of entriesAt(tls, 'certificates').entries()) {
    const path = ['tls', 'certificates', ...(isList ? [index] : [])]
    const certificate = await read(entry, 'certificate', path, sources, faults)
    const key = await read(entry, 'key', path, sources, faults)
    const reading =
      certificate === undefined || key === undefined ? undefined : readKeyPair(certificate, key)
    if (reading?.kind !== 'pair') {
      whole = false
      if (reading === undefined) continue
      const part = reading.kind === 'no_certificate' ? 'certificate' : 'key'
      faults.push({ kind: reading.kind, path: [...path, part] })
      continue
    }
    names.push(...reading.pair.names)
    const date = outOfDate(reading.pair.certificate, sources.now)
    if (date !== undefined) {
      faults.push({ kind: 'certificate_date', params: { date }, path: [...path, 'certificate'] })
    }
  }
  // Where a certificate could not be read, nobody knows what it is for.
  return whole && names.length > 0 ? [...faults, ...hostsWithout(names, file)] : faults
}

async function read(
  entry: unknown,
  key: 'certificate' | 'key',
  at: Path,
  { readFile, directory }: { readonly readFile: ReadFile; readonly directory: string },
  faults: PlacedFault[],
): Promise<string | undefined> {
  // A key that was pasted here, and anything else that is no path, is refused by the schema.
  const written = pemFile(valueAt(entry, key))
  if (written.kind === 'faults') return undefined
  const path = [...at, key]
  const file = resolve(directory, written.value)
  try {
    const { bytes, mode } = await readFile(file, MAX_PEM_BYTES)
    const text = bytes.length > MAX_PEM_BYTES ? undefined : decodeText(bytes)
    if (text === undefined || text.trim() === '') {
      faults.push({ kind: 'secret_file_unfit', params: { file, limit: '256 KiB' }, path })
      return undefined
    }
    if (key === 'key' && isWorldReadable(mode)) {
      faults.push({ kind: 'world_readable', params: { file }, path })
    }
    return text
  } catch (cause) {
    const params = { file, reason: readFailure(cause) }
    faults.push({ kind: 'secret_file_unreadable', params, path })
    return undefined
  }
}

function outOfDate({ validFromDate, validToDate }: X509Certificate, now: number) {
  const day = (date: Date) => date.toISOString().slice(0, 10)
  if (validToDate.getTime() < now) {
    const date = day(validToDate)
    return { en: `expired on ${date}`, fr: `a expiré le ${date}` }
  }
  if (validFromDate.getTime() > now) {
    const date = day(validFromDate)
    return { en: `is valid from ${date} on`, fr: `n’est valable qu’à partir du ${date}` }
  }
  return undefined
}

/** Hosts that no certificate names. A pattern stands for the names one label below. */
function hostsWithout(names: readonly string[], file: unknown): readonly PlacedFault[] {
  const portal = origin(valueAt(valueAt(file, 'portal'), 'url'))
  const wanted: { readonly host: string; readonly path: Path }[] = []
  if (portal.kind === 'value') wanted.push({ host: portal.value.host, path: ['portal', 'url'] })
  for (const [app, raw] of listAt(file, 'apps').entries()) {
    const isList = Array.isArray(valueAt(raw, 'host'))
    for (const [index, entry] of entriesAt(raw, 'host').entries()) {
      const reading = hostPattern(entry)
      if (reading.kind === 'faults') continue
      const path = ['apps', app, 'host', ...(isList ? [index] : [])]
      wanted.push({ host: reading.value, path })
    }
  }
  return wanted
    .filter(({ host }) => !isAddress(host) && !coversName(names, host))
    .map(({ host, path }) => ({ kind: 'certificate_lacks_host', params: { host }, path }))
}
