import { Command } from 'commander'
import {
  type Parsed,
  parseAccountName,
  parseEmail,
  parseGroupName,
} from '../accounts/account-name.ts'
import { newUserId } from '../accounts/user-id.ts'
import { linkUrl } from '../compose/link-url.ts'
import { createMailService } from '../compose/mail.ts'
import { openVault, type Vault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { durationText } from '../config/values/duration.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { foldName } from '../lib/fold.ts'
import { createLinks } from '../login/links.ts'
import type { Notice } from '../notices/notice.ts'
import { auditFromCli } from './cli-audit.ts'
import { anySettings, type CliContext, type CommonOptions } from './context.ts'
import { print, printJson, say } from './output.ts'
import { repeated } from './repeated.ts'
import { linkOptions } from './session.ts'

type Options = CommonOptions & {
  readonly name?: string
  readonly group?: readonly string[]
  readonly print?: boolean
  readonly json?: boolean
}

/** `user invite`: an account that its owner makes. */
export function userInviteCommand(context: CliContext): Command {
  return linkOptions(new Command('invite'))
    .description('invite somebody to make an account of their own, by a link that works once')
    .argument('<email>')
    .option('--name <account name>', 'the name the account gets; unless told, they choose one')
    .option('--group <group>', 'may be given several times', repeated)
    .option('--print', 'print the link, even where mail could be sent')
    .option('--json', 'as JSON')
    .action((email: string, options: Options) => invite(context, email, options))
}

async function invite(context: CliContext, address: string, options: Options): Promise<void> {
  const { output } = context
  const email = read(parseEmail(address), `${address} is no e-mail address.`)
  const name =
    options.name === undefined
      ? ''
      : read(parseAccountName(options.name), `${options.name} is no account name.`)
  const groups = (options.group ?? []).map((group) =>
    read(parseGroupName(group), `${group} is no group name.`),
  )
  const settings = await anySettings(options, context)
  await using vault = await openVault(settings)
  const { accounts } = vault.store
  if (name !== '' && !(await accounts.isNameFree(name))) {
    throw new AppError(
      'failed',
      `There is an account with the name or the address ${name} already.`,
    )
  }
  if ((await accounts.byName(foldName(email))) !== undefined) {
    throw new AppError('failed', `The address ${email} is the name of another account.`)
  }
  const same = await accounts.byEmail(email)
  if (same !== undefined) say(output, `${same.name} has this address already.`)
  const { links: lifetimes } = settings.login
  const links = createLinks({ store: vault.store.links, clock: systemClock }, lifetimes)
  const { token, expiresAt } = await links.invite({
    email,
    name,
    groups: [...new Set(groups)].sort(),
  })
  await auditFromCli(vault, { event: 'link.issued', outcome: 'success', link: 'invitation' })
  const url = linkUrl(settings.portal.url, 'invitation', token)
  if (settings.mail !== undefined && options.print !== true && options.json !== true) {
    await mailTo(vault, settings, email, { kind: 'invitation', url, expiresAt, from: '' })
    return print(output, `Invited ${email}: the mail waits for the running Sallyport to send it.`)
  }
  if (options.json === true) {
    const expires_at = new Date(expiresAt).toISOString()
    return printJson(output, { email, url: url.reveal(), expires_at })
  }
  print(output, url.reveal())
  say(
    output,
    `Whoever opens it can make one account, within ${durationText(lifetimes.invitation)}. ` +
      `Send it to ${email}; an earlier invitation to that address no longer works.`,
  )
}

/**
 * Writes the mail down, for the server to send.
 * @throws AppError `failed` when too many wait
 */
async function mailTo(
  vault: Vault,
  settings: Settings,
  email: string,
  notice: Notice,
): Promise<void> {
  let kept = true
  const log = {
    info: () => {},
    warn: () => {
      kept = false
    },
  }
  const mail = createMailService({ ...vault, clock: systemClock, log }, settings)
  const invited = { id: newUserId(), name: '', displayName: '', email, language: '' } as const
  const origin = { requestId: '', at: systemClock.now(), address: '', userAgent: '' }
  mail.notify(invited, notice, origin)
  await mail.settled()
  await mail.stop()
  if (kept) return
  throw new AppError('failed', 'Too many mails wait to be sent. Use --print and send it yourself.')
}

/** @throws AppError `usage` */
function read<T>(parsed: Parsed<T>, message: string): T {
  if (parsed.kind === 'ok') return parsed.value
  throw new AppError('usage', message)
}
