import type { Answer } from '../../http/answer.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Language } from '../../pages/views.ts'

/**
 * Recovery codes as a text file to be kept: what they are, whose, where they are used and how.
 * It is sent as a download and kept by nothing on the way.
 */
export function recoveryCodeFile(
  language: Language,
  of: {
    readonly organisation: string
    /** Where one signs in. */
    readonly url: string
    readonly account: string
    readonly createdAt: number
    readonly codes: readonly string[]
  },
): Answer {
  const { codes: text, format } = catalogue(language)
  const lines = [
    `${of.organisation} – ${text.list}`,
    '',
    text.file.account(of.account),
    text.file.address(of.url),
    text.file.createdAt(format.dateTime(of.createdAt)),
    '',
    text.printed(of.codes.length),
    text.file.how,
    '',
    ...of.codes,
    '',
  ]
  return {
    status: 200,
    headers: [
      // Lines of plain text end in CRLF (RFC 2046, section 4.1.1).
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Content-Disposition', attachment(`${text.file.name}-${of.account}.txt`)],
      ['Content-Security-Policy', "default-src 'none'; sandbox"],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Cross-Origin-Resource-Policy', 'same-origin'],
    ],
    body: lines.join('\r\n'),
  }
}

/** RFC 6266: a plain name for who reads nothing else, and the whole one. */
function attachment(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_')
  const whole = encodeURIComponent(name).replace(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  })
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`
}
