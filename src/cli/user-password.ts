import { Command } from 'commander'
import type { RegistrationProblem } from '../accounts/registration.ts'
import { createPasswordRules } from '../compose/passwords.ts'
import { openVault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { createKdf } from '../factors/kdf.ts'
import { createPasswordHasher } from '../factors/password.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import type { Secret } from '../lib/secret.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { findAccount } from './find-account.ts'
import { print, say } from './output.ts'
import { readPassword } from './password-input.ts'
import { storeOptions } from './session.ts'
import { auditAndTell } from './tell-owner.ts'

type SetOptions = CommonOptions & { readonly passwordStdin?: boolean; readonly once?: boolean }

/** What the option `--once` of commands that set a password says. */
export const ONCE = 'it must be changed at the next sign-in'

/** `user set-password` and `user require-password-change`. */
export function userPasswordCommands(context: CliContext): readonly Command[] {
  return [
    storeOptions(new Command('set-password'))
      .description('set a new password; every session of the account ends')
      .argument('<name>')
      .option('--password-stdin', 'read the password from standard input')
      .option('--once', ONCE)
      .action((name: string, options: SetOptions) => setPassword(context, name, options)),
    storeOptions(new Command('require-password-change'))
      .description('have the password changed before anything else is opened')
      .argument('<name>')
      .action((name: string, options: CommonOptions) => requireChange(context, name, options)),
  ]
}

async function setPassword(context: CliContext, name: string, options: SetOptions): Promise<void> {
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const account = await findAccount(vault, name)
  const password = await readPassword(options.passwordStdin === true)
  const owner = { ...account, accountName: account.name }
  const checked = await policyOf(settings, context).check(password, owner)
  if (checked.kind === 'refused') {
    const { kind: _, ...refusal } = checked
    refuseFields([{ field: 'password', ...refusal }])
  }
  const hash = await hashOf(password)
  const due = options.once === true ? { due: 'first' as const } : {}
  await vault.store.accounts.setPasswordHash(account.id, hash, systemClock.now(), due)
  const event = { event: 'password.changed', outcome: 'success', detail: 'operator' } as const
  await auditAndTell(vault, settings, event, account)
  print(context.output, `${account.name} has a new password; its sessions have ended.`)
}

async function requireChange(
  context: CliContext,
  name: string,
  options: CommonOptions,
): Promise<void> {
  await using vault = await openVault(await storeSettings(options, context))
  const account = await findAccount(vault, name)
  await vault.store.accounts.setPasswordDue(account.id, 'operator', systemClock.now())
  const detail = 'operator'
  await auditFromCli(
    vault,
    { event: 'password.change_required', outcome: 'success', detail },
    account,
  )
  print(context.output, `${account.name} must change the password before anything else.`)
}

/** The rules of the configuration, as the pages apply them. */
export function policyOf(settings: Settings, { output }: Pick<CliContext, 'output'>) {
  const unreachable = () => say(output, 'Whether the password leaked could not be looked up.')
  return createPasswordRules(settings, unreachable).policy
}

/** @throws AppError `busy` */
export async function hashOf(password: Secret<string>): Promise<string> {
  const hashed = await createPasswordHasher({ kdf: createKdf() }).hash(password)
  if (hashed.kind === 'busy') throw new AppError('busy', 'The password could not be hashed now.')
  return hashed.phc
}

/** @throws AppError `usage` with every problem, a line each */
export function refuseFields(problems: readonly RegistrationProblem[]): never {
  const lines = problems.map((one) => {
    const detail = one.problem === 'contains_name' ? NAMES[one.what] : PROBLEMS[one.problem]
    const text =
      one.problem === 'too_short' ? `${detail}: at least ${one.detail} characters` : detail
    return `${FIELDS[one.field]} ${text}.`
  })
  throw new AppError('usage', lines.join('\n  '))
}

const FIELDS: Readonly<Record<RegistrationProblem['field'], string>> = {
  username: 'The name',
  display_name: 'The display name',
  email: 'The e-mail address',
  groups: 'A group',
  password: 'The password',
}

const PROBLEMS = {
  empty: 'is empty',
  invalid: 'holds characters it may not hold',
  too_long: 'is too long',
  too_short: 'is too short',
  too_common: 'is one of those tried first; choose another',
  too_simple: 'is not varied enough for the preset in login.password',
  leaked: 'is known from a data leak; choose another',
  unchecked: 'could not be looked up among leaked ones, which login.password.leaked insists on',
} as const satisfies Readonly<
  Record<Exclude<RegistrationProblem['problem'], 'contains_name'>, string>
>

const NAMES = {
  username: 'contains the name of the account',
  email: 'contains the e-mail address',
  display_name: 'is little more than the display name',
  service: 'is little more than the name of this service',
  app: 'is little more than the name of an app',
} as const satisfies Readonly<
  Record<Extract<RegistrationProblem, { problem: 'contains_name' }>['what'], string>
>
