import { Command } from 'commander'
import type { Account } from '../accounts/account.ts'
import { parseAccountName } from '../accounts/account-name.ts'
import { checkPassword } from '../accounts/password-policy.ts'
import { checkRegistration, type RegistrationProblem } from '../accounts/registration.ts'
import { openVault, type Vault } from '../app.ts'
import type { Settings } from '../config/settings.ts'
import { createKdf } from '../factors/kdf.ts'
import { createPasswordHasher } from '../factors/password.ts'
import { createTotp, otpauthUri } from '../factors/totp.ts'
import { newTotpSecret } from '../factors/totp-algorithm.ts'
import { totpQrTerminal } from '../factors/totp-qr.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { foldName } from '../lib/fold.ts'
import { Secret } from '../lib/secret.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { print, printJson, printTable, say } from './output.ts'
import { readPassword } from './password-input.ts'
import { storeOptions } from './session.ts'

type TotpOptions = CommonOptions & {
  readonly secret?: string
  readonly replace?: boolean
  readonly json?: boolean
}

type AddOptions = CommonOptions & {
  readonly email?: string
  readonly name?: string
  readonly group: readonly string[]
  readonly passwordStdin?: boolean
}

export function userCommand(context: CliContext): Command {
  const command = new Command('user').description('accounts')
  command.addCommand(
    storeOptions(new Command('add'))
      .description('add an account; its password comes from a prompt or from standard input')
      .argument('<name>')
      .option('--email <address>')
      .option('--name <display name>')
      .option('--group <group>', 'may be given several times', collect, [])
      .option('--password-stdin', 'read the password from standard input')
      .action((name: string, options: AddOptions) => add(context, name, options)),
  )
  command.addCommand(
    storeOptions(new Command('list'))
      .description('list accounts')
      .option('--json', 'as JSON')
      .action((options: CommonOptions & { json?: boolean }) => list(context, options)),
  )
  for (const disabled of [true, false]) {
    command.addCommand(
      storeOptions(new Command(disabled ? 'disable' : 'enable'))
        .description(disabled ? 'keep an account out; its sessions end' : 'let it in again')
        .argument('<name>')
        .action((name: string, options: CommonOptions) =>
          withAccount(context, name, options, async ({ vault, account }) => {
            await vault.store.accounts.setDisabled(account.id, disabled, systemClock.now())
            print(context.output, `${account.name} is ${disabled ? 'disabled' : 'enabled'}.`)
          }),
        ),
    )
  }
  command.addCommand(
    storeOptions(new Command('set-password'))
      .description('set a new password; every session of the account ends')
      .argument('<name>')
      .option('--password-stdin', 'read the password from standard input')
      .action((name: string, options: CommonOptions & { passwordStdin?: boolean }) =>
        withAccount(context, name, options, async ({ vault, account, settings }) => {
          const password = await readPassword(options.passwordStdin === true)
          const minLength = settings.login.password.minLength
          const checked = checkPassword(password, { minLength, accountName: account.name })
          if (checked.kind === 'refused') {
            refuse([{ field: 'password', problem: checked.problem, detail: minLength }])
          }
          const hash = await hashOf(password)
          await vault.store.accounts.setPasswordHash(account.id, hash, systemClock.now())
          print(context.output, `${account.name} has a new password; its sessions have ended.`)
        }),
      ),
  )
  command.addCommand(
    storeOptions(new Command('totp'))
      .description('set up an authenticator app for an account; prints the key and a QR code')
      .argument('<name>')
      .option('--secret <base32>', 'a key that exists already, instead of a new one')
      .option('--replace', 'remove the apps set up before: for a phone that was lost')
      .option('--json', 'as JSON')
      .action((name: string, options: TotpOptions) => totp(context, name, options)),
  )
  command.addCommand(
    storeOptions(new Command('unlock'))
      .description('lift a lock that wrong passwords caused')
      .argument('<name>')
      .action((name: string, options: CommonOptions) =>
        withAccount(context, name, options, async ({ vault, account }) => {
          await vault.store.accounts.setUnlocked(account.id, systemClock.now())
          print(context.output, `${account.name} is unlocked.`)
        }),
      ),
  )
  return command
}

async function add(context: CliContext, name: string, options: AddOptions): Promise<void> {
  const settings = await storeSettings(options, context)
  const password = await readPassword(options.passwordStdin === true)
  const checked = checkRegistration(
    {
      username: name,
      displayName: options.name ?? '',
      email: options.email ?? '',
      groups: options.group,
      password,
    },
    { minLength: settings.login.password.minLength },
  )
  if (checked.kind === 'refused') refuse(checked.problems)
  else {
    await using vault = await openVault(settings)
    const account = { ...checked.account, passwordHash: await hashOf(password) }
    if (!(await vault.store.accounts.add(account, systemClock.now()))) {
      throw new AppError('failed', `There is an account ${account.name} already.`)
    }
    print(context.output, `Added ${account.name}.`)
  }
}

async function list(
  context: CliContext,
  options: CommonOptions & { readonly json?: boolean },
): Promise<void> {
  const { output } = context
  await using vault = await openVault(await storeSettings(options, context))
  const accounts = await vault.store.accounts.list()
  const rows = await Promise.all(
    accounts.map(async (account) => ({
      account,
      totp: (await vault.store.totp.devices(account.id)).length,
      codes: (await vault.store.recoveryCodes.current(account.id))?.unused.length ?? 0,
    })),
  )
  if (options.json === true) {
    printJson(
      output,
      rows.map(({ account, totp, codes }) => ({
        id: account.id,
        name: account.name,
        display_name: account.displayName,
        email: account.email,
        groups: account.groups,
        disabled: account.disabled,
        totp_devices: totp,
        recovery_codes_left: codes,
        created_at: new Date(account.createdAt).toISOString(),
      })),
    )
    return
  }
  if (rows.length === 0) return print(output, 'There is no account yet.')
  printTable(
    output,
    ['NAME', 'DISPLAY NAME', 'E-MAIL', 'GROUPS', 'TOTP', 'CODES', 'STATE'],
    rows.map(({ account, totp, codes }) => [
      account.name,
      account.displayName,
      account.email || '-',
      account.groups.join(',') || '-',
      totp === 0 ? 'no' : 'yes',
      String(codes),
      account.disabled ? 'disabled' : 'active',
    ]),
  )
}

async function totp(context: CliContext, name: string, options: TotpOptions): Promise<void> {
  const { output } = context
  await withAccount(context, name, options, async ({ vault, account, settings }) => {
    const service = createTotp({ store: vault.store.totp, keys: vault.keys, clock: systemClock })
    const base32 =
      options.secret === undefined
        ? newTotpSecret().reveal()
        : options.secret.replace(/[\s=-]/g, '').toUpperCase()
    const added = await service.addSecret(account.id, base32, 'command line')
    if (added.kind === 'refused') {
      throw new AppError(
        'usage',
        'The key is no base 32 text of at least 16 characters (A-Z and 2-7).',
      )
    }
    if (options.replace === true) {
      for (const device of await service.devices(account.id)) {
        if (device.id !== added.deviceId) await service.remove(account.id, device.id)
      }
    }
    const uri = otpauthUri({
      issuer: settings.portal.name,
      account: account.name,
      secret: new Secret(base32),
    })
    if (options.json === true) return printJson(output, { user: account.name, otpauth: uri })
    print(output, uri)
    say(output, `\n${totpQrTerminal(uri)}`)
    say(output, `Scan it with ${account.name}'s authenticator app. It is not shown again.`)
  })
}

type Found = { readonly vault: Vault; readonly account: Account; readonly settings: Settings }

async function withAccount(
  context: CliContext,
  name: string,
  options: CommonOptions,
  work: (found: Found) => Promise<void>,
): Promise<void> {
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const parsed = parseAccountName(name)
  const account = parsed.kind === 'ok' ? await vault.store.accounts.byName(parsed.value) : undefined
  if (account === undefined) {
    throw new AppError('failed', `There is no account ${foldName(name)}. See: sallyport user list`)
  }
  await work({ vault, account, settings })
}

async function hashOf(password: Secret<string>): Promise<string> {
  const hashed = await createPasswordHasher({ kdf: createKdf() }).hash(password)
  if (hashed.kind === 'busy') throw new AppError('busy', 'The password could not be hashed now.')
  return hashed.phc
}

const FIELDS: Readonly<Record<RegistrationProblem['field'], string>> = {
  username: 'The name',
  display_name: 'The display name',
  email: 'The e-mail address',
  groups: 'A group',
  password: 'The password',
}

const PROBLEMS: Readonly<Record<RegistrationProblem['problem'], (detail?: number) => string>> = {
  empty: () => 'is empty',
  invalid: () => 'holds characters it may not hold',
  too_long: () => 'is too long',
  too_short: (detail) => `is too short: at least ${detail} characters`,
  too_common: () => 'is one of those tried first; choose another',
  contains_name: () => 'contains the name of the account',
}

/** @throws AppError `usage` with every problem, a line each */
function refuse(problems: readonly RegistrationProblem[]): never {
  const lines = problems.map(
    ({ field, problem, detail }) => `${FIELDS[field]} ${PROBLEMS[problem](detail)}.`,
  )
  throw new AppError('usage', lines.join('\n  '))
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}
