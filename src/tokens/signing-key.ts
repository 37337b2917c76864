import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { SigningPurpose } from './purpose.ts'

/** A key that signs tokens, and its public half. */
export type SigningKey = {
  /** `key_` and 8 characters of base64url: the `kid` of what it signs. */
  readonly id: string
  readonly algorithm: 'EdDSA' | 'ES256'
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/**
 * Makes the key pair of 32 secret bytes: Ed25519 (RFC 8032) for what only we verify, P-256
 * (FIPS 186-5) for what apps verify with whatever library they have.
 */
export function signingKey(purpose: SigningPurpose, id: string, material: Buffer): SigningKey {
  const privateKey = purpose === 'access' ? ed25519(material) : p256(material)
  return {
    id,
    algorithm: purpose === 'access' ? 'EdDSA' : 'ES256',
    privateKey,
    publicKey: createPublicKey(privateKey),
  }
}

function ed25519(seed: Buffer): KeyObject {
  // RFC 8410 7: PKCS #8 around the 32 bytes.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

/** @throws when the bytes are no scalar of the curve, which random ones are once in 2^32 times. */
function p256(scalar: Buffer): KeyObject {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  const point = curve.getPublicKey()
  return createPrivateKey({
    key: {
      kty: 'EC',
      crv: 'P-256',
      d: scalar.toString('base64url'),
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
    format: 'jwk',
  })
}
