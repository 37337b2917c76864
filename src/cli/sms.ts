import { Command } from 'commander'
import { createSmsSenders } from '../compose/sms-senders.ts'
import { readPhoneNumber } from '../factors/sms/phone-number.ts'
import { createSmsDispatch } from '../factors/sms/sms-dispatch.ts'
import type { SmsResult } from '../factors/sms/sms-sender.ts'
import { gsmText } from '../factors/sms/sms-text.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { Secret } from '../lib/secret.ts'
import { anySettings, type CliContext, type CommonOptions } from './context.ts'
import { print } from './output.ts'

export function smsCommand(context: CliContext): Command {
  const command = new Command('sms').description('text messages')
  command.addCommand(
    new Command('test')
      .description('send a text message by the configured providers, in their order')
      .argument('<number>', 'e.g. +33612345678')
      .option('--config <file>', 'the configuration file')
      .action((number: string, options: CommonOptions) => test(context, number, options)),
  )
  return command
}

async function test(context: CliContext, text: string, options: CommonOptions): Promise<void> {
  const { output } = context
  const settings = await anySettings(options, context)
  const senders = createSmsSenders(
    {
      clock: systemClock,
      writeDown: (message) => print(output, `to ${message.to}: ${message.text}`),
    },
    settings,
  )
  if (senders.length === 0) {
    throw new AppError(
      'config_invalid',
      'No provider is configured: add `sms` to the configuration file.',
    )
  }
  const read = await readPhoneNumber(text, settings.sms?.country)
  if (read.kind !== 'ok') throw new AppError('usage', NUMBER_PROBLEMS[read.kind])
  const outcome = await createSmsDispatch(senders)(
    { to: read.number, text: new Secret(gsmText(`${settings.portal.name}: test.`)) },
    (provider, result) => print(output, `${provider}: ${inWords(result)}`),
  )
  if (outcome.kind !== 'sent') throw new AppError('failed', 'No provider took the message.')
}

const NUMBER_PROBLEMS = {
  empty: 'The number is empty.',
  invalid: 'This is no telephone number. Write it with its country code, e.g. +33612345678.',
  not_mobile: 'This number cannot get text messages.',
} as const

function inWords(result: SmsResult): string {
  switch (result.kind) {
    case 'sent':
      return 'took the message'
    case 'refused':
      return `refused it (${result.reason})`
    case 'unreachable':
      return `gave no answer that counts (${result.reason})`
  }
}
