import type { SmsSender } from '../../factors/sms/sms-sender.ts'

/**
 * Sends nothing and writes the message down, number and code included. For trying out.
 *
 * @param write is given each message in clear
 */
export function createLogSender(
  options: { readonly name: string },
  write: (message: { readonly to: string; readonly text: string }) => void,
): SmsSender {
  return {
    name: options.name,
    send: async ({ to, text }) => {
      write({ to: to.reveal(), text: text.reveal() })
      return { kind: 'sent' }
    },
  }
}
