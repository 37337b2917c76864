import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { AppError } from '../lib/app-error.ts'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import { type KeyPair, readKeyPair } from '../lib/pem.ts'
import { SECURE_OPTIONS, type TlsVersion } from './tls-options.ts'

/** Where a certificate chain and its key are; both PEM. */
export type CertificateFiles = { readonly certificate: string; readonly key: string }

/** The certificates in use, replaced while the server runs. */
export type Certificates = {
  /** For the name a client asks for; `undefined`: it names none. Where none fits, the first. */
  readonly contextFor: (name: string | undefined) => SecureContext
  /**
   * Reads again what has changed on disk and has stayed the same since the call before, so that
   * files are never read while they are being written. A pair that does not fit replaces nothing.
   */
  readonly refresh: () => Promise<void>
}

/** What became of a certificate whose files changed. */
export type CertificateNews =
  | { readonly kind: 'renewed'; readonly file: string; readonly until: string }
  | { readonly kind: 'kept'; readonly file: string; readonly reason: string }

export type CertificateOptions = {
  readonly files: readonly CertificateFiles[]
  readonly minVersion: TlsVersion
}

/** How often to look at the files. */
export const REFRESH_EVERY: Milliseconds = SECOND

/** @throws AppError `listen_failed` for files that cannot be used */
export async function createCertificates(
  deps: { readonly report: (news: CertificateNews) => void },
  options: CertificateOptions,
): Promise<Certificates> {
  const slots = await Promise.all(options.files.map((files) => openSlot(files, options.minVersion)))
  let byName = index(slots)
  return {
    contextFor: (name) => {
      const first = slots[0]
      if (first === undefined) throw new Error('no certificate')
      return name === undefined ? first.context : (find(byName, name) ?? first).context
    },
    refresh: async () => {
      for (const slot of slots) {
        const news = await refresh(slot, options.minVersion)
        if (news === undefined) continue
        if (news.kind === 'renewed') byName = index(slots)
        deps.report(news)
      }
    },
  }
}

type Slot = {
  readonly files: CertificateFiles
  context: SecureContext
  names: readonly string[]
  /** Of the files in use, or of those that were found wrong. */
  judged: string
  /** As last seen. */
  seen: string
}

async function openSlot(files: CertificateFiles, minVersion: TlsVersion): Promise<Slot> {
  const signature = await signatureOf(files)
  const loaded = await load(files, minVersion)
  if (loaded.kind === 'wrong') {
    throw new AppError('listen_failed', `${files.certificate}: ${loaded.reason}.`)
  }
  const { context, pair } = loaded
  return { files, context, names: pair.names, judged: signature, seen: signature }
}

async function refresh(slot: Slot, minVersion: TlsVersion): Promise<CertificateNews | undefined> {
  const signature = await signatureOf(slot.files)
  const settled = signature === slot.seen
  slot.seen = signature
  if (!settled || signature === slot.judged) return undefined
  const loaded = await load(slot.files, minVersion)
  if ((await signatureOf(slot.files)) !== signature) return undefined
  slot.judged = signature
  const file = slot.files.certificate
  if (loaded.kind === 'wrong') return { kind: 'kept', file, reason: loaded.reason }
  slot.context = loaded.context
  slot.names = loaded.pair.names
  return { kind: 'renewed', file, until: loaded.pair.certificate.validTo }
}

/** Changes whenever one of the files does, also by a rename or another target of a link. */
async function signatureOf({ certificate, key }: CertificateFiles): Promise<string> {
  const parts = [certificate, key].map(async (path) => {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path)
      return [dev, ino, size, mtimeMs, ctimeMs].join(':')
    } catch {
      return 'none'
    }
  })
  return (await Promise.all(parts)).join(' ')
}

type Loaded =
  | { readonly kind: 'loaded'; readonly context: SecureContext; readonly pair: KeyPair }
  | { readonly kind: 'wrong'; readonly reason: string }

const REASONS = {
  no_certificate: 'it holds no certificate that can be read',
  no_private_key: 'the key cannot be read',
  key_of_another: 'the key does not belong to the certificate',
} as const

async function load(files: CertificateFiles, minVersion: TlsVersion): Promise<Loaded> {
  try {
    const [cert, key] = await Promise.all([
      readFile(files.certificate, 'utf8'),
      readFile(files.key, 'utf8'),
    ])
    const reading = readKeyPair(cert, key)
    if (reading.kind !== 'pair') return { kind: 'wrong', reason: REASONS[reading.kind] }
    const context = createSecureContext({ cert, key, minVersion, ...SECURE_OPTIONS })
    return { kind: 'loaded', context, pair: reading.pair }
  } catch (error) {
    // NOTE: the code alone; what OpenSSL and the file system say may quote the file.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return { kind: 'wrong', reason: `the files cannot be used (${code})` }
  }
}

type Index = ReadonlyMap<string, Slot>

/** The first certificate that holds a name serves it. */
function index(slots: readonly Slot[]): Index {
  const byName = new Map<string, Slot>()
  for (const slot of slots) {
    for (const name of slot.names) if (!byName.has(name)) byName.set(name, slot)
  }
  return byName
}

/** A name of its own before a star in the place of its first label (RFC 9525 6.3). */
function find(byName: Index, name: string): Slot | undefined {
  const lower = name.toLowerCase()
  const dot = lower.indexOf('.')
  return byName.get(lower) ?? (dot < 0 ? undefined : byName.get(`*${lower.slice(dot)}`))
}
