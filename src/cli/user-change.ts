import { Command } from 'commander'
import { parseDisplayName, parseEmail, parseGroupName } from '../accounts/account-name.ts'
import { openVault } from '../compose/vault.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { findAccount } from './find-account.ts'
import { print } from './output.ts'
import { repeated } from './repeated.ts'
import { storeOptions } from './session.ts'
import { visible } from './visible.ts'

type Options = CommonOptions & {
  readonly email?: string
  readonly name?: string
  readonly addGroup?: readonly string[]
  readonly removeGroup?: readonly string[]
}

/** `user change`: what an account is known as and by. Rules see it on the next request. */
export function userChangeCommand(context: CliContext): Command {
  return storeOptions(new Command('change'))
    .description('change the address, the display name or the groups of an account')
    .argument('<name>')
    .option('--email <address>', 'an empty one removes it')
    .option('--name <display name>')
    .option('--add-group <group>', 'may be given several times', repeated)
    .option('--remove-group <group>', 'may be given several times', repeated)
    .action((name: string, options: Options) => change(context, name, options))
}

async function change(context: CliContext, name: string, options: Options): Promise<void> {
  const email = options.email === '' ? '' : read('--email', options.email, parseEmail)
  const displayName = read('--name', options.name, parseDisplayName)
  const added = (options.addGroup ?? []).flatMap(
    (group) => read('--add-group', group, parseGroupName) ?? [],
  )
  const removed = (options.removeGroup ?? []).flatMap(
    (group) => read('--remove-group', group, parseGroupName) ?? [],
  )
  const changed = [
    ...(email === undefined ? [] : ['email']),
    ...(displayName === undefined ? [] : ['name']),
    ...added.map((group) => `+${group}`),
    ...removed.map((group) => `-${group}`),
  ]
  if (changed.length === 0) {
    throw new AppError('usage', 'Say what: --email, --name, --add-group or --remove-group.')
  }
  await using vault = await openVault(await storeSettings(options, context))
  const account = await findAccount(vault, name)
  const missing = removed.find((group) => !account.groups.includes(group))
  if (missing !== undefined) {
    throw new AppError(
      'failed',
      `${account.name} is not in the group ${missing}. Nothing was changed.`,
    )
  }
  const kept = account.groups.filter((group) => !removed.some((one) => one === group))
  const outcome = await vault.store.accounts.change(
    account.id,
    {
      ...(email === undefined ? {} : { email }),
      ...(displayName === undefined ? {} : { displayName }),
      groups: [...kept, ...added],
    },
    systemClock.now(),
  )
  if (outcome === 'address_taken') {
    throw new AppError(
      'failed',
      `The address ${email} is the name of another account. Nothing was changed.`,
    )
  }
  const detail = changed.join(' ')
  await auditFromCli(vault, { event: 'account.changed', outcome: 'success', detail }, account)
  print(context.output, `${account.name} is changed: ${visible(detail)}`)
}

/** The option's value as it is kept. @throws AppError `usage` when it is none */
function read<T>(
  option: string,
  text: string | undefined,
  parse: (
    text: string,
  ) => { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'refused' },
): T | undefined {
  if (text === undefined) return undefined
  const parsed = parse(text)
  if (parsed.kind === 'ok') return parsed.value
  throw new AppError('usage', `${option} ${visible(text.slice(0, 80))} cannot be used.`)
}
