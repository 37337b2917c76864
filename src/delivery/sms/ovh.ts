import { createHash } from 'node:crypto'
import type { SmsResult, SmsSender } from '../../factors/sms/sms-sender.ts'
import type { Clock } from '../../lib/clock.ts'
import { HOUR, type Milliseconds, SECOND } from '../../lib/duration.ts'
import type { Secret } from '../../lib/secret.ts'
import { callProvider, isAccepted, membersOf, type NoAnswer, refusal } from './provider-call.ts'

export type OvhOptions = {
  readonly name: string
  /** Root of its API, e.g. `https://eu.api.ovh.com/1.0`. */
  readonly endpoint: string
  /** The SMS account, e.g. `sms-ab12345-1`. */
  readonly service: string
  readonly applicationKey: string
  readonly applicationSecret: Secret<string>
  readonly consumerKey: Secret<string>
  /** A sender that the account may use; absent: a number of the provider's. */
  readonly sender?: string
  readonly timeout: Milliseconds
  /** How long the message may be on its way. */
  readonly validFor: Milliseconds
}

/** How long the difference between the provider's clock and ours is believed. */
const TIME_FOR: Milliseconds = HOUR

/**
 * OVHcloud: `POST /sms/{serviceName}/jobs`, signed with the application's secret and the
 * provider's own time ("First steps with the OVHcloud APIs").
 */
export function createOvhSender(deps: { readonly clock: Clock }, options: OvhOptions): SmsSender {
  const { clock } = deps
  const { endpoint, timeout } = options
  let skew: { readonly seconds: number; readonly at: number } | undefined

  const timestamp = async (): Promise<number | NoAnswer> => {
    const now = clock.now()
    const age = skew === undefined ? undefined : now - skew.at
    if (skew === undefined || age === undefined || age < 0 || age > TIME_FOR) {
      const asked = { method: 'GET', headers: {} } as const
      const answer = await callProvider(`${endpoint}/auth/time`, asked, timeout)
      if (answer.kind === 'unreachable') return answer
      if (!isAccepted(answer) || typeof answer.body !== 'number') {
        return { kind: 'unreachable', reason: `time: HTTP ${answer.status}`, mayHaveSent: false }
      }
      const at = clock.now()
      skew = { seconds: Math.trunc(answer.body) - Math.trunc(at / SECOND), at }
    }
    return Math.trunc(clock.now() / SECOND) + skew.seconds
  }

  return {
    name: options.name,
    send: async ({ to, text }): Promise<SmsResult> => {
      const time = await timestamp()
      if (typeof time !== 'number') return time
      const url = `${endpoint}/sms/${encodeURIComponent(options.service)}/jobs`
      const number = to.reveal()
      const body = JSON.stringify({
        charset: 'UTF-8',
        coding: '7bit',
        class: 'phoneDisplay',
        message: text.reveal(),
        // It is no advertisement: without this it waits for the morning, and says how to stop.
        noStopClause: true,
        priority: 'high',
        receivers: [number],
        ...(options.sender === undefined
          ? { senderForResponse: true }
          : { sender: options.sender, senderForResponse: false }),
        // In minutes.
        validityPeriod: Math.ceil(options.validFor / (60 * SECOND)),
      })
      const answer = await callProvider(
        url,
        {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json; charset=utf-8',
            'X-Ovh-Application': options.applicationKey,
            'X-Ovh-Consumer': options.consumerKey.reveal(),
            'X-Ovh-Timestamp': String(time),
            'X-Ovh-Signature': signature(options, { method: 'POST', url, body, time }),
          },
          body,
        },
        timeout,
      )
      if (answer.kind === 'unreachable') return answer
      const { errorCode, validReceivers } = membersOf(answer)
      if (!isAccepted(answer)) {
        // Its clock and ours may have parted since.
        skew = undefined
        return refusal(answer, errorCode)
      }
      // It answers 200 for a number it does not send to, and lists it apart.
      return Array.isArray(validReceivers) && validReceivers.length === 0
        ? { kind: 'refused', reason: 'invalid receiver' }
        : { kind: 'sent' }
    },
  }
}

/** `$1$` and the SHA-1 of secrets, request and time, joined by `+`. */
function signature(
  { applicationSecret, consumerKey }: OvhOptions,
  request: {
    readonly method: string
    readonly url: string
    readonly body: string
    readonly time: number
  },
): string {
  const { method, url, body, time } = request
  const parts = [applicationSecret.reveal(), consumerKey.reveal(), method, url, body, time]
  return `$1$${createHash('sha1').update(parts.join('+')).digest('hex')}`
}
