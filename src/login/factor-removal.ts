import type { Account } from '../accounts/account.ts'
import type { FactorRemovalStore, RemovableFactor, Removal } from '../factors/factor-removal.ts'
import type { Duty } from './duty.ts'

/** Removes a second factor of an account, unless it needs what would be gone. */
export type RemoveFactor = (account: Account, factor: RemovableFactor) => Promise<Removal>

/**
 * @param options.phoneCounts whether a number is a second factor, because codes can be sent
 * @throws AppError `store_unavailable`: then nothing was removed
 */
export function createRemoveFactor(
  deps: { readonly duty: Pick<Duty, 'mustStay'>; readonly store: FactorRemovalStore },
  options: { readonly phoneCounts: boolean },
): RemoveFactor {
  return (account, factor) =>
    deps.store.remove(account.id, factor, {
      ...deps.duty.mustStay(account, factor.kind),
      phoneCounts: options.phoneCounts,
    })
}
