import type { Brand } from '../lib/brand.ts'
import { randomToken } from '../lib/random.ts'
import type { Secret } from '../lib/secret.ts'
import type { Purpose } from './purpose.ts'

/** `key_` and 8 characters of base64url. The 8 are the mark that everything made with it carries. */
export type DataKeyId = Brand<string, 'DataKeyId'>

/** A key for one purpose, in use or on the way out. */
export type DataKey = {
  readonly id: DataKeyId
  readonly purpose: Purpose
  /** 32 bytes. */
  readonly material: Secret<Buffer>
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Nothing is made with it before: every process has read it by then. */
  readonly activeFrom: number
  /** It made what carries no mark: before keys had ids, they were derived from the master key. */
  readonly unmarked: boolean
}

/** Length of the mark, in characters. */
export const MARK_LENGTH = 8

/** The mark that what this key makes carries. */
export function markOf({ id }: Pick<DataKey, 'id'>): string {
  return id.slice(-MARK_LENGTH)
}

export function newDataKeyId(): DataKeyId {
  return `key_${randomToken(6)}` as DataKeyId
}

/** `undefined` for what has not the form of one. */
export function parseDataKeyId(text: string): DataKeyId | undefined {
  return /^key_[A-Za-z0-9_-]{8}$/.test(text) ? (text as DataKeyId) : undefined
}

/** A key as it is kept: without its material, or with it under each master key that opens it. */
export type StoredDataKey = Omit<DataKey, 'material' | 'purpose'> & {
  /** One of `PURPOSES`, unless a newer version wrote it. */
  readonly purpose: string
  /** Milliseconds since the epoch; 0: it is not retired. */
  readonly retiredAt: number
  /** None when it is retired. */
  readonly seals: readonly DataKeySeal[]
}

export type DataKeySeal = { readonly masterId: string; readonly sealed: string }

export type NewDataKey = Omit<DataKey, 'material'> & {
  readonly sealed: string
  /** The newest key of its purpose that was known; none: it is to be the first. */
  readonly after: DataKeyId | undefined
}

/** Data keys. Every method is durable when its promise resolves. */
export type DataKeyStore = {
  /** All, retired ones included, by purpose and in the order in which they become current. */
  readonly list: () => Promise<readonly StoredDataKey[]>
  /**
   * Adds all of them in one step. `changed`: a purpose has another newest key than was known, and
   * nothing was added; `other_master`: the keys are not sealed under this master key alone.
   */
  readonly add: (
    keys: readonly NewDataKey[],
    master: {
      readonly id: string
      /** When it was made, if that is now. */
      readonly madeAt?: number
    },
  ) => Promise<'added' | 'changed' | 'other_master'>
  /**
   * Retires a key and deletes its material in one step. `current`: no later key of its purpose is
   * in use by `now`; `gone`: there is no such key, or it is retired. Of the retired keys of a
   * purpose the newest `keep` stay on the list.
   */
  readonly retire: (
    id: DataKeyId,
    now: number,
    keep: number,
  ) => Promise<'retired' | 'current' | 'gone'>
  /**
   * Seals every key under a further master key in one step. `changed`: the keys are not those any
   * more, and nothing was added.
   */
  readonly addSeals: (
    masterId: string,
    seals: ReadonlyMap<DataKeyId, string>,
    now: number,
  ) => Promise<'added' | 'changed'>
  /**
   * Removes all seals but those under this master key. `false`, and nothing is removed, when it is
   * not the one that was made last, or a key has no seal under it.
   */
  readonly keepSeals: (masterId: string) => Promise<boolean>
  /** When the master key that is in use, or that is to come, was made; as far as it is known. */
  readonly masterMade: () => Promise<{ readonly id: string; readonly at: number } | undefined>
}
