import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { rotateMaster } from '../compose/master-rotation.ts'
import { openVault, type Vault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { readFailure } from '../config/source-file.ts'
import { AppError } from '../lib/app-error.ts'
import { PURPOSES, type Purpose } from '../tokens/purpose.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { iso } from './iso.ts'
import { listKeys } from './key-list.ts'
import { retireKey } from './key-retire.ts'
import { waitForKeys } from './key-wait.ts'
import { print, say } from './output.ts'
import { storeOptions } from './session.ts'
import { visible } from './visible.ts'

type RotateOptions = CommonOptions & {
  readonly all?: boolean
  readonly master?: boolean
  readonly to?: string
  readonly wait?: boolean
}

export function keyCommand(context: CliContext): Command {
  const command = new Command('key').description('keys that things are signed and sealed with')
  command.addCommand(
    storeOptions(new Command('list'))
      .description('list keys: what for, how old, what still needs them')
      .option('--json', 'as JSON')
      .action(async (options: CommonOptions & { readonly json?: boolean }) => {
        const settings = await storeSettings(options, context)
        await using vault = await openVault(settings)
        await listKeys(context, vault, settings, options.json === true)
      }),
  )
  command.addCommand(
    storeOptions(new Command('rotate'))
      .description('make new keys; old ones stay good until they are retired')
      .argument('[purpose...]', PURPOSES.join(', '))
      .option('--all', 'for every purpose')
      .option('--master', 'a new master key, which all others are sealed under')
      .option('--to <file>', 'with --master: where the new one is, or is to be written')
      .option('--wait', 'until they are in use, and stored values are sealed anew')
      .action((purposes: readonly string[], options: RotateOptions) =>
        rotate(context, purposes, options),
      ),
  )
  command.addCommand(
    storeOptions(new Command('retire'))
      .description('delete an old key; what was made with it is good for nothing any more')
      .argument('<id>', 'as listed; or "master": the master key that another has taken over from')
      .option('--yes', 'without it, only say what would stop working')
      .action(async (id: string, options: CommonOptions & { readonly yes?: boolean }) => {
        await using vault = await openVault(await storeSettings(options, context))
        await retireKey(context, vault, id, options.yes === true)
      }),
  )
  return command
}

async function rotate(
  context: CliContext,
  names: readonly string[],
  options: RotateOptions,
): Promise<void> {
  const purposes = options.all === true ? PURPOSES : names.map(purposeOf)
  if (options.to !== undefined && options.master !== true) {
    throw new AppError('usage', '--to goes with --master.')
  }
  if (options.master !== true && purposes.length === 0) {
    throw new AppError('usage', `Say which: ${PURPOSES.join(', ')}, --all, or --master.`)
  }
  if (names.length > 0 && options.all === true) {
    throw new AppError('usage', 'Purposes and --all do not go together: name some, or --all.')
  }
  if (options.master === true && purposes.length > 0) {
    throw new AppError('usage', 'Rotate the master key and the others one after the other.')
  }
  if (options.master === true && options.wait === true) {
    throw new AppError(
      'usage',
      '--wait does not go with --master: no stored value is sealed under the master key itself.',
    )
  }
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  if (options.master === true) {
    const to = options.to === undefined ? undefined : resolve(context.cwd, options.to)
    return await master(context, vault, settings, to)
  }
  const outcome = await vault.keyRotation.rotate(purposes)
  if (outcome.kind === 'master_pending') {
    throw new AppError(
      'failed',
      'The master key is being changed: finish that first, with `key rotate --master` for the ' +
        'key file, or `key retire master` for a configured key.',
    )
  }
  if (outcome.kind === 'full') {
    throw new AppError(
      'failed',
      `There are too many keys for ${outcome.purpose}. Retire old ones first: sallyport key list`,
    )
  }
  for (const { id, purpose, activeFrom } of outcome.keys) {
    await auditFromCli(vault, {
      event: 'key.rotated',
      outcome: 'success',
      detail: `${purpose} ${id}`,
    })
    print(context.output, `${purpose}: ${id}, in use from ${iso(activeFrom)}`)
  }
  if (options.wait === true) await waitForKeys(context, vault, outcome.keys)
}

async function master(
  context: CliContext,
  vault: Vault,
  settings: Settings,
  to: string | undefined,
): Promise<void> {
  const { output } = context
  const outcome = await rotateMaster(vault, settings, to).catch((error) => {
    throw to === undefined ? error : withReason(error, to)
  })
  if (outcome.kind === 'file_needed') {
    throw new AppError(
      'usage',
      'The master key is configured: say where the new one is to be written, with --to FILE.',
    )
  }
  if (outcome.kind === 'same') {
    throw new AppError('failed', `${outcome.file} holds the master key that is in use already.`)
  }
  const detail = `master ${outcome.id}`
  await auditFromCli(vault, { event: 'key.master_rotated', outcome: 'success', detail })
  if (outcome.kind === 'begun') {
    print(output, `The keys open with the new master key ${outcome.id} too, in ${outcome.file}.`)
    say(
      output,
      `Now set master_key to it, e.g. \${file:${outcome.file}}, restart Sallyport, and then run: ` +
        'sallyport key retire master --yes',
    )
    return
  }
  print(
    output,
    outcome.kind === 'finished'
      ? `Finished the change to master key ${outcome.id} that had been broken off.`
      : `The master key is ${outcome.id} now; the old one opens nothing any more.`,
  )
  say(
    output,
    `Back up ${outcome.file} anew. Earlier backups of the database open with the old key only.`,
  )
  if (vault.keyRing.keys().some(({ unmarked }) => unmarked)) {
    say(
      output,
      'Some keys were made of an earlier master key itself, by an earlier version. If that one may ' +
        'be known to somebody, rotate and retire them too: sallyport key rotate --all',
    )
  }
}

/** Why the file cannot be used, where the system has said so. */
function withReason(error: unknown, file: string): unknown {
  const isSaid = error instanceof AppError && error.code === 'keys_unavailable'
  if (!isSaid || error.cause === undefined) return error
  const reason = readFailure(error.cause)
  const words = reason === 'ENOENT' ? `there is no folder ${dirname(file)}` : reason
  const message = `${error.message.replace(/\.$/, '')}: ${words}.`
  return new AppError(error.code, message, { cause: error })
}

function purposeOf(name: string): Purpose {
  const purpose = PURPOSES.find((one) => one === name)
  if (purpose !== undefined) return purpose
  throw new AppError(
    'usage',
    `"${visible(name.slice(0, 40))}" is no purpose. There are: ${PURPOSES.join(', ')}.`,
  )
}
