import { type BothLanguages, bad, good, type Reading } from '../problem.ts'

/** Turns a value of the file into its final form, or says everything that is wrong with it. */
export type Reader<T> = (raw: unknown) => Reading<T>

/** What kinds of value there are, as messages name them. */
export const EXPECTED = {
  text: { en: 'text', fr: 'texte attendu' },
  number: { en: 'a whole number', fr: 'nombre entier attendu' },
  flag: { en: 'true or false', fr: 'true ou false attendu' },
  duration: { en: 'a duration (e.g. 30m)', fr: 'durée attendue (par ex. 30m)' },
  size: { en: 'a size (e.g. 1MiB)', fr: 'taille attendue (par ex. 1MiB)' },
  rate: { en: 'a rate (e.g. 5/1m)', fr: 'débit attendu (par ex. 5/1m)' },
  map: { en: 'a group of keys', fr: 'groupe de clés attendu' },
  list: { en: 'a list', fr: 'liste attendue' },
} as const satisfies Readonly<Record<string, BothLanguages>>

/** The refusal of a value that is not even of the right kind. */
export function wrongType(raw: unknown, expected: keyof typeof EXPECTED): Reading<never> {
  if (raw === null) return bad('no_value')
  return bad('wrong_type', { expected: EXPECTED[expected], got: kindOf(raw) })
}

/** Reads text and hands it on without the space at its ends. */
export function textThen<T>(
  next: (text: string) => Reading<T>,
  expected: keyof typeof EXPECTED = 'text',
): Reader<T> {
  return (raw) => {
    if (typeof raw !== 'string') return wrongType(raw, expected)
    const text = raw.trim()
    if (text === '') return bad('blank')
    return next(text)
  }
}

/** What comes of two readers in turn. */
export function map<T, U>(reader: Reader<T>, change: (value: T) => U): Reader<U> {
  return (raw) => {
    const reading = reader(raw)
    return reading.kind === 'value' ? good(change(reading.value)) : reading
  }
}

/** A value as a message shows it: bounded, and without the password of a URL. */
export function shown(text: string): string {
  const bounded = text.length > 80 ? `${text.slice(0, 79)}…` : text
  return bounded.replace(/(:\/\/)[^/@\s]*@/g, '$1•••@')
}

function kindOf(raw: unknown): BothLanguages {
  if (typeof raw === 'string') return { en: 'text', fr: 'texte reçu' }
  if (typeof raw === 'number') return { en: 'a number', fr: 'nombre reçu' }
  if (typeof raw === 'boolean') return { en: String(raw), fr: `${raw} reçu` }
  if (Array.isArray(raw)) return { en: 'a list', fr: 'liste reçue' }
  return { en: 'a group of keys', fr: 'groupe de clés reçu' }
}
