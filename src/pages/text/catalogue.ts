import type { Language } from '../views.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'

/** Every word of the pages. French is written first; another language must have the same keys. */
export type Catalogue = typeof fr

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
