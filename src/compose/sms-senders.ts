import type { SmsProvider } from '../config/sections/sms.ts'
import type { Settings } from '../config/settings.ts'
import { createLogSender } from '../delivery/sms/log-sender.ts'
import { createOvhSender } from '../delivery/sms/ovh.ts'
import { createTwilioSender } from '../delivery/sms/twilio.ts'
import { SMS_CODE_FOR } from '../factors/sms/sms-codes.ts'
import type { SmsSender } from '../factors/sms/sms-sender.ts'
import type { Clock } from '../lib/clock.ts'

type SenderDeps = {
  readonly clock: Clock
  /** Is given what the provider `log` would have sent, in clear. */
  readonly writeDown: (message: { readonly to: string; readonly text: string }) => void
}

/** The configured providers of text messages, in the order they are asked; none: SMS is off. */
export function createSmsSenders(
  deps: SenderDeps,
  settings: Pick<Settings, 'sms'>,
): readonly SmsSender[] {
  return (settings.sms?.providers ?? []).map((provider) => createSender(deps, provider))
}

function createSender(deps: SenderDeps, provider: SmsProvider): SmsSender {
  switch (provider.type) {
    case 'ovh':
      return createOvhSender(deps, { ...provider, validFor: SMS_CODE_FOR })
    case 'twilio':
      return createTwilioSender({ ...provider, validFor: SMS_CODE_FOR })
    case 'log':
      return createLogSender(provider, deps.writeDown)
  }
}
