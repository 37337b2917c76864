import { dirname } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import { loadMasterKey } from '../secrets/master-key.ts'
import { openSqlStore, type SqlStore } from '../store/sql/sql-store.ts'
import { createKeys, type Keys } from '../tokens/keys.ts'

/** Store and keys, as the server and the command line both open them. */
export type Vault = AsyncDisposable & { readonly store: SqlStore; readonly keys: Keys }

/** @throws AppError `store_unavailable`, `store_incompatible`, `keys_unavailable` */
export async function openVault(settings: Pick<Settings, 'store' | 'masterKey'>): Promise<Vault> {
  const store = await openSqlStore({ path: settings.store.path })
  try {
    const master = await loadMasterKey({
      configured: settings.masterKey,
      directory: dirname(settings.store.path),
      mayCreate: (await store.meta.get('key_check')) === undefined,
    })
    const keys = createKeys(master)
    const mark = keys.sign('ticket', 'sallyport key check')
    await store.meta.setIfAbsent('key_check', mark)
    if ((await store.meta.get('key_check')) !== mark) {
      throw new AppError(
        'keys_unavailable',
        `The master key is not the one ${settings.store.path} was made with. ` +
          'Start with that key; without it, second factors cannot be read.',
      )
    }
    return { store, keys, [Symbol.asyncDispose]: () => store.close() }
  } catch (error) {
    await store.close()
    throw error
  }
}
