import { Command } from 'commander'
import type { AuditRow } from '../audit/audit-store.ts'
import { openVault } from '../compose/vault.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { parseDuration } from '../lib/duration.ts'
import { foldName } from '../lib/fold.ts'
import { parseReference } from '../lib/reference.ts'
import { refusalInWords } from './audit-words.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { iso } from './iso.ts'
import { print, printJson, printTable } from './output.ts'
import { storeOptions } from './session.ts'
import { visible } from './visible.ts'

type ListOptions = CommonOptions & {
  readonly json?: boolean
  readonly user?: string
  readonly event?: string
  readonly since?: string
  readonly limit: string
}

export function auditCommand(context: CliContext): Command {
  const command = new Command('audit').description('what happened, and why a page was refused')
  command.addCommand(
    storeOptions(new Command('show'))
      .description('explain the reference that a page shows')
      .argument('<reference>', 'as it stands on the page, e.g. 7F3K-2Q9D')
      .option('--json', 'as JSON')
      .action((reference: string, options: CommonOptions & { readonly json?: boolean }) =>
        show(context, reference, options),
      ),
  )
  command.addCommand(
    storeOptions(new Command('list'))
      .description('list events, newest first')
      .option('--user <name>', 'of one account')
      .option('--event <name>', 'of one kind, e.g. auth.password')
      .option('--since <duration>', 'of the last 30m, 12h, 7d …')
      .option('--limit <n>', 'how many at most', '50')
      .option('--json', 'as JSON')
      .action((options: ListOptions) => list(context, options)),
  )
  return command
}

const MOST = 10_000

async function show(
  context: CliContext,
  text: string,
  options: CommonOptions & { readonly json?: boolean },
): Promise<void> {
  const { output } = context
  const requestId = referenceOf(text)
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const rows = await vault.store.audit.find({ requestId, limit: 100 })
  if (rows.length === 0) {
    throw new AppError(
      'failed',
      `Nothing is kept under ${requestId}. Events reach the list within a second; the oldest go ` +
        'when there are very many, and of many refusals of one network some are in the log alone.',
    )
  }
  if (options.json === true) return printJson(output, rows.map(toJson))
  // Oldest first: how it came about.
  for (const row of [...rows].reverse()) {
    print(output, `${iso(row.at)}  ${row.event}  ${row.outcome}`)
    for (const [name, value] of facts(row)) print(output, `  ${name.padEnd(10)} ${visible(value)}`)
    for (const line of refusalInWords(row, settings)) print(output, `  ${line}`)
  }
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const { output } = context
  const limit = Number(options.limit)
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST) {
    throw new AppError('usage', `--limit takes a whole number from 1 to ${MOST}.`)
  }
  const since = options.since === undefined ? undefined : parseDuration(options.since)
  if (options.since !== undefined && since === undefined) {
    throw new AppError(
      'usage',
      `--since ${options.since} is not a duration such as 30m, 12h or 7d.`,
    )
  }
  await using vault = await openVault(await storeSettings(options, context))
  const rows = await vault.store.audit.find({
    limit,
    ...(options.user === undefined ? {} : { userName: foldName(options.user) }),
    ...(options.event === undefined ? {} : { event: options.event }),
    ...(since === undefined ? {} : { since: systemClock.now() - since }),
  })
  if (options.json === true) return printJson(output, rows.map(toJson))
  if (rows.length === 0) return print(output, 'There is no such event.')
  printTable(
    output,
    ['TIME', 'EVENT', 'OUTCOME', 'REASON', 'USER', 'ADDRESS', 'REFERENCE'],
    rows.map((row) => [
      iso(row.at),
      row.event,
      row.outcome,
      row.reason || '-',
      visible(row.userName) || '-',
      row.clientIp || '-',
      row.requestId || '-',
    ]),
  )
}

function referenceOf(text: string): string {
  const reference = parseReference(text)
  if (reference !== undefined) return reference
  throw new AppError('usage', `"${text.slice(0, 40)}" is not a reference such as 7F3K-2Q9D.`)
}

function facts(row: AuditRow): readonly (readonly [string, string])[] {
  const { method = '', host = '', path = '', ...details } = row.details
  const all: readonly (readonly [string, string])[] = [
    ['reason', row.reason],
    ['account', row.userName],
    ['address', row.clientIp],
    ['request', method === '' ? '' : `${method} ${host}${path}`],
    ...Object.entries(details),
    ['session', row.session],
    ['browser', row.userAgent],
  ]
  return all.filter(([, value]) => value !== '')
}

function toJson(row: AuditRow) {
  return {
    at: iso(row.at),
    event: row.event,
    outcome: row.outcome,
    reason: row.reason,
    reference: row.requestId,
    client_ip: row.clientIp,
    user: row.userName,
    user_id: row.userId,
    session: row.session,
    user_agent: row.userAgent,
    ...row.details,
  }
}
