import { createHmac, hash } from 'node:crypto'
import { AppError } from '../lib/app-error.ts'
import { equalInConstantTime } from '../lib/constant-time.ts'
import { Secret } from '../lib/secret.ts'
import { openBytes, sealBytes } from './aes-gcm.ts'
import { type DataKey, MARK_LENGTH, markOf, parseDataKeyId } from './data-key.ts'
import { masterKey } from './master-key.ts'
import { type MacPurpose, PURPOSES, type Purpose, type SigningPurpose } from './purpose.ts'
import { type SigningKey, signingKey } from './signing-key.ts'

/** Where a sealed value lives; it opens nowhere else. */
export type SealedAt = { readonly table: string; readonly row: string; readonly column: string }

export type Keys = {
  /**
   * AES-256-GCM (NIST SP 800-38D) with the place as associated data: `v2.`, the key's mark, `.`
   * and base64url.
   */
  readonly seal: (value: string, at: SealedAt) => string
  /**
   * Also what was sealed before keys had ids: `v1.` and base64url.
   * @throws AppError `keys_unavailable` when the value was sealed elsewhere or with another key.
   */
  readonly open: (sealed: string, at: SealedAt) => string
  /** HMAC-SHA-256 of `text`: the key's mark and the MAC, 8 and 43 characters of base64url. */
  readonly sign: (purpose: MacPurpose, text: string) => string
  /**
   * What `sign` gave, or would have given, at any time: by every key that is not retired. For
   * look-ups of what was stored before a rotation.
   */
  readonly signatures: (purpose: MacPurpose, text: string) => readonly string[]
  /** Whether `signature` is of `text`, by a key that is not retired; compared in constant time. */
  readonly verify: (purpose: MacPurpose, text: string, signature: string) => boolean
  /** What new tokens of this purpose are signed with. */
  readonly signingKey: (purpose: SigningPurpose) => SigningKey
  /** By a token's `kid`; `undefined` when there is none, or it is retired. */
  readonly verificationKey: (purpose: SigningPurpose, id: string) => SigningKey | undefined
  /** All that may verify something, the current one first. */
  readonly verificationKeys: (purpose: SigningPurpose) => readonly SigningKey[]
}

/** The keys there are. What it answers may change from one call to the next. */
export type KeyLookup = {
  readonly current: (purpose: Purpose) => DataKey
  /** All that are not retired, the current one first. */
  readonly all: (purpose: Purpose) => readonly DataKey[]
  readonly byMark: (purpose: Purpose, mark: string) => DataKey | undefined
  /** The key that made what carries no mark. */
  readonly unmarked: (purpose: Purpose) => DataKey | undefined
}

/**
 * What is made with keys.
 *
 * @param from the keys; or 32 bytes that they are derived from, one for each purpose, for ever
 */
export function createKeys(from: KeyLookup | Secret<Buffer>): Keys {
  const keys = from instanceof Secret ? derivedKeys(from) : from
  const pairs = new WeakMap<DataKey, SigningKey>()
  const pairOf = (purpose: SigningPurpose, key: DataKey): SigningKey => {
    const known = pairs.get(key)
    if (known !== undefined) return known
    const pair = signingKey(purpose, key.id, key.material.reveal())
    pairs.set(key, pair)
    return pair
  }
  const keyOfMac = (purpose: MacPurpose, signature: string) =>
    signature.length === MARK_LENGTH + MAC_LENGTH
      ? keys.byMark(purpose, signature.slice(0, MARK_LENGTH))
      : signature.length === MAC_LENGTH
        ? keys.unmarked(purpose)
        : undefined

  return {
    seal: (value, at) => {
      const key = keys.current('field')
      const sealed = sealBytes(key.material.reveal(), Buffer.from(value), placeOf(at))
      return `v2.${markOf(key)}.${sealed}`
    },
    open: (sealed, at) => {
      try {
        const mark = markOfSealed(sealed)
        const key = mark === '' ? keys.unmarked('field') : keys.byMark('field', mark ?? '?')
        if (key === undefined) throw new TypeError('no key of this mark')
        const payload = sealed.slice(mark === '' ? 3 : 4 + MARK_LENGTH)
        return openBytes(key.material.reveal(), payload, placeOf(at)).toString()
      } catch (cause) {
        throw new AppError(
          'keys_unavailable',
          `A sealed value in ${at.table}.${at.column} does not open with the keys there are. ` +
            'It was altered or moved, or its key is retired.',
          { cause },
        )
      }
    },
    sign: (purpose, text) => {
      const key = keys.current(purpose)
      return markOf(key) + mac(key, text)
    },
    signatures: (purpose, text) =>
      keys.all(purpose).flatMap((key) => {
        const signature = mac(key, text)
        return [markOf(key) + signature, ...(key.unmarked ? [signature] : [])]
      }),
    verify: (purpose, text, signature) => {
      const key = keyOfMac(purpose, signature)
      return key !== undefined && equalInConstantTime(mac(key, text), signature.slice(-MAC_LENGTH))
    },
    signingKey: (purpose) => pairOf(purpose, keys.current(purpose)),
    verificationKey: (purpose, id) => {
      const known = parseDataKeyId(id)
      const key = known && keys.byMark(purpose, known.slice(-MARK_LENGTH))
      return key && pairOf(purpose, key)
    },
    verificationKeys: (purpose) => keys.all(purpose).map((key) => pairOf(purpose, key)),
  }
}

/** Characters of an HMAC-SHA-256 in base64url. */
const MAC_LENGTH = 43

/**
 * The mark of the key a value was sealed with; empty when it carries none; `undefined` when it is
 * no sealed value.
 */
export function markOfSealed(sealed: string): string | undefined {
  if (sealed.startsWith('v1.')) return ''
  return /^v2\.([A-Za-z0-9_-]{8})\./.exec(sealed)?.[1]
}

/** The same of what `sign` gave. */
export function markOfSignature(signature: string): string {
  return signature.length > MAC_LENGTH ? signature.slice(0, MARK_LENGTH) : ''
}

function mac({ material }: DataKey, text: string): string {
  return createHmac('sha256', material.reveal()).update(text).digest('base64url')
}

function placeOf({ table, row, column }: SealedAt): readonly string[] {
  return [table, row, column]
}

/** One key for each purpose, made of a master key: what holds before there is a ring. */
function derivedKeys(bytes: Secret<Buffer>): KeyLookup {
  const master = masterKey(bytes)
  const made = new Map(
    PURPOSES.map((purpose) => {
      const id = parseDataKeyId(`key_${hash('sha256', purpose, 'base64url').slice(0, MARK_LENGTH)}`)
      if (id === undefined) throw new TypeError('not a key id')
      const material = master.derive(purpose)
      return [purpose, { id, purpose, material, createdAt: 0, activeFrom: 0, unmarked: true }]
    }),
  )
  const current = (purpose: Purpose): DataKey => {
    const key = made.get(purpose)
    if (key === undefined) throw new TypeError(`no key for ${purpose}`)
    return key
  }
  return {
    current,
    all: (purpose) => [current(purpose)],
    byMark: (purpose, mark) => (markOf(current(purpose)) === mark ? current(purpose) : undefined),
    unmarked: current,
  }
}
