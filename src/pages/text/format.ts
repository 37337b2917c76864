import { DAY, HOUR, MINUTE, type Milliseconds, SECOND } from '../../lib/duration.ts'
import type { Language } from '../views.ts'

/** How one language writes numbers of things, instants and lengths of time. */
export type Format = {
  /** The form that fits the count: in French none is singular, in English plural. */
  readonly plural: (count: number, one: string, other: string) => string
  /** Day, time and time zone: the page does not know the reader's zone, so it names its own. */
  readonly dateTime: (at: number) => string
  /** Time of day and time zone. */
  readonly time: (at: number) => string
  /** The two largest units, e.g. `4 minutes et 12 secondes`; less than a second counts as one. */
  readonly duration: (length: Milliseconds) => string
}

/** Made once per language: building an `Intl` object costs more than a page. */
export function createFormat(language: Language): Format {
  const plurals = new Intl.PluralRules(language)
  const durations = new Intl.DurationFormat(language, { style: 'long' })
  const dateTimes = new Intl.DateTimeFormat(LOCALES[language], {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    ...TIME,
  })
  const times = new Intl.DateTimeFormat(LOCALES[language], TIME)
  return {
    plural: (count, one, other) => (plurals.select(count) === 'one' ? one : other),
    dateTime: (at) => withHours(language, dateTimes.format(at)),
    time: (at) => withHours(language, times.format(at)),
    // `Intl` keeps some numbers and units on one line, and not others.
    duration: (length) => durations.format(twoLargest(length)).replace(/(\d)\s/g, '$1\u00a0'),
  }
}

const LOCALES = { fr: 'fr-FR', en: 'en-GB' } as const satisfies Record<Language, string>

const TIME = {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
} as const satisfies Intl.DateTimeFormatOptions

const UNITS = [
  ['days', DAY],
  ['hours', HOUR],
  ['minutes', MINUTE],
  ['seconds', SECOND],
] as const

/** French writes `14 h 32` where `Intl` gives `14:32`; the zone stays on the line of its time. */
function withHours(language: Language, text: string): string {
  const hours = language === 'fr' ? text.replace(/(\d\d):(\d\d)/, '$1\u00a0h\u00a0$2') : text
  return hours.replace(/ (?=[^ ]+$)/, '\u00a0')
}

function twoLargest(length: Milliseconds): Partial<Record<(typeof UNITS)[number][0], number>> {
  let rest = Math.max(SECOND, Math.ceil(length / SECOND) * SECOND)
  const parts: Partial<Record<(typeof UNITS)[number][0], number>> = {}
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0 && Object.keys(parts).length < 2) parts[unit] = count
  }
  return parts
}
