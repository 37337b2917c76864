import type { SmsResult, SmsSender } from '../../factors/sms/sms-sender.ts'
import { type Milliseconds, SECOND } from '../../lib/duration.ts'
import type { Secret } from '../../lib/secret.ts'
import { callProvider, isAccepted, membersOf, refusal } from './provider-call.ts'

export type TwilioOptions = {
  readonly name: string
  /** Root of its API, e.g. `https://api.twilio.com`. */
  readonly endpoint: string
  /** `AC…` */
  readonly accountSid: string
  /** Who signs in: an API key (`SK…`), or the account itself. */
  readonly user: string
  /** The key's secret, or the account's token. */
  readonly secret: Secret<string>
  /** A messaging service (`MG…`), or a number or a name the account may send from. */
  readonly from: { readonly service: string } | { readonly sender: string }
  readonly timeout: Milliseconds
  /** How long the message may be on its way. */
  readonly validFor: Milliseconds
}

/** Twilio: `POST /2010-04-01/Accounts/{AccountSid}/Messages.json` with Basic authentication. */
export function createTwilioSender(options: TwilioOptions): SmsSender {
  const { endpoint, accountSid, user, secret, from } = options
  const url = `${endpoint}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`
  return {
    name: options.name,
    send: async ({ to, text }): Promise<SmsResult> => {
      const form = new URLSearchParams({
        To: to.reveal(),
        Body: text.reveal(),
        ...('service' in from ? { MessagingServiceSid: from.service } : { From: from.sender }),
        // In seconds.
        ValidityPeriod: String(Math.ceil(options.validFor / SECOND)),
      })
      const credentials = Buffer.from(`${user}:${secret.reveal()}`).toString('base64')
      const answer = await callProvider(
        url,
        {
          method: 'POST',
          headers: {
            Accept: 'application/json',
            Authorization: `Basic ${credentials}`,
            'Content-Type': 'application/x-www-form-urlencoded',
          },
          body: form.toString(),
        },
        options.timeout,
      )
      if (answer.kind === 'unreachable') return answer
      const { code, error_code: errorCode } = membersOf(answer)
      if (!isAccepted(answer)) return refusal(answer, code)
      // A message may be made and have failed at once.
      return typeof errorCode === 'number'
        ? { kind: 'refused', reason: `error ${errorCode}` }
        : { kind: 'sent' }
    },
  }
}
