import type { Secret } from '../../lib/secret.ts'
import type { PhoneNumber } from './phone-number.ts'

/** A text message. */
export type SmsMessage = { readonly to: PhoneNumber; readonly text: Secret<string> }

/** What a provider made of a message. `reason` is a word or a code: never a number or a text. */
export type SmsResult =
  /** It took the message over. */
  | { readonly kind: 'sent' }
  /** It answered that it does not. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It gave no answer. `mayHaveSent`: the message had left for it by then. */
  | { readonly kind: 'unreachable'; readonly reason: string; readonly mayHaveSent: boolean }

/** Somebody who delivers text messages. */
export type SmsSender = {
  /** Unique among those configured, e.g. `ovh`, `twilio-2`. */
  readonly name: string
  /** Never rejects, and is done within the provider's time limit. */
  readonly send: (message: SmsMessage) => Promise<SmsResult>
}
