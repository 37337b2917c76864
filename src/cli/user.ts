import { Command } from 'commander'
import type { Account } from '../accounts/account.ts'
import { checkRegistration } from '../accounts/registration.ts'
import { openVault, type Vault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { createTotp, otpauthUri } from '../factors/totp/totp.ts'
import { newTotpSecret } from '../factors/totp/totp-algorithm.ts'
import { totpQrTerminal } from '../factors/totp/totp-qr.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { Secret } from '../lib/secret.ts'
import { auditFromCli } from './cli-audit.ts'
import { anySettings, type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { findAccount } from './find-account.ts'
import { print, printJson, printTable, say } from './output.ts'
import { readPassword } from './password-input.ts'
import { repeated } from './repeated.ts'
import { storeOptions } from './session.ts'
import { auditAndTell } from './tell-owner.ts'
import { userChangeCommand } from './user-change.ts'
import { userDeleteCommand } from './user-delete.ts'
import { userInviteCommand } from './user-invite.ts'
import { userLinkCommand } from './user-link.ts'
import { hashOf, ONCE, policyOf, refuseFields, userPasswordCommands } from './user-password.ts'
import { userPhoneCommand } from './user-phone.ts'

type TotpOptions = CommonOptions & {
  readonly secret?: string
  readonly replace?: boolean
  readonly json?: boolean
}

type AddOptions = CommonOptions & {
  readonly email?: string
  readonly name?: string
  readonly group?: readonly string[]
  readonly passwordStdin?: boolean
  readonly once?: boolean
}

export function userCommand(context: CliContext): Command {
  const command = new Command('user').description('accounts')
  command.addCommand(
    storeOptions(new Command('add'))
      .description('add an account; its password comes from a prompt or from standard input')
      .argument('<name>')
      .option('--email <address>')
      .option('--name <display name>')
      .option('--group <group>', 'may be given several times', repeated)
      .option('--password-stdin', 'read the password from standard input')
      .option('--once', ONCE)
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
            const event = disabled ? 'account.disabled' : 'account.enabled'
            await auditFromCli(vault, { event, outcome: 'success' }, account)
            print(context.output, `${account.name} is ${disabled ? 'disabled' : 'enabled'}.`)
          }),
        ),
    )
  }
  for (const one of userPasswordCommands(context)) command.addCommand(one)
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
      .description('lift a lock that wrong passwords or wrong codes caused')
      .argument('<name>')
      .action((name: string, options: CommonOptions) =>
        withAccount(context, name, options, async ({ vault, account }) => {
          await vault.store.accounts.setUnlocked(account.id, systemClock.now())
          await vault.store.failureStreaks.clear(account.id)
          await auditFromCli(vault, { event: 'account.unlocked', outcome: 'success' }, account)
          print(context.output, `${account.name} is unlocked.`)
        }),
      ),
  )
  command.addCommand(userChangeCommand(context))
  command.addCommand(userDeleteCommand(context))
  command.addCommand(userInviteCommand(context))
  command.addCommand(userLinkCommand(context))
  command.addCommand(userPhoneCommand(context))
  return command
}

async function add(context: CliContext, name: string, options: AddOptions): Promise<void> {
  const settings = await anySettings(options, context)
  const password = await readPassword(options.passwordStdin === true)
  const checked = await checkRegistration(
    {
      username: name,
      displayName: options.name ?? '',
      email: options.email ?? '',
      groups: options.group ?? [],
      password,
    },
    policyOf(settings, context),
  )
  if (checked.kind === 'refused') refuseFields(checked.problems)
  else {
    await using vault = await openVault(settings)
    const due = options.once === true ? { passwordDue: 'first' as const } : {}
    const account = { ...checked.account, passwordHash: await hashOf(password), ...due }
    const { accounts } = vault.store
    if (!(await accounts.add(account, systemClock.now()))) {
      const why = (await accounts.isNameFree(account.name))
        ? `The address ${account.email} is the name of another account.`
        : `There is an account with the name or the address ${account.name} already.`
      throw new AppError('failed', why)
    }
    await auditFromCli(vault, { event: 'account.created', outcome: 'success' }, account)
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
      passkeys: (await vault.store.passkeys.ofUser(account.id)).length,
      phone: (await vault.store.phones.of(account.id)) !== undefined,
      codes: (await vault.store.recoveryCodes.current(account.id))?.unused.length ?? 0,
    })),
  )
  if (options.json === true) {
    printJson(
      output,
      rows.map(({ account, totp, passkeys, phone, codes }) => ({
        id: account.id,
        name: account.name,
        display_name: account.displayName,
        email: account.email,
        groups: account.groups,
        disabled: account.disabled,
        totp_devices: totp,
        passkeys,
        phone,
        recovery_codes_left: codes,
        created_at: new Date(account.createdAt).toISOString(),
      })),
    )
    return
  }
  if (rows.length === 0) return print(output, 'There is no account yet.')
  printTable(
    output,
    ['NAME', 'DISPLAY NAME', 'E-MAIL', 'GROUPS', 'APPS', 'PASSKEYS', 'PHONE', 'CODES', 'STATE'],
    rows.map(({ account, totp, passkeys, phone, codes }) => [
      account.name,
      account.displayName,
      account.email || '-',
      account.groups.join(',') || '-',
      String(totp),
      String(passkeys),
      phone ? 'yes' : 'no',
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
    const told = { outcome: 'success', detail: 'command line' } as const
    await auditAndTell(vault, settings, { event: 'factor.totp_enrolled', ...told }, account)
    if (options.replace === true) {
      for (const device of await service.devices(account.id)) {
        if (device.id === added.deviceId) continue
        await service.remove(account.id, device.id)
        const gone = { ...told, event: 'factor.totp_removed', detail: device.label } as const
        await auditAndTell(vault, settings, gone, account)
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
  await work({ vault, account: await findAccount(vault, name), settings })
}
