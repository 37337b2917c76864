import { dirname } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { digestOf } from '../factors/sms/phones.ts'
import { AppError } from '../lib/app-error.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { equalInConstantTime } from '../lib/constant-time.ts'
import { Secret } from '../lib/secret.ts'
import { isMasterKeyExposed, loadMasterKey } from '../secrets/master-key.ts'
import { openSqlStore, type SqlStore } from '../store/sql/sql-store.ts'
import { type KeyRing, openKeyRing } from '../tokens/key-ring.ts'
import { createKeyRotation, type KeyRotation } from '../tokens/key-rotation.ts'
import { createKeys, type Keys } from '../tokens/keys.ts'
import { createMasterRotation, type MasterRotation } from '../tokens/master-rotation.ts'
import { createReEncryption, type ReEncryption } from '../tokens/re-encryption.ts'
import { PASSING_DIGESTS, SEALED_COLUMNS } from '../tokens/sealed-column.ts'

/** Store and keys, as the server and the command line both open them. */
export type Vault = AsyncDisposable & {
  readonly store: SqlStore
  readonly keys: Keys
  readonly keyRing: KeyRing
  readonly keyRotation: KeyRotation
  readonly masterRotation: MasterRotation
  readonly reEncryption: ReEncryption
  /** Whether others than its owner may read the key file, where one is in use. */
  readonly isMasterExposed: () => Promise<boolean>
}

/** @throws AppError `store_unavailable`, `store_incompatible`, `keys_unavailable` */
export async function openVault(
  settings: Pick<Settings, 'store' | 'masterKey'>,
  clock: Clock = systemClock,
): Promise<Vault> {
  const { path } = settings.store
  const store = await openSqlStore({ path })
  try {
    const foreign =
      `The master key is not the one ${path} was made with. ` +
      'Start with that key; without it, second factors cannot be read.'
    const mark = await store.meta.get(KEY_CHECK)
    const hasKeys = (await store.dataKeys.list()).length > 0
    let mayCreate = mark === undefined && !hasKeys
    const load = () =>
      loadMasterKey({ configured: settings.masterKey, directory: dirname(path), mayCreate })
    if (mark !== undefined && !hasKeys && !isMadeWith(await load(), mark)) {
      throw new AppError('keys_unavailable', foreign)
    }
    const keyRing = await openKeyRing(
      { store: store.dataKeys, source: { load }, clock },
      { unmarked: mark !== undefined, foreign },
    )
    mayCreate = false
    const keys = createKeys(keyRing)
    const reEncryption = createReEncryption(
      {
        store: store.sealedValues,
        keys,
        ring: keyRing,
        clock,
        redigest: (number) => digestOf(keys, new Secret(number)),
      },
      { columns: SEALED_COLUMNS, passing: PASSING_DIGESTS },
    )
    const parts = { store: store.dataKeys, ring: keyRing, clock }
    return {
      store,
      keys,
      keyRing,
      keyRotation: createKeyRotation({ ...parts, rowsLeft: reEncryption.rowsOf }),
      masterRotation: createMasterRotation(parts),
      reEncryption,
      isMasterExposed: async () =>
        settings.masterKey === undefined && (await isMasterKeyExposed(dirname(path))) === true,
      [Symbol.asyncDispose]: () => store.close(),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** In the table `meta`: tells a database that is older than data keys are, and its master key. */
const KEY_CHECK = 'key_check'

function isMadeWith(master: Secret<Buffer>, mark: string): boolean {
  const { signatures } = createKeys(master)
  return signatures('ticket', 'sallyport key check').some((one) => equalInConstantTime(one, mark))
}
