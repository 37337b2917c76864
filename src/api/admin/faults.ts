import type { Parsed } from '../../accounts/account-name.ts'
import type { ApiFault } from '../problems.ts'
import { refuse } from '../refusals.ts'
import type { ApiResult } from '../route.ts'

const WORDS = {
  empty: { en: 'This is empty', fr: 'Ce champ est vide' },
  invalid: {
    en: 'This holds characters it may not hold',
    fr: 'Ce champ contient des caractères non admis',
  },
  too_long: { en: 'This is too long', fr: 'Ce champ est trop long' },
  endless: { en: 'This must end some day', fr: 'Ceci doit avoir une fin' },
  unknown: { en: 'There is no such thing', fr: 'Cela n’existe pas' },
} as const

type Problem = keyof typeof WORDS

/** Collects what is wrong with the fields of a body. */
export type Reader = {
  /** The value as it is kept; `undefined` when the field is absent or wrong. */
  readonly read: <T>(
    field: string,
    text: string | undefined,
    parse: (text: string) => Parsed<T>,
  ) => T | undefined
  readonly wrong: (field: string, problem: Problem) => void
  /** `undefined`: nothing was wrong. */
  readonly refusal: () => ApiResult | undefined
}

export function bodyReader(language: 'fr' | 'en'): Reader {
  const faults: ApiFault[] = []
  const wrong = (field: string, problem: Problem) => {
    faults.push({ path: `/body/${field}`, code: problem, message: WORDS[problem][language] })
  }
  return {
    read: (field, text, parse) => {
      if (text === undefined) return undefined
      const parsed = parse(text)
      if (parsed.kind === 'ok') return parsed.value
      wrong(field, parsed.problem)
      return undefined
    },
    wrong,
    refusal: () => (faults.length === 0 ? undefined : refuse('invalid_request', { faults })),
  }
}
