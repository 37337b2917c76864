import { resolve } from 'node:path'
import { z } from 'zod'
import type { CertificateFiles } from '../../listen/certificates.ts'
import type { TcpAddress } from '../../listen/listen-address.ts'
import type { TlsVersion } from '../../listen/tls-options.ts'
import { bad, type Fault, good } from '../problem.ts'
import { isMap, valueAt } from '../readable.ts'
import { leaf } from '../values/leaf.ts'
import { type Reader, shown, wrongType } from '../values/reader.ts'
import { pemFile } from './upstream-files.ts'

/** The listener that does TLS itself. */
export type HttpsSettings = TcpAddress & {
  /** The first is for clients that ask for no name we have. */
  readonly certificates: readonly CertificateFiles[]
  readonly minVersion: TlsVersion
  /** Whether plain HTTP is sent here. */
  readonly redirect: boolean
}

const MAX_CERTIFICATES = 100

/** Written as text or, which YAML makes of it, as a number. */
const tlsVersion: Reader<TlsVersion> = (raw) => {
  if (raw === null || typeof raw === 'object') return wrongType(raw, 'text')
  const text = String(raw).trim()
  if (text === '1.2') return good('TLSv1.2')
  if (text === '1.3') return good('TLSv1.3')
  return bad('unknown_value', { value: shown(text), options: '"1.2", "1.3"' })
}

/** A certificate chain, the server's own first, and its key. */
export const certificateSchema = z.strictObject({
  certificate: leaf(pemFile),
  key: leaf(pemFile),
})

/** The key `tls`. One certificate may stand without a list around it. */
export const tlsSchema = z.strictObject({
  certificates: z.preprocess(
    (raw) => (isMap(raw) ? [raw] : raw),
    z.array(certificateSchema).max(MAX_CERTIFICATES),
  ),
  min_version: leaf(tlsVersion).default('TLSv1.2'),
})

export type TlsFile = z.output<typeof tlsSchema>

/** @param tls present wherever `https` is, which `checkTls` sees to */
export function toHttps(
  https: TcpAddress & { readonly redirect: boolean },
  tls: TlsFile | undefined,
  { directory }: { readonly directory: string },
): HttpsSettings {
  const certificates = tls?.certificates.map(({ certificate, key }) => ({
    certificate: resolve(directory, certificate),
    key: resolve(directory, key),
  }))
  return {
    ...https,
    certificates: certificates ?? [],
    minVersion: tls?.min_version ?? 'TLSv1.2',
  }
}

/** What of `tls`, `listen.https` and `portal.url` does not go together. */
export function checkTls(
  file: unknown,
  https: TcpAddress | undefined,
  portalScheme: 'http' | 'https' | undefined,
): readonly Fault[] {
  const tls = valueAt(file, 'tls')
  const faults: Fault[] = []
  if (https !== undefined && tls === undefined) {
    faults.push({ kind: 'https_without_tls', path: ['listen', 'https'] })
  }
  if (tls !== undefined && valueAt(valueAt(file, 'listen'), 'https') === undefined) {
    faults.push({ kind: 'tls_unused', path: ['tls'], part: 'key' })
  }
  const certificates = valueAt(tls, 'certificates')
  if (Array.isArray(certificates) && certificates.length === 0) {
    faults.push({ kind: 'empty_list', path: ['tls', 'certificates'] })
  }
  if (https !== undefined && portalScheme === 'http') {
    faults.push({ kind: 'https_portal_http', path: ['portal', 'url'] })
  }
  return faults
}
