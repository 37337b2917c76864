import type { Account } from '../accounts/account.ts'
import { parseAccountName } from '../accounts/account-name.ts'
import type { Vault } from '../compose/vault.ts'
import { AppError } from '../lib/app-error.ts'
import { foldName } from '../lib/fold.ts'

/** The account an operator names, in any spelling. @throws AppError `failed` when there is none */
export async function findAccount(vault: Pick<Vault, 'store'>, name: string): Promise<Account> {
  const parsed = parseAccountName(name)
  const account = parsed.kind === 'ok' ? await vault.store.accounts.byName(parsed.value) : undefined
  if (account !== undefined) return account
  throw new AppError('failed', `There is no account ${foldName(name)}. See: sallyport user list`)
}
