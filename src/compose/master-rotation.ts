import { dirname, join } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import {
  hasNextMasterKey,
  KEY_FILE,
  makeMasterKey,
  nextMasterKeyPath,
  promoteMasterKey,
} from '../secrets/master-key.ts'
import { masterKey } from '../tokens/master-key.ts'
import type { Vault } from './vault.ts'

/** What came of changing the master key. */
export type MasterChange =
  /** The new one is in force, and the old one opens nothing. */
  | { readonly kind: 'rotated'; readonly id: string; readonly file: string }
  /** A change that had been broken off is finished. */
  | { readonly kind: 'finished'; readonly id: string; readonly file: string }
  /** Either starts; the old one goes with `retireMaster`. */
  | { readonly kind: 'begun'; readonly id: string; readonly file: string }
  /** The master key is configured: a file for the new one must be named. */
  | { readonly kind: 'file_needed' }
  /** The file holds the key that is in force. */
  | { readonly kind: 'same'; readonly file: string }

export type MasterRetired =
  | { readonly kind: 'retired'; readonly id: string; readonly others: readonly string[] }
  | { readonly kind: 'nothing' }
  /** This process still works with the one that is to go. */
  | { readonly kind: 'not_yet' }

/**
 * Puts a new master key in the place of the present one. Whatever breaks it off, between any two
 * steps, the next start finds a master key that opens everything, and the next call goes on where
 * it was.
 *
 * @param to a file for the new key, where it is not to take the place of the key file beside the
 *   database: made when there is none, read otherwise
 * @throws AppError `keys_unavailable`, `store_unavailable`
 */
export async function rotateMaster(
  vault: Pick<Vault, 'keyRing' | 'masterRotation'>,
  settings: Pick<Settings, 'store' | 'masterKey'>,
  to?: string,
): Promise<MasterChange> {
  const { keyRing, masterRotation } = vault
  const directory = dirname(settings.store.path)
  const file = join(directory, KEY_FILE)
  await keyRing.reload()
  if (to !== undefined) {
    const next = await makeMasterKey(to)
    const { id } = masterKey(next)
    if (id === keyRing.master().id) return { kind: 'same', file: to }
    await masterRotation.sealUnder(next)
    return { kind: 'begun', id, file: to }
  }
  if (settings.masterKey !== undefined) return { kind: 'file_needed' }
  const before = await masterRotation.state()
  const isInPlace = before.newest?.id === before.current
  if (isInPlace && before.others.length > 0 && !(await hasNextMasterKey(directory))) {
    await finish(vault, before.current)
    return { kind: 'finished', id: before.current, file }
  }
  const waiting = nextMasterKeyPath(directory)
  const next = await makeMasterKey(waiting)
  const { id } = masterKey(next)
  if (id === keyRing.master().id) return { kind: 'same', file: waiting }
  await masterRotation.sealUnder(next)
  await promoteMasterKey(directory)
  await keyRing.reload()
  await finish(vault, id)
  return { kind: 'rotated', id, file }
}

/**
 * Removes the seals of a configured master key that another one has taken over from.
 * @throws AppError `keys_unavailable`, `store_unavailable`
 */
export async function retireMaster(vault: Pick<Vault, 'masterRotation'>): Promise<MasterRetired> {
  const { current, others, newest } = await vault.masterRotation.state()
  if (others.length === 0) return { kind: 'nothing' }
  if (newest?.id !== current) return { kind: 'not_yet' }
  await finish(vault, current)
  return { kind: 'retired', id: current, others }
}

async function finish(vault: Pick<Vault, 'masterRotation'>, id: string): Promise<void> {
  if (await vault.masterRotation.keepOnly(id)) return
  throw new AppError(
    'keys_unavailable',
    'The master key was changed by another command at the same time. Try again.',
  )
}
