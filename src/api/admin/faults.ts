import type { Parsed } from '../../accounts/account-name.ts'
import { MAX_LOGIN_PASSWORD, MAX_LOGIN_USER } from '../../tokens/upstream-login.ts'
import type { ApiFault } from '../problems.ts'
import { refuse } from '../refusals.ts'
import type { ApiResult } from '../route.ts'

type Words = { readonly en: string; readonly fr: string }

const LINE: Words = {
  en: 'Text with something to see in it, on one line, without control characters',
  fr: 'Un texte visible, sur une ligne, sans caractère de contrôle',
}

/** What a value may be, and how long; in bytes where that is how it is measured. */
const VALUES = {
  account_name: {
    is: {
      en: 'Letters of one script, digits and . _ - @ +, not beginning with . or -, and one @ at most',
      fr: 'Lettres d’une même écriture, chiffres et . _ - @ +, sans . ni - au début, avec un seul @ au plus',
    },
    most: { en: '64 characters', fr: '64\u00a0caractères' },
  },
  display_name: {
    is: LINE,
    most: { en: '128 characters', fr: '128\u00a0caractères' },
  },
  token_name: {
    is: LINE,
    most: { en: '64 characters', fr: '64\u00a0caractères' },
  },
  email: {
    is: {
      en: 'An e-mail address, such as alice@example.com',
      fr: 'Une adresse e-mail, par exemple alice@example.com',
    },
    most: { en: '254 bytes', fr: '254\u00a0octets' },
  },
  group: {
    is: {
      en: 'Letters of one script, digits and . _ - : /',
      fr: 'Lettres d’une même écriture, chiffres et . _ - : /',
    },
    most: { en: '64 characters', fr: '64\u00a0caractères' },
  },
  network: {
    is: {
      en: 'An address or a network, such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48',
      fr: 'Une adresse ou un réseau, par exemple 203.0.113.7, 203.0.113.0/24 ou 2001:db8::/48',
    },
    most: { en: '100 characters', fr: '100\u00a0caractères' },
  },
  method: {
    is: {
      en: 'A request method, such as GET',
      fr: 'Une méthode de requête, par exemple GET',
    },
    most: { en: '32 characters', fr: '32\u00a0caractères' },
  },
  path: {
    is: {
      en: 'A path as rules have them, such as /api/**: it begins with / and holds no “.” or “..” segment, no //, no %, no ? and no #',
      fr: 'Un chemin comme dans les règles, par exemple /api/**\u00a0: il commence par / et ne contient ni segment «\u00a0.\u00a0» ou «\u00a0..\u00a0», ni //, ni %, ni ?, ni #',
    },
    most: { en: '1,024 characters', fr: '1\u00a0024\u00a0caractères' },
  },
  login_user: {
    is: {
      en: 'A name without a colon and without control characters',
      fr: 'Un nom sans deux-points ni caractère de contrôle',
    },
    most: { en: `${MAX_LOGIN_USER} characters`, fr: `${MAX_LOGIN_USER}\u00a0caractères` },
  },
  login_password: {
    is: {
      en: 'A password without control characters',
      fr: 'Un mot de passe sans caractère de contrôle',
    },
    most: { en: `${MAX_LOGIN_PASSWORD} characters`, fr: `${MAX_LOGIN_PASSWORD}\u00a0caractères` },
  },
} as const satisfies Readonly<Record<string, { readonly is: Words; readonly most: Words }>>

/** What a field, or an entry of its list, stands for. */
export type ValueKind = keyof typeof VALUES

/** Collects what is wrong with the fields of a body. Fields are named as in a JSON Pointer. */
export type Reader = {
  /** The value as it is kept; `undefined` when the field is absent or wrong. */
  readonly read: <T>(
    field: string,
    kind: ValueKind,
    text: string | undefined,
    parse: (text: string) => Parsed<T>,
  ) => T | undefined
  /** Says what the value may be. */
  readonly wrong: (
    field: string,
    kind: ValueKind,
    problem: 'empty' | 'invalid' | 'too_long',
  ) => void
  /** Says it in words of its own. */
  readonly fault: (field: string, code: string, words: Words) => void
  /** `undefined`: nothing was wrong. */
  readonly refusal: () => ApiResult | undefined
}

export function bodyReader(language: 'fr' | 'en'): Reader {
  const faults: ApiFault[] = []
  const fault: Reader['fault'] = (field, code, words) => {
    faults.push({ path: `/body/${field}`, code, message: words[language] })
  }
  const wrong: Reader['wrong'] = (field, kind, problem) => {
    fault(field, problem, wordsOf(kind, problem))
  }
  return {
    read: (field, kind, text, parse) => {
      if (text === undefined) return undefined
      const parsed = parse(text)
      if (parsed.kind === 'ok') return parsed.value
      wrong(field, kind, parsed.problem)
      return undefined
    },
    wrong,
    fault,
    refusal: () => (faults.length === 0 ? undefined : refuse('invalid_request', { faults })),
  }
}

function wordsOf(kind: ValueKind, problem: 'empty' | 'invalid' | 'too_long'): Words {
  const { is, most } = VALUES[kind]
  switch (problem) {
    case 'invalid':
      return is
    case 'too_long':
      return { en: `At most ${most.en}`, fr: `Au plus ${most.fr}` }
    case 'empty':
      return { en: `This is empty. ${is.en}`, fr: `Ce champ est vide. ${is.fr}` }
  }
}
