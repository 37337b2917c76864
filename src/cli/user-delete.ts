import { Command } from 'commander'
import { openVault } from '../compose/vault.ts'
import { AppError } from '../lib/app-error.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { findAccount } from './find-account.ts'
import { print } from './output.ts'
import { storeOptions } from './session.ts'

type Options = CommonOptions & { readonly yes?: boolean }

/** `user delete NAME --yes`: an account with everything that is kept of it but what happened. */
export function userDeleteCommand(context: CliContext): Command {
  return storeOptions(new Command('delete'))
    .description('delete an account with its factors, sessions and tokens; see `user disable`')
    .argument('<name>')
    .option('--yes', 'really; it cannot be undone')
    .action((name: string, options: Options) => remove(context, name, options))
}

async function remove(context: CliContext, name: string, options: Options): Promise<void> {
  await using vault = await openVault(await storeSettings(options, context))
  const account = await findAccount(vault, name)
  if (options.yes !== true) {
    throw new AppError(
      'usage',
      `Nothing was deleted. To delete ${account.name}, its factors, sessions and tokens for good: --yes`,
    )
  }
  if ((await vault.store.administration.remove(account.id, [])) === 'gone') {
    throw new AppError('failed', `${account.name} is gone already.`)
  }
  await auditFromCli(vault, { event: 'account.deleted', outcome: 'success' }, account)
  print(context.output, `${account.name} is deleted.`)
}
