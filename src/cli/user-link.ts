import { Command } from 'commander'
import { linkUrl } from '../compose/link-url.ts'
import { openVault } from '../compose/vault.ts'
import { durationText } from '../config/values/duration.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { createLinks } from '../login/links.ts'
import { LINK_SESSION_FOR } from '../sessions/sessions.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { findAccount } from './find-account.ts'
import { print, printJson, say } from './output.ts'
import { linkOptions } from './session.ts'

type Options = CommonOptions & { readonly json?: boolean }

/** `user link`: a way in for somebody who has lost everything. */
export function userLinkCommand(context: CliContext): Command {
  return linkOptions(new Command('link'))
    .description('print a link that signs somebody in once who lost password and factors')
    .argument('<name>')
    .option('--json', 'as JSON')
    .action((name: string, options: Options) => link(context, name, options))
}

async function link(context: CliContext, name: string, options: Options): Promise<void> {
  const { output } = context
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const account = await findAccount(vault, name)
  if (account.disabled) {
    throw new AppError(
      'failed',
      `${account.name} is disabled: a link would not let it in. See: sallyport user enable`,
    )
  }
  const { links: lifetimes } = settings.login
  const links = createLinks({ store: vault.store.links, clock: systemClock }, lifetimes)
  const { token, expiresAt } = await links.issue('sign_in', account.id)
  await auditFromCli(vault, { event: 'link.issued', outcome: 'success', link: 'sign_in' }, account)
  const url = linkUrl(settings.portal.url, 'sign_in', token).reveal()
  if (options.json === true) {
    const expires_at = new Date(expiresAt).toISOString()
    return printJson(output, { user: account.name, url, expires_at })
  }
  print(output, url)
  say(
    output,
    `Whoever opens it is ${account.name}, once, within ${durationText(lifetimes.signIn)}; the session lasts ` +
      `${durationText(LINK_SESSION_FOR)} at most. Hand it over in person.`,
  )
}
