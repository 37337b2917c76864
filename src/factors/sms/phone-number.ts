import { Secret } from '../../lib/secret.ts'

/** A number in E.164 (ITU-T), e.g. `+33612345678`. */
export type PhoneNumber = Secret<string>

/** `invalid`: no number, or one without a country. `not_mobile`: it cannot get text messages. */
export type PhoneNumberOutcome =
  | { readonly kind: 'ok'; readonly number: PhoneNumber }
  | { readonly kind: 'empty' | 'invalid' | 'not_mobile' }

const MAX_LENGTH = 40

/**
 * Reads a number as people write it.
 *
 * @param country ISO 3166 code of where numbers without `+` belong; absent: they must have it
 */
export async function readPhoneNumber(
  text: string,
  country: string | undefined,
): Promise<PhoneNumberOutcome> {
  const typed = text.normalize('NFKC').trim()
  if (typed === '') return { kind: 'empty' }
  if (typed.length > MAX_LENGTH || !/^[+0-9\s().\p{Pd}/]+$/u.test(typed)) return { kind: 'invalid' }
  const { isSupportedCountry, parsePhoneNumberFromString } = await plans()
  const found = parsePhoneNumberFromString(typed, {
    extract: false,
    ...(country !== undefined && isSupportedCountry(country) ? { defaultCountry: country } : {}),
  })
  if (found === undefined || !found.isPossible()) return { kind: 'invalid' }
  // These plans know mobile numbers alone; where a country does not tell them from others, all are.
  return found.isValid() ? { kind: 'ok', number: new Secret(found.number) } : { kind: 'not_mobile' }
}

/** The number with all but its country and its last two digits hidden, e.g. `+33 · ·· ·· ·· 42`. */
export async function maskPhoneNumber(number: PhoneNumber): Promise<string> {
  const { parsePhoneNumberFromString } = await plans()
  const e164 = number.reveal()
  const found = parsePhoneNumberFromString(e164)
  const end = e164.slice(-2)
  if (found === undefined) return `+··· ${end}`
  const national = found.formatInternational().slice(`+${found.countryCallingCode}`.length)
  return `+${found.countryCallingCode}${national.slice(0, -2).replace(/[0-9]/g, '·')}${end}`
}

/** Whether it is a country that numbers can belong to. */
export async function isPhoneCountry(code: string): Promise<boolean> {
  return (await plans()).isSupportedCountry(code)
}

/** Numbering plans of the world: read when the first number is. */
function plans() {
  return import('libphonenumber-js/mobile')
}
