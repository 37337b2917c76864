import { Command } from 'commander'
import { openVault } from '../compose/vault.ts'
import { createPhones } from '../factors/sms/phones.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { findAccount } from './find-account.ts'
import { print, printJson } from './output.ts'
import { storeOptions } from './session.ts'
import { auditAndTell } from './tell-owner.ts'

type PhoneOptions = CommonOptions & { readonly remove?: boolean; readonly json?: boolean }

/** `user phone NAME`: never shows more of a number than its owner is shown. */
export function userPhoneCommand(context: CliContext): Command {
  return storeOptions(new Command('phone'))
    .description('show which number an account gets codes at, all but its end hidden')
    .argument('<name>')
    .option('--remove', 'remove it: for a number that was lost')
    .option('--json', 'as JSON')
    .action((name: string, options: PhoneOptions) => phone(context, name, options))
}

async function phone(context: CliContext, name: string, options: PhoneOptions): Promise<void> {
  const { output } = context
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const account = await findAccount(vault, name)
  const phones = createPhones({ store: vault.store.phones, keys: vault.keys, clock: systemClock })
  if (options.remove === true) {
    if (!(await phones.remove(account.id))) {
      throw new AppError('failed', `${account.name} has no number.`)
    }
    const event = { event: 'factor.phone_removed', outcome: 'success' } as const
    await auditAndTell(vault, settings, event, account)
    return print(output, `${account.name} has no number any more.`)
  }
  const shown = await phones.shown(account.id)
  const verified = shown && new Date(shown.verifiedAt).toISOString()
  if (options.json === true) {
    return printJson(output, {
      user: account.name,
      phone: shown?.masked ?? null,
      verified_at: verified ?? null,
    })
  }
  if (shown === undefined) return print(output, `${account.name} has no number.`)
  print(output, `${shown.masked}, verified on ${verified?.slice(0, 10)}`)
}
