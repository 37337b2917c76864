import { Command } from 'commander'
import { openVault, type Vault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { MAX_LOGIN_PASSWORD, MAX_LOGIN_USER } from '../tokens/upstream-login.ts'
import { createUpstreamLogins, type UpstreamLogins } from '../tokens/upstream-logins.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { findAccount } from './find-account.ts'
import { noApp } from './no-app.ts'
import { print, printJson, printTable } from './output.ts'
import { readPassword } from './password-input.ts'
import { storeOptions } from './session.ts'
import { visible } from './visible.ts'

type SetOptions = CommonOptions & { readonly passwordStdin?: boolean; readonly as?: string }
type ListOptions = CommonOptions & { readonly json?: boolean; readonly user?: string }

/** `upstream-login`: what people are signed in with at apps that have a login of their own. */
export function upstreamLoginCommand(context: CliContext): Command {
  const command = new Command('upstream-login').description(
    'logins at apps that have one of their own (upstream_login: basic)',
  )
  command.addCommand(
    storeOptions(new Command('set'))
      .description('keep the login by which an app knows somebody, instead of an earlier one')
      .argument('<app>', 'name of the app in the configuration')
      .argument('<name>', 'account')
      .option('--as <login>', 'their name at the app; the account name unless told')
      .option('--password-stdin', 'read the password from standard input')
      .action((app: string, name: string, options: SetOptions) => set(context, app, name, options)),
  )
  command.addCommand(
    storeOptions(new Command('remove'))
      .description('forget it')
      .argument('<app>')
      .argument('<name>')
      .action((app: string, name: string, options: CommonOptions) =>
        remove(context, app, name, options),
      ),
  )
  command.addCommand(
    storeOptions(new Command('list'))
      .description('list them, never their passwords')
      .option('--user <name>', 'of one account')
      .option('--json', 'as JSON')
      .action((options: ListOptions) => list(context, options)),
  )
  return command
}

async function set(
  context: CliContext,
  appName: string,
  name: string,
  options: SetOptions,
): Promise<void> {
  const settings = await storeSettings(options, context)
  const app = configuredName(settings, appName)
  await using vault = await openVault(settings)
  const account = await findAccount(vault, name)
  const password = await readPassword(options.passwordStdin === true)
  const login = { user: options.as ?? account.name, password }
  const result = await loginsOf(vault).set(app, account.id, login)
  if (result.kind === 'refused') throw new AppError('usage', FAULTS[result.fault])
  const event = { event: 'upstream_login.set', outcome: 'success', detail: app } as const
  await auditFromCli(vault, event, account)
  print(context.output, `${account.name} is signed in at ${app} as ${visible(login.user)}.`)
}

const FAULTS = {
  user: `The name at the app is empty, has a colon or a control character, or is longer than ${MAX_LOGIN_USER} characters.`,
  password: `The password is empty, has a control character, or is longer than ${MAX_LOGIN_PASSWORD} characters.`,
} as const

/** @throws AppError `failed` for an app that is not there, or is not signed in to like this */
function configuredName(settings: Settings, name: string): string {
  const app = settings.apps.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (app === undefined) throw noApp(settings, name)
  if (app.upstreamLogin?.kind === 'personal') return app.name
  throw new AppError('failed', `${app.name} has no "upstream_login: basic" in the configuration.`)
}

async function remove(
  context: CliContext,
  appName: string,
  name: string,
  options: CommonOptions,
): Promise<void> {
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const account = await findAccount(vault, name)
  const logins = loginsOf(vault)
  // As it is kept: the app may be in the configuration no more.
  const isNamed = (app: string) => app.toLowerCase() === appName.toLowerCase()
  const ofApp = (await logins.list()).filter(({ app }) => isNamed(app))
  if (ofApp.length === 0 && !settings.apps.some(({ name }) => isNamed(name))) {
    throw noApp(settings, appName)
  }
  const kept = ofApp.find(({ userId }) => userId === account.id)
  if (kept === undefined || !(await logins.remove(kept.app, account.id))) {
    throw new AppError('failed', `${account.name} has no login at ${visible(appName)}.`)
  }
  const event = { event: 'upstream_login.removed', outcome: 'success', detail: kept.app } as const
  await auditFromCli(vault, event, account)
  print(context.output, `${account.name} has no login at ${kept.app} any more.`)
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const { output } = context
  await using vault = await openVault(await storeSettings(options, context))
  const account = options.user === undefined ? undefined : await findAccount(vault, options.user)
  const names = new Map((await vault.store.accounts.list()).map(({ id, name }) => [id, name]))
  const rows = (await loginsOf(vault).list(account?.id)).map((login) => ({
    app: login.app,
    user: names.get(login.userId) ?? login.userId,
    login: login.user,
    updated_at: new Date(login.updatedAt).toISOString(),
  }))
  if (options.json === true) return printJson(output, rows)
  if (rows.length === 0) return print(output, 'No login is kept.')
  printTable(
    output,
    ['APP', 'ACCOUNT', 'LOGIN', 'SINCE'],
    rows.map((row) => [row.app, row.user, visible(row.login), row.updated_at.slice(0, 10)]),
  )
}

function loginsOf(vault: Vault): UpstreamLogins {
  return createUpstreamLogins({
    store: vault.store.upstreamLogins,
    keys: vault.keys,
    clock: systemClock,
  })
}
