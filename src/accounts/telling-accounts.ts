import type { AccountStore } from './account.ts'

/** What only reads; whatever else a store of accounts can do is taken for a change. */
const READS: ReadonlySet<PropertyKey> = new Set([
  'byName',
  'byId',
  'byEmail',
  'isNameFree',
  'list',
  'count',
  'passwordHash',
] satisfies (keyof AccountStore)[])

/**
 * The same store, which says of every change that it may have happened: once it is done, or has
 * failed. So whoever remembers accounts reads them again, without each writer thinking of it.
 */
export function tellingAccounts(store: AccountStore, changed: () => void): AccountStore {
  return new Proxy(store, {
    get: (target, key) => {
      const method: unknown = Reflect.get(target, key)
      if (typeof method !== 'function' || READS.has(key)) return method
      return async (...given: readonly unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(method, target, given)
        } finally {
          changed()
        }
      }
    },
  })
}
