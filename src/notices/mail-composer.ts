import { describeUserAgent } from '../lib/user-agent.ts'
import { type Mail, type MailLanguage, oneLine } from './mail.ts'
import { english } from './mail-en.ts'
import { french } from './mail-fr.ts'
import { htmlMail } from './mail-html.ts'
import { plainMail } from './mail-plain.ts'
import type { MailFormat, MailSite, MailSubject, MailWords } from './mail-words.ts'
import type { Notice, NoticeOrigin, Recipient } from './notice.ts'

/** Writes a notice out as a mail, as text and as HTML that say the same. */
export type MailComposer = (to: Recipient, notice: Notice, origin: NoticeOrigin) => Omit<Mail, 'to'>

/** @param options.languages as configured; the first is for those who never chose */
export function createMailComposer(options: {
  readonly site: MailSite
  readonly languages: readonly MailLanguage[]
  readonly formats: Readonly<Record<MailLanguage, MailFormat>>
}): MailComposer {
  const { site, formats } = options
  const [first = 'en'] = options.languages
  return (to, notice, origin) => {
    const language = to.language === '' ? first : to.language
    const words = LANGUAGES[language].words({
      notice,
      to,
      origin,
      device: describeUserAgent(origin.userAgent),
      site,
      format: formats[language],
    })
    const { colon } = LANGUAGES[language]
    return {
      language,
      subject: oneLine(words.subject, 120),
      text: plainMail(words, colon),
      html: htmlMail(words, language, colon),
    }
  }
}

const LANGUAGES = {
  fr: { words: french, colon: '\u00a0:' },
  en: { words: english, colon: ':' },
} as const satisfies Readonly<
  Record<
    MailLanguage,
    { readonly words: (subject: MailSubject) => MailWords; readonly colon: string }
  >
>
