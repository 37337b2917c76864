import type { Language } from '../views.ts'
import { en } from './en.ts'
import { type Catalogue, fr } from './fr.ts'

/** The words of the pages in one language. */
export function catalogue(language: Language): Catalogue {
  return CATALOGUES[language]
}

/** Each language by its own name, for the language links. */
export const LANGUAGE_NAMES = { fr: 'Français', en: 'English' } as const satisfies Record<
  Language,
  string
>

const CATALOGUES: Readonly<Record<Language, Catalogue>> = { fr, en }
