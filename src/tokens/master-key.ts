import { hkdfSync } from 'node:crypto'
import { Secret } from '../lib/secret.ts'
import { openBytes, sealBytes } from './aes-gcm.ts'
import type { DataKey } from './data-key.ts'
import type { Purpose } from './purpose.ts'

/** What data keys are sealed under. */
export type MasterKey = {
  /** Tells master keys apart and nothing of them: `mk_` and 8 characters of base64url. */
  readonly id: string
  readonly seal: (key: Pick<DataKey, 'id' | 'purpose' | 'material'>) => string
  /** @throws when it was altered, or sealed under another key, or for another key */
  readonly open: (key: Pick<DataKey, 'id' | 'purpose'>, sealed: string) => Secret<Buffer>
  /** The key of a purpose as it was before there were data keys. */
  readonly derive: (purpose: Purpose) => Secret<Buffer>
}

/**
 * Everything is derived from the 32 bytes by HKDF-SHA-256 (RFC 5869), each use with words of its
 * own.
 */
export function masterKey(bytes: Secret<Buffer>): MasterKey {
  const derive = (info: string) =>
    Buffer.from(hkdfSync('sha256', bytes.reveal(), '', `sallyport ${info} v1`, 32))
  const sealing = derive('master seal')
  const place = ({ id, purpose }: Pick<DataKey, 'id' | 'purpose'>) => [
    'data_key_seals',
    id,
    'sealed_material',
    purpose,
  ]
  return {
    id: `mk_${derive('master id').toString('base64url').slice(0, 8)}`,
    seal: (key) => `v1.${sealBytes(sealing, key.material.reveal(), place(key))}`,
    open: (key, sealed) => {
      if (!sealed.startsWith('v1.')) throw new TypeError('not a sealed key')
      return new Secret(openBytes(sealing, sealed.slice(3), place(key)))
    },
    derive: (purpose) => new Secret(derive(purpose)),
  }
}
