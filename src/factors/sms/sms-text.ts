export type SmsLanguage = 'fr' | 'en'

/** A single message holds 160 septets (3GPP TS 23.038). */
const MAX_SEPTETS = 160

/**
 * The text of a code, in one message of the GSM 7-bit alphabet. Its last line says for which host
 * it is, so that browsers offer it nowhere else (WICG, origin-bound one-time codes).
 *
 * @param message.host name of the host people sign in on, without port
 */
export function smsText(message: {
  readonly code: string
  readonly brand: string
  readonly host: string
  readonly language: SmsLanguage
}): string {
  const { code, host, language } = message
  const words = language === 'fr' ? 'est votre code' : 'is your code for'
  const lead = `${code} ${words}`
  const bound = `\n\n@${host} #${code}`
  const end = septets(lead) + septets(bound) <= MAX_SEPTETS ? bound : ''
  const brand = cutTo(gsmText(message.brand), MAX_SEPTETS - septets(`${lead} ${end}`)).trim()
  return brand === '' ? `${lead}${end}` : `${lead} ${brand}${end}`
}

/** The text in the characters of the GSM alphabet: accents it lacks are dropped, other letters are `?`. */
export function gsmText(text: string): string {
  return [...text.normalize('NFC')]
    .map((char) => {
      if (isGsm(char)) return char
      const plain = ALIKE[char] ?? char.normalize('NFKD').replace(/\p{M}/gu, '')
      return [...plain].every(isGsm) ? plain : '?'
    })
    .join('')
}

/** How much of a message the text takes; characters of the extension table count twice. */
export function septets(text: string): number {
  let count = 0
  for (const char of text) count += EXTENDED.includes(char) ? 2 : 1
  return count
}

function cutTo(text: string, most: number): string {
  let kept = ''
  for (const char of text) {
    if (septets(kept + char) > most) break
    kept += char
  }
  return kept
}

function isGsm(char: string): boolean {
  return BASIC.includes(char) || EXTENDED.includes(char)
}

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const EXTENDED = '\f^{}\\[~]|€'

const ALIKE: Readonly<Record<string, string>> = {
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '«': '"',
  '»': '"',
  '–': '-',
  '—': '-',
  '‑': '-',
  œ: 'oe',
  Œ: 'OE',
  '\u00a0': ' ',
  '\u202f': ' ',
}
