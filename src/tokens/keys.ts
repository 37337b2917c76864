import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { AppError } from '../lib/app-error.ts'
import { equalInConstantTime } from '../lib/constant-time.ts'
import type { Secret } from '../lib/secret.ts'
import { type SigningKey, signingKey } from './signing-key.ts'

/** What a key is for. Each purpose has its own key, derived from the master key (RFC 5869). */
export const PURPOSES = [
  'field',
  'ticket',
  'form',
  'device',
  'digest',
  'challenge',
  'access',
  'assertion',
] as const
export type Purpose = (typeof PURPOSES)[number]

/** Purposes whose keys sign what others verify with a public key. */
export type SigningPurpose = 'access' | 'assertion'
/** Purposes whose keys authenticate what comes back to us. */
export type MacPurpose = Exclude<Purpose, 'field' | SigningPurpose>

/** Where a sealed value lives; it opens nowhere else. */
export type SealedAt = { readonly table: string; readonly row: string; readonly column: string }

export type Keys = {
  /** AES-256-GCM (NIST SP 800-38D) with the place as associated data; `v1.` and base64url. */
  readonly seal: (value: string, at: SealedAt) => string
  /** @throws AppError `keys_unavailable` when the value was sealed elsewhere or with another key. */
  readonly open: (sealed: string, at: SealedAt) => string
  /** HMAC-SHA-256 of `text` under the key of this purpose, base64url. */
  readonly sign: (purpose: MacPurpose, text: string) => string
  /** Whether `signature` is `sign(purpose, text)`, compared in constant time. */
  readonly verify: (purpose: MacPurpose, text: string, signature: string) => boolean
  /** What new tokens of this purpose are signed with. */
  readonly signingKey: (purpose: SigningPurpose) => SigningKey
  /** By a token's `kid`; `undefined` when there is none, or it is retired. */
  readonly verificationKey: (purpose: SigningPurpose, id: string) => SigningKey | undefined
  /** All that may verify something, the current one first. */
  readonly verificationKeys: (purpose: SigningPurpose) => readonly SigningKey[]
}

/** @param master 32 bytes. */
export function createKeys(master: Secret<Buffer>): Keys {
  const derived = Object.fromEntries(
    PURPOSES.map((purpose) => [
      purpose,
      Buffer.from(hkdfSync('sha256', master.reveal(), '', `sallyport ${purpose} v1`, 32)),
    ]),
  ) as Readonly<Record<Purpose, Buffer>>
  const signing = {
    access: signingKey('access', 'key_00000001', derived.access),
    assertion: signingKey('assertion', 'key_00000002', derived.assertion),
  }
  const sign: Keys['sign'] = (purpose, text) =>
    createHmac('sha256', derived[purpose]).update(text).digest('base64url')

  return {
    seal: (value, at) => {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', derived.field, nonce)
      cipher.setAAD(associated(at))
      const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
      return `v1.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')}`
    },
    open: (sealed, at) => {
      try {
        const bytes = Buffer.from(sealed.slice(3), 'base64url')
        if (!sealed.startsWith('v1.') || bytes.length < 28)
          throw new TypeError('not a sealed value')
        const decipher = createDecipheriv('aes-256-gcm', derived.field, bytes.subarray(0, 12), {
          authTagLength: 16,
        })
        decipher.setAAD(associated(at))
        decipher.setAuthTag(bytes.subarray(-16))
        return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
      } catch (cause) {
        throw new AppError(
          'keys_unavailable',
          `A sealed value in ${at.table}.${at.column} does not open with this master key. ` +
            'Start with the master key the database was made with.',
          { cause },
        )
      }
    },
    signingKey: (purpose) => signing[purpose],
    verificationKey: (purpose, id) => (signing[purpose].id === id ? signing[purpose] : undefined),
    verificationKeys: (purpose) => [signing[purpose]],
    sign,
    verify: (purpose, text, signature) => equalInConstantTime(sign(purpose, text), signature),
  }
}

function associated(at: SealedAt): Buffer {
  return Buffer.from(JSON.stringify([at.table, at.row, at.column]))
}
