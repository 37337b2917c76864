import { Command } from 'commander'
import { revokeApp } from '../access/revoke-app.ts'
import { openVault } from '../compose/vault.ts'
import { levelOf, parseSessionId } from '../identity/principal.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { describeUserAgent } from '../lib/user-agent.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { exactlyOne } from './exactly-one.ts'
import { findAccount } from './find-account.ts'
import { iso } from './iso.ts'
import { noApp } from './no-app.ts'
import { type Output, print, printJson, printTable, say } from './output.ts'

type Options = CommonOptions & {
  readonly json?: boolean
  readonly user?: string
  readonly all?: boolean
  readonly app?: string
}

export function sessionCommand(context: CliContext): Command {
  const command = new Command('session').description('who is signed in; end sessions')
  command.addCommand(
    storeOptions(new Command('list'))
      .description('list sessions')
      .option('--user <name>', 'of one account')
      .option('--json', 'as JSON')
      .action((options: Options) => list(context, options)),
  )
  command.addCommand(
    storeOptions(new Command('revoke'))
      .description('end sessions; a running Sallyport obeys on its next request')
      .argument('[id]', 'session id, as listed')
      .option('--user <name>', 'every session of one account')
      .option('--all', "everybody's")
      .option(
        '--app <name>',
        'ends no session; everybody proves again who they are before this app opens',
      )
      .action((id: string | undefined, options: Options) => revoke(context, id, options)),
  )
  return command
}

/** Options of every command that works on the store. */
export function storeOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file')
    .option('--data <dir>', 'data folder of the demo or of `protect`, instead of a configuration')
}

/** The same for commands that print links. */
export function linkOptions(command: Command): Command {
  return storeOptions(command).option(
    '--at <url>',
    'with --data: the address people use, if it is not http://localhost:9091',
  )
}

async function list(context: CliContext, options: Options): Promise<void> {
  const { output } = context
  await using vault = await openVault(await storeSettings(options, context))
  const { accounts, sessions } = vault.store
  const names = new Map((await accounts.list()).map((account) => [account.id, account.name]))
  const account = options.user === undefined ? undefined : await findAccount(vault, options.user)
  const now = systemClock.now()
  const alive = (await sessions.list()).filter(
    (session) =>
      now < session.endsAt &&
      now - session.lastSeenAt < session.idle &&
      (account === undefined || session.userId === account.id),
  )
  if (options.json === true) {
    printJson(
      output,
      alive.map((session) => ({
        id: session.id,
        user: names.get(session.userId) ?? '',
        stage: session.stage,
        level: levelOf(session.factors),
        address: session.address,
        user_agent: session.userAgent,
        created_at: iso(session.createdAt),
        last_seen_at: iso(session.lastSeenAt),
        ends_at: iso(session.endsAt),
      })),
    )
    return
  }
  if (alive.length === 0) {
    const nobody = account === undefined ? 'Nobody is' : `${account.name} is not`
    return print(output, `${nobody} signed in.`)
  }
  printTable(
    output,
    ['ID', 'USER', 'LEVEL', 'BROWSER', 'ADDRESS', 'LAST SEEN', 'ENDS'],
    alive.map((session) => {
      const { browser, system } = describeUserAgent(session.userAgent)
      return [
        session.id,
        names.get(session.userId) ?? '?',
        session.stage === 'pending' ? 'pending' : levelOf(session.factors),
        [browser, system].filter(Boolean).join(', ') || '-',
        session.address,
        iso(session.lastSeenAt),
        iso(session.endsAt),
      ]
    }),
  )
}

const REVOKED = { event: 'session.ended', outcome: 'success', reason: 'revoked' } as const

async function revoke(
  context: CliContext,
  idText: string | undefined,
  options: Options,
): Promise<void> {
  const { output } = context
  const { all, user, app } = options
  exactlyOne(
    { 'A session id': idText, '--user': user, '--app': app, '--all': all },
    'Say which: a session id, --user NAME, --app NAME, or --all.',
  )
  const settings = await storeSettings(options, context)
  if (app !== undefined && !settings.apps.some(({ name }) => name === app)) {
    throw noApp(settings, app)
  }
  await using vault = await openVault(settings)
  const { accounts, sessions, apiTokens, appRevocations } = vault.store
  if (app !== undefined) {
    const now = systemClock.now()
    const removed = await revokeApp(
      {
        revocations: { revoke: (name) => appRevocations.revoke(name, now) },
        tokens: { list: apiTokens.list, revoke: apiTokens.remove },
      },
      app,
    )
    await auditFromCli(vault, { event: 'app.revoked', outcome: 'success', detail: app })
    const tokens = removed === 0 ? '' : ` ${removed} tokens made for it alone are revoked.`
    return print(output, `${app} asks everybody again who they are.${tokens}`)
  }
  if (options.all === true) {
    const ended = await sessions.removeAll()
    await auditFromCli(vault, { ...REVOKED, detail: `all, ${ended}` })
    print(output, `Ended ${counted(ended)}.`)
    return sayOfTokens(output, (await apiTokens.list()).length, '--all')
  }
  if (options.user !== undefined) {
    const account = await findAccount(vault, options.user)
    const ended = await sessions.removeOfUser(account.id)
    await auditFromCli(vault, { ...REVOKED, detail: `${ended.length}` }, account)
    print(output, `Ended ${counted(ended.length)} of ${account.name}.`)
    const tokens = (await apiTokens.list()).filter(({ userId }) => userId === account.id)
    return sayOfTokens(output, tokens.length, `--user ${account.name}`)
  }
  const id = parseSessionId(idText ?? '')
  const session = id === undefined ? undefined : await sessions.byId(id)
  if (id === undefined || session === undefined || !(await sessions.remove(id))) {
    throw new AppError('failed', `There is no session ${idText}. See: sallyport session list`)
  }
  await auditFromCli(vault, REVOKED, await accounts.byId(session.userId))
  print(output, `Ended ${id}.`)
}

function counted(sessions: number): string {
  return sessions === 1 ? '1 session' : `${sessions} sessions`
}

/** Whoever ends sessions because something was stolen must know what goes on. */
function sayOfTokens(output: Output, left: number, whose: string): void {
  if (left === 0) return
  const tokens = left === 1 ? '1 token of programs goes on' : `${left} tokens of programs go on`
  say(output, `${tokens}. To revoke them as well: sallyport token revoke ${whose}`)
}
