import type { Milliseconds } from '../lib/duration.ts'
import type { Notice, NoticeOrigin, Recipient } from './notice.ts'

/** What a mail says, in one language, before it is set as text and as HTML. */
export type MailWords = {
  /** Without a secret: it is shown on locked screens. */
  readonly subject: string
  readonly title: string
  readonly greeting: string
  readonly lead: readonly string[]
  /** What, when, where: a name and its value each. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly action?: MailAction
  readonly notes: readonly string[]
  /** What to do when it was somebody else. */
  readonly alarm?: {
    readonly title: string
    readonly lines: readonly string[]
    readonly action?: MailAction
  }
  readonly footer: readonly string[]
}

export type MailAction = { readonly label: string; readonly url: string }

/** What the words are made of. */
export type MailSubject = {
  readonly notice: Notice
  readonly to: Pick<Recipient, 'name' | 'displayName'>
  readonly origin: NoticeOrigin
  /** Browser and system in people's words; empty where unknown. */
  readonly device: { readonly browser: string; readonly system: string }
  readonly site: MailSite
  readonly format: MailFormat
}

/** The service that writes. */
export type MailSite = {
  readonly name: string
  /** Absolute addresses of its pages. */
  readonly home: string
  readonly account: string
  readonly changePassword: string
  /** Where one asks for help, as it is read: an address or a link; absent: nobody is named. */
  readonly help?: string
}

/** How a language writes instants and lengths of time. */
export type MailFormat = {
  /** Day, time and the name of the zone it is told in. */
  readonly dateTime: (at: number) => string
  readonly duration: (length: Milliseconds) => string
}
