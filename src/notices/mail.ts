/** A finished message to one address. Everything in it is plain data: nothing is filled in later. */
export type Mail = {
  readonly to: string
  readonly language: MailLanguage
  /** One line, without a secret. */
  readonly subject: string
  readonly text: string
  /** A whole document without images, scripts or anything that is fetched. */
  readonly html: string
}

export type MailLanguage = 'fr' | 'en'

/**
 * The address when mail can be sent to it: one mailbox, in a spelling that cannot become a second
 * one or a header (RFC 5321 4.1.2, without quoted local parts). `undefined` otherwise.
 */
export function mailAddress(text: string): string | undefined {
  const address = text.trim()
  const sound =
    address.length <= 254 &&
    /^[^\s\p{Cc}\p{Cf}@<>()[\]\\,;:"]{1,64}@[^\s\p{Cc}\p{Cf}@<>()\\,;"]+$/u.test(address)
  return sound ? address : undefined
}

/** Text from people as part of one line: no line break or invisible character, at most `max` long. */
export function oneLine(text: string, max = 100): string {
  const plain = text
    .replace(/(?:(?![\u00a0\u202f])[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+/gu, ' ')
    .toWellFormed()
    .trim()
  return plain.length <= max ? plain : `${plain.slice(0, max - 1).toWellFormed()}…`
}
