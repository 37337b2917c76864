import { Command } from 'commander'
import { type Ban, banNetwork, MAX_BANS, MAX_REASON } from '../bans/ban.ts'
import { ownNetwork } from '../bans/own-network.ts'
import { openVault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { DAY, parseDuration } from '../lib/duration.ts'
import { createLog } from '../log.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { iso } from './iso.ts'
import { print, printJson, printTable } from './output.ts'
import { storeOptions } from './session.ts'

type AddOptions = CommonOptions & {
  readonly for: string
  readonly reason?: string
  readonly force?: boolean
}

export function banCommand(context: CliContext): Command {
  const command = new Command('ban').description('keep addresses out for a while')
  command.addCommand(
    storeOptions(new Command('add'))
      .description(
        'keep an address or a network out; a running Sallyport obeys on its next request',
      )
      .argument('<network>', 'address or network: 203.0.113.7, 203.0.113.0/24, 2001:db8::/48')
      .requiredOption('--for <duration>', 'how long, e.g. 90s, 30m, 12h, 7d; at most 3650d')
      .option('--reason <text>', 'for the list')
      .option('--force', 'also where it takes in a trusted proxy or the machine itself')
      .action((network: string, options: AddOptions) => add(context, network, options)),
  )
  command.addCommand(
    storeOptions(new Command('list'))
      .description('list what is kept out')
      .option('--json', 'as JSON')
      .action((options: CommonOptions & { readonly json?: boolean }) => list(context, options)),
  )
  command.addCommand(
    storeOptions(new Command('lift'))
      .description('let it in again')
      .argument('<network>', 'address or network, as it was added or as it is listed')
      .action((network: string, options: CommonOptions) => lift(context, network, options)),
  )
  return command
}

const LONGEST = 3650 * DAY

async function add(context: CliContext, text: string, options: AddOptions): Promise<void> {
  const network = networkOf(text)
  const duration = parseDuration(options.for)
  if (duration === undefined || duration > LONGEST) {
    throw new AppError('usage', `--for ${options.for} is not a duration such as 30m, 12h or 7d.`)
  }
  const reason = options.reason?.trim() ?? ''
  if (reason.length > MAX_REASON || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(reason)) {
    throw new AppError('usage', `--reason takes one line of at most ${MAX_REASON} characters.`)
  }
  const settings = await storeSettings(options, context)
  if (options.force !== true) refuseOwn(network, settings)
  await using vault = await openVault(settings)
  const now = systemClock.now()
  const ban: Ban = { network, reason, createdAt: now, endsAt: now + duration }
  const outcome = await vault.store.bans.add(ban, MAX_BANS)
  if (outcome === 'full') {
    throw new AppError(
      'failed',
      `There are ${MAX_BANS} bans already. Lift some, ban a wider network, or use network.deny.`,
    )
  }
  await auditFromCli(vault, { event: 'ban.added', outcome: 'success', detail: network })
  note(context, 'ban.added', { network, reason, ends_at: iso(ban.endsAt) })
  const again = outcome === 'replaced' ? ' now' : ''
  print(context.output, `${network} is${again} kept out until ${iso(ban.endsAt)}.`)
}

async function list(
  context: CliContext,
  options: CommonOptions & { readonly json?: boolean },
): Promise<void> {
  const { output } = context
  await using vault = await openVault(await storeSettings(options, context))
  const bans = await vault.store.bans.list(systemClock.now(), MAX_BANS)
  if (options.json === true) {
    printJson(
      output,
      bans.map((ban) => ({
        network: ban.network,
        reason: ban.reason,
        created_at: iso(ban.createdAt),
        ends_at: iso(ban.endsAt),
      })),
    )
    return
  }
  if (bans.length === 0) return print(output, 'Nobody is kept out.')
  printTable(
    output,
    ['NETWORK', 'ENDS', 'SINCE', 'REASON'],
    bans.map((ban) => [ban.network, iso(ban.endsAt), iso(ban.createdAt), ban.reason || '-']),
  )
}

async function lift(context: CliContext, text: string, options: CommonOptions): Promise<void> {
  const network = networkOf(text)
  await using vault = await openVault(await storeSettings(options, context))
  if (!(await vault.store.bans.lift(network, systemClock.now()))) {
    throw new AppError('failed', `There is no ban of ${network}. See: sallyport ban list`)
  }
  await auditFromCli(vault, { event: 'ban.lifted', outcome: 'success', detail: network })
  note(context, 'ban.lifted', { network })
  print(context.output, `${network} is let in again.`)
}

function networkOf(text: string): string {
  const network = banNetwork(text)
  if (network !== undefined) return network
  throw new AppError('usage', `"${text.slice(0, 80)}" is neither an address nor a network.`)
}

/** A ban of a proxy, or of the machine itself, may keep everybody out. @throws AppError `failed` */
function refuseOwn(network: string, { trustedProxies }: Pick<Settings, 'trustedProxies'>): void {
  const own = ownNetwork(network, { trustedProxies })
  if (own === undefined) return
  throw new AppError(
    'failed',
    own.whose === 'proxy'
      ? `${network} takes in addresses of trusted_proxies (${own.network}): everybody who comes ` +
          'through them could be kept out. --force bans it all the same.'
      : `${network} takes in this machine (${own.network}). --force bans it all the same.`,
  )
}

/** A line for whoever keeps the log of what was done here. */
function note({ output }: CliContext, event: string, fields: Readonly<Record<string, string>>) {
  createLog({ level: 'info', format: 'auto' }, output.err).info(
    { event, outcome: 'success', ...fields },
    event,
  )
}
