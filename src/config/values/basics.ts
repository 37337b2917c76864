import { closest } from '../closest.ts'
import { bad, good } from '../problem.ts'
import { map, type Reader, shown, textThen, wrongType } from './reader.ts'

/** One line of visible text, at most `max` characters. */
export function line(max: number): Reader<string> {
  return textThen((text) => {
    if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) return bad('control_characters')
    return text.length > max ? bad('too_long', { max: String(max) }) : good(text)
  })
}

/** A whole number; digits in text count too, because that is what a reference gives. */
export function whole(min: number, max: number): Reader<number> {
  return (raw) => {
    const number = typeof raw === 'string' && /^[0-9]{1,15}$/.test(raw) ? Number(raw) : raw
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
      return wrongType(raw, 'number')
    }
    if (number < min || number > max) {
      return bad('out_of_range', { value: String(number), min: String(min), max: String(max) })
    }
    return good(number)
  }
}

/** `true` or `false`; the words in text count too, because that is what a reference gives. */
export const flag: Reader<boolean> = (raw) => {
  if (raw === true || raw === 'true') return good(true)
  if (raw === false || raw === 'false') return good(false)
  return wrongType(raw, 'flag')
}

/** One of a few words. */
export function choice<const T extends string>(options: readonly T[]): Reader<T> {
  return textThen((text) => {
    const chosen = options.find((option) => option === text)
    if (chosen !== undefined) return good(chosen)
    return bad(
      'unknown_value',
      { value: shown(text), options: options.join(', ') },
      closest(text, options),
    )
  })
}

/** The version of the file format. */
export const version: Reader<1> = (raw) => {
  const reading = whole(0, Number.MAX_SAFE_INTEGER)(raw)
  if (reading.kind === 'faults' || reading.value === 1)
    return map(
      () => reading,
      () => 1 as const,
    )(raw)
  return bad('unknown_version', { value: String(reading.value) })
}
