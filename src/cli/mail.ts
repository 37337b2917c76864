import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { mailComposer, smtpSender } from '../compose/mail.ts'
import { closest } from '../config/closest.ts'
import type { MailSettings } from '../config/sections/mail.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { randomToken } from '../lib/random.ts'
import { unreachable } from '../lib/unreachable.ts'
import { mailAddress } from '../notices/mail.ts'
import type { SendOutcome, Unreachable } from '../notices/mail-sender.ts'
import { sampleNotices, sampleRecipient } from '../notices/sample-notices.ts'
import { anySettings, type CliContext, type CommonOptions } from './context.ts'
import { print, say } from './output.ts'
import { storeOptions } from './session.ts'
import { visible } from './visible.ts'

type PreviewOptions = CommonOptions & { readonly out?: string }

export function mailCommand(context: CliContext): Command {
  const command = new Command('mail').description('what people are told by mail, and a test of it')
  command.addCommand(
    storeOptions(new Command('preview'))
      .description('show every mail in every language, or those of one kind')
      .argument('[kind]', 'e.g. new_device')
      .option('--out <dir>', 'write each as a .txt and an .html file there')
      .action((kind: string | undefined, options: PreviewOptions) =>
        preview(context, kind, options),
      ),
  )
  command.addCommand(
    storeOptions(new Command('test'))
      .description('hand one mail over to the configured server, and show what it says')
      .argument('<address>')
      .action((address: string, options: CommonOptions) => test(context, address, options)),
  )
  return command
}

async function preview(
  context: CliContext,
  kind: string | undefined,
  options: PreviewOptions,
): Promise<void> {
  const { output } = context
  const { portal } = await anySettings(options, context)
  const compose = mailComposer({ portal })
  const { notices, origin } = sampleNotices({ home: portal.url, at: systemClock.now() })
  const wanted = notices.filter(
    ({ name, notice }) => kind === undefined || notice.kind === kind || name === kind,
  )
  if (wanted.length === 0) {
    const kinds = [...new Set(notices.map(({ notice }) => notice.kind))]
    const near = closest(kind ?? '', kinds)
    throw new AppError(
      'usage',
      `There is no mail "${kind}".${near === undefined ? '' : ` Did you mean "${near}"?`} There are: ${kinds.join(', ')}`,
    )
  }
  const folder = options.out === undefined ? undefined : resolve(context.cwd, options.out)
  if (folder !== undefined) await mkdir(folder, { recursive: true })
  for (const { name, notice } of wanted) {
    for (const language of ['en', 'fr'] as const) {
      const mail = compose(sampleRecipient(language), notice, origin)
      if (folder === undefined) {
        print(output, `=== ${name} (${language}): ${mail.subject}\n\n${mail.text}`)
        continue
      }
      const file = join(folder, `${name}.${language}`)
      await writeFile(`${file}.txt`, `${mail.subject}\n\n${mail.text}`)
      await writeFile(`${file}.html`, mail.html)
    }
  }
  if (folder !== undefined) say(output, `${wanted.length * 4} files in ${folder}`)
}

async function test(context: CliContext, text: string, options: CommonOptions): Promise<void> {
  const { output } = context
  const to = mailAddress(text)
  if (to === undefined) throw new AppError('usage', `"${visible(text)}" is not an e-mail address.`)
  const settings = await anySettings(options, context)
  const { mail } = settings
  if (mail === undefined) {
    throw new AppError(
      'config_invalid',
      'There is no mail server: add `mail` to the configuration.',
    )
  }
  const now = systemClock.now()
  const recipient = { ...sampleRecipient(''), name: '', displayName: '', email: to }
  const origin = { requestId: '', at: now, address: '', userAgent: '' }
  const composed = mailComposer(settings)(recipient, { kind: 'test' }, origin)
  const where = `${mail.host}:${mail.port}`
  say(output, `Handing a mail for ${to} over to ${where} …`)
  const outcome = await smtpSender(mail).send({
    ...composed,
    to,
    id: `mail_${randomToken(16)}`,
    at: now,
  })
  if (outcome.kind !== 'sent') throw new AppError('failed', failure(outcome, where, mail))
  print(output, `Taken: ${visible(outcome.response)}`)
  say(output, 'Whether it arrives is up to the servers after that one: look into the mailbox.')
}

function failure(
  outcome: Exclude<SendOutcome, { kind: 'sent' }>,
  where: string,
  mail: MailSettings,
): string {
  switch (outcome.kind) {
    case 'refused':
      return `${where} refused this mail for good: ${visible(outcome.response)}`
    case 'put_off':
      return outcome.reason === 'sender'
        ? `${where} does not take mail from ${mail.from.address} (mail.from): ${visible(outcome.response)}`
        : `${where} says to try again later: ${visible(outcome.response)}`
    case 'unreachable':
      return `${where}: ${UNREACHABLE[outcome.reason](mail)} (${visible(outcome.detail)})`
    default:
      return unreachable(outcome)
  }
}

const UNREACHABLE: Readonly<Record<Unreachable, (mail: MailSettings) => string>> = {
  name: () => 'this host name cannot be found. Check mail.smtp and the name servers',
  connect: () => 'nobody takes the connection. Check host, port and firewall',
  tls: ({ tls }) =>
    tls === 'starttls'
      ? 'no trusted TLS. Does it offer STARTTLS, is the certificate for this name, is its authority known (mail.ca)?'
      : 'no trusted TLS. Is it TLS from the start (smtps), is the certificate for this name, is its authority known (mail.ca)?',
  auth: ({ login }) =>
    login === undefined
      ? 'it wants a sign-in. Set mail.user and mail.password'
      : 'it does not accept mail.user with mail.password',
  timeout: ({ timeout }) => `no answer within ${timeout / 1000} s. Check host, port and firewall`,
  protocol: () => 'what answers there does not speak as a mail server does. Check the port',
}
