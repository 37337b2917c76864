/** Whose advice new passwords must follow. */
export type PasswordPreset = 'nist' | 'cnil-50' | 'cnil-80' | 'owasp'

/** One way of being strong enough; each of its parts must hold. Lengths are in code points. */
type Way = {
  readonly length: number
  /** So many of upper case, lower case, digits and signs. */
  readonly kinds?: number
  /** Upper case, lower case and digits, whatever else there is. */
  readonly alphanumeric?: true
  /** Digits and nothing else will do. */
  readonly digits?: true
  /** So many different words. */
  readonly words?: number
}

/**
 * What each preset asks for.
 *
 * `nist`: length alone (SP 800-63B-4, 3.1.1.2: no rules of composition). `cnil-50` and `cnil-80`:
 * the examples that the CNIL gives for 50 bits, where attempts are limited, and for 80, where they
 * are not (délibération 2022-100 of 21 July 2022, cases 2 and 1; where each figure was found is in
 * decision 0017). `owasp`: all four kinds, as many older policies have it.
 */
export const PASSWORD_PRESETS = {
  nist: { minLength: 12, floor: 8, ways: [{ length: 0 }] },
  'cnil-50': {
    minLength: 8,
    floor: 8,
    ways: [
      { length: 8, kinds: 3 },
      { length: 16, digits: true },
      { length: 0, words: 5 },
    ],
  },
  'cnil-80': {
    minLength: 12,
    floor: 12,
    ways: [
      { length: 12, kinds: 4 },
      { length: 14, alphanumeric: true },
      { length: 0, words: 7 },
    ],
  },
  owasp: { minLength: 8, floor: 8, ways: [{ length: 8, kinds: 4 }] },
} as const satisfies Readonly<
  Record<
    PasswordPreset,
    {
      /** Unless configured. */
      readonly minLength: number
      /** No configuration goes below. */
      readonly floor: number
      /** One of them must hold. */
      readonly ways: readonly Way[]
    }
  >
>

/** Whether the text, in NFC, is made up the way the preset asks for; its length is not judged. */
export function isVaried(text: string, preset: PasswordPreset): boolean {
  const length = [...text].length
  const ways: readonly Way[] = PASSWORD_PRESETS[preset].ways
  return ways.some(
    (way) =>
      length >= way.length &&
      (way.kinds === undefined || KINDS.filter((kind) => kind.test(text)).length >= way.kinds) &&
      (way.alphanumeric === undefined || ALPHANUMERIC.every((kind) => kind.test(text))) &&
      (way.digits === undefined || /^\p{Nd}+$/u.test(text)) &&
      (way.words === undefined || wordsIn(text) >= way.words),
  )
}

const UPPER = /\p{Lu}/u
/** Letters of scripts without case count with the small ones. */
const LOWER = /[\p{L}--\p{Lu}]/v
const DIGIT = /\p{Nd}/u
/** Spaces are signs too. */
const SIGN = /[^\p{L}\p{M}\p{Nd}]/u

const ALPHANUMERIC = [UPPER, LOWER, DIGIT]
const KINDS = [...ALPHANUMERIC, SIGN]

/** Different runs of three letters and more: `a b c d e` is no phrase. */
function wordsIn(text: string): number {
  return new Set(text.toLowerCase().match(/[\p{L}\p{M}]{3,}/gu) ?? []).size
}
