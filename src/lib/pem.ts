import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'

/** A certificate with its key, as two PEM texts that belong together. */
export type KeyPair = {
  readonly certificate: X509Certificate
  readonly key: KeyObject
  /** DNS names it is for, in lower case; `*.example.com` covers one label. */
  readonly names: readonly string[]
}

/** What two texts are together. */
export type KeyPairReading =
  | { readonly kind: 'pair'; readonly pair: KeyPair }
  | { readonly kind: 'no_certificate' }
  /** None, or one that takes a passphrase. */
  | { readonly kind: 'no_private_key' }
  | { readonly kind: 'key_of_another' }

/**
 * Reads a certificate chain, the server's own first, and a private key (RFC 7468). A text that
 * ends inside a block is no certificate: it is still being written.
 */
export function readKeyPair(certificatePem: string, keyPem: string): KeyPairReading {
  const certificate = leafOf(certificatePem)
  if (certificate === undefined) return { kind: 'no_certificate' }
  const key = privateKeyIn(keyPem)
  if (key === undefined) return { kind: 'no_private_key' }
  if (!certificate.checkPrivateKey(key)) return { kind: 'key_of_another' }
  return { kind: 'pair', pair: { certificate, key, names: namesOf(certificate) } }
}

/** Whether a certificate that holds `names` serves `host` (RFC 9525 6.3: one label for the star). */
export function coversName(names: readonly string[], host: string): boolean {
  const dot = host.indexOf('.')
  return names.includes(host) || (dot > 0 && names.includes(`*${host.slice(dot)}`))
}

function leafOf(pem: string): X509Certificate | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  const begun = pem.match(/-----BEGIN /g)
  if (blocks === null || begun?.length !== pem.match(/-----END [A-Z ]+-----/g)?.length) {
    return undefined
  }
  try {
    const [leaf] = blocks.map((block) => new X509Certificate(block))
    return leaf
  } catch {
    return undefined
  }
}

function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** SECURITY: a name that Node had to quote is no host name, and is left out (CVE-2021-44532). */
function namesOf(certificate: X509Certificate): readonly string[] {
  const entries = certificate.subjectAltName?.split(', ') ?? []
  return entries.flatMap((entry) => {
    const name = /^DNS:(\*?[A-Za-z0-9._-]+)$/.exec(entry)?.[1]
    return name === undefined ? [] : [name.toLowerCase()]
  })
}
