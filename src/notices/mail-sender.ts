import type { Mail } from './mail.ts'

/** Hands mails over to a mail server. */
export type MailSender = {
  /**
   * Hands one over, in a bounded time. Never rejects. `id` makes the `Message-ID`, so that a mail
   * that was taken twice is seen to be one; `at` its date, milliseconds since the epoch.
   */
  readonly send: (
    mail: Mail & { readonly id: string; readonly at: number },
    signal?: AbortSignal,
  ) => Promise<SendOutcome>
}

/** What became of it. `response` and `detail` may name addresses: they are for no log. */
export type SendOutcome =
  | { readonly kind: 'sent'; readonly response: string }
  /** For good: this recipient or this message (RFC 5321 4.2.1, 5yz). `code`: the server's. */
  | { readonly kind: 'refused'; readonly code: number; readonly response: string }
  /** For now (4yz), or because of who sends, which an operator can mend. */
  | {
      readonly kind: 'put_off'
      readonly reason: 'later' | 'sender'
      readonly code: number
      readonly response: string
    }
  /** No mail can be handed over at all. */
  | { readonly kind: 'unreachable'; readonly reason: Unreachable; readonly detail: string }

/**
 * `name`: the host's address cannot be found. `connect`: nobody answers there. `tls`: no trusted
 * encryption. `auth`: user or password. `protocol`: it does not speak as a mail server does.
 */
export type Unreachable = 'name' | 'connect' | 'tls' | 'auth' | 'timeout' | 'protocol'
