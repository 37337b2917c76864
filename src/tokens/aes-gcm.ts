import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const NONCE = 12
const TAG = 16

/**
 * AES-256-GCM (NIST SP 800-38D): a random nonce, the ciphertext and the tag, base64url.
 *
 * @param key 32 bytes
 * @param place what it is bound to; it opens with the same only
 */
export function sealBytes(key: Buffer, plain: Buffer, place: readonly string[]): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(associated(place))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')
}

/** @throws when it was altered, or sealed with another key or for another place */
export function openBytes(key: Buffer, sealed: string, place: readonly string[]): Buffer {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < NONCE + TAG) throw new TypeError('not a sealed value')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), {
    authTagLength: TAG,
  })
  decipher.setAAD(associated(place))
  decipher.setAuthTag(bytes.subarray(-TAG))
  return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()])
}

/** A list, so that no two places read the same. */
function associated(place: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(place))
}
