import type { SmsMessage, SmsResult, SmsSender } from './sms-sender.ts'

/**
 * Sends a message by the first provider that takes it, in the configured order. `onResult` is told
 * of each that was asked. `mayHaveSent`: no provider said that it has it, but one of them may.
 */
export type SmsDispatch = (
  message: SmsMessage,
  onResult: (provider: string, result: SmsResult) => void,
) => Promise<{ readonly kind: 'sent' } | { readonly kind: 'failed'; readonly mayHaveSent: boolean }>

/** Once one has taken the message no other is asked. */
export function createSmsDispatch(senders: readonly SmsSender[]): SmsDispatch {
  return async (message, onResult) => {
    let mayHaveSent = false
    for (const sender of senders) {
      const result = await sender.send(message)
      onResult(sender.name, result)
      if (result.kind === 'sent') return { kind: 'sent' }
      if (result.kind === 'unreachable' && result.mayHaveSent) mayHaveSent = true
    }
    return { kind: 'failed', mayHaveSent }
  }
}
