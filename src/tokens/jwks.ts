import { hash } from 'node:crypto'
import type { Keys } from './keys.ts'
import type { SigningKey } from './signing-key.ts'

/** A JWK Set (RFC 7517 5) as it goes on the wire, and the entity tag that names this text. */
export type KeySet = { readonly body: string; readonly etag: string }

/**
 * The public keys with which apps verify assertions: every one that may still verify something,
 * the current one first. Never the keys of tokens that only we verify.
 */
export function createKeySet(keys: Pick<Keys, 'verificationKeys'>): () => KeySet {
  let ids = ''
  let made: KeySet = { body: '', etag: '' }
  return () => {
    const ring = keys.verificationKeys('assertion')
    const now = ring.map(({ id }) => id).join()
    if (made.body === '' || now !== ids) {
      ids = now
      const body = JSON.stringify({ keys: ring.map(publicJwk) })
      made = { body, etag: `"${hash('sha256', body, 'base64url').slice(0, 27)}"` }
    }
    return made
  }
}

/** RFC 7517 4, RFC 7518 6.2.1: named one by one, so that no private part can be among them. */
function publicJwk({ id, publicKey }: SigningKey) {
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  return { kty, crv, x, y, kid: id, alg: 'ES256', use: 'sig' }
}
