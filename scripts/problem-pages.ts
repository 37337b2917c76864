import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PROBLEMS, type ProblemKind } from '../src/config/problem-catalogue.ts'
import type { SettingsLanguage } from '../src/config/settings.ts'

/** The pages of the manual that list every fault of a configuration, by language. */
export const PROBLEM_PAGES: Readonly<Record<SettingsLanguage, string>> = {
  en: 'docs/en/configuration-errors.md',
  fr: 'docs/fr/erreurs-de-configuration.md',
}

/** Writes such a page out of the catalogue, so that manual and program say the same. */
export function problemPage(language: SettingsLanguage): string {
  const words = WORDS[language]
  const lines: string[] = [words.intro]
  for (const { from, title } of CHAPTERS) {
    const chapter = ENTRIES.filter(({ code }) => chapterOf(code) === from)
    lines.push(`## ${title[language]}`, '', words.header, '|---|---|---|')
    for (const { code, kind, severity, ...entry } of chapter) {
      const message = textOf(entry[language], kind, language)
      const said = severity === 'warning' ? `${words.warning} ${message}` : message
      const fix = entry.fix === undefined ? '' : textOf(entry.fix[language], kind, language)
      lines.push(`| ${code} | ${said} | ${fix} |`)
    }
    lines.push('')
  }
  return `${lines.join('\n')}${words.foot}\n`
}

type Entry = {
  readonly kind: string
  readonly code: string
  readonly severity?: 'warning'
  readonly fix?: Readonly<Record<SettingsLanguage, string>>
} & Readonly<Record<SettingsLanguage, string>>

const ENTRIES: readonly Entry[] = Object.entries(PROBLEMS)
  .map(([kind, entry]): Entry => ({ kind, ...entry }))
  .sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0))

/** Codes are given out by topic: each chapter holds those from its first one to the next chapter's. */
const CHAPTERS = [
  { from: 1000, title: { en: 'The file and its shape', fr: 'Le fichier et sa forme' } },
  {
    from: 1100,
    title: {
      en: 'References to the environment and to files',
      fr: 'Références à l’environnement et à des fichiers',
    },
  },
  { from: 1200, title: { en: 'Single values', fr: 'Valeurs isolées' } },
  { from: 1300, title: { en: 'Values that do not go together', fr: 'Valeurs incompatibles' } },
  { from: 1400, title: { en: 'Worth a look', fr: 'À vérifier' } },
  { from: 1500, title: { en: 'Signing in and pages', fr: 'Connexion et pages' } },
] as const satisfies readonly {
  readonly from: number
  readonly title: Readonly<Record<SettingsLanguage, string>>
}[]

function chapterOf(code: string): number | undefined {
  return CHAPTERS.findLast(({ from }) => Number(code.slice('SP-'.length)) >= from)?.from
}

/** What fills texts that are nothing but placeholders. */
const SAMPLES: Readonly<
  Partial<Record<ProblemKind, Readonly<Record<SettingsLanguage, Readonly<Record<string, string>>>>>>
> = {
  wrong_type: {
    en: { expected: 'a list', got: 'a number' },
    fr: { expected: 'liste attendue', got: 'nombre trouvé' },
  },
  session_shorter: {
    en: { effect: 'sessions end by the shorter of the two' },
    fr: { effect: 'la plus courte des deux durées met fin aux sessions' },
  },
}

function textOf(text: string, kind: string, language: SettingsLanguage): string {
  const samples = SAMPLES[kind as ProblemKind]?.[language] ?? {}
  return text
    .replace(/(?<!\$)\{([a-z]+)\}/g, (_, name: string) => samples[name] ?? '…')
    .replace(/[\\|*_<`]/g, (character) => `\\${character}`)
}

const WORDS = {
  en: {
    intro: `# Errors of the configuration

What \`validate\` and every start may say of a configuration file, by code. \`…\` stands for what is
written there. An error keeps Sallyport from starting (exit code 78); a warning does not, unless
\`validate --strict\` is asked. Codes do not change.
`,
    header: '| code | says | what to do |',
    warning: '*Warning:*',
    foot: '[Contents](README.md) · En français\u00a0: [Erreurs de configuration](../fr/erreurs-de-configuration.md)',
  },
  fr: {
    intro: `# Erreurs de configuration

Ce que \`validate\` et chaque démarrage peuvent dire d’un fichier de configuration, par code. \`…\` tient la
place de ce qui y est écrit. Une erreur empêche Sallyport de démarrer (code de retour 78) ; un
avertissement, non, sauf avec \`validate --strict\`. Les codes ne changent pas.
`,
    header: '| code | texte | que faire |',
    warning: '*Avertissement\u00a0:*',
    foot: '[Sommaire](README.md) · In English: [Errors of the configuration](../en/configuration-errors.md)',
  },
} as const satisfies Readonly<Record<SettingsLanguage, Readonly<Record<string, string>>>>

if (import.meta.main) {
  for (const language of ['en', 'fr'] as const) {
    await writeFile(join(import.meta.dirname, '..', PROBLEM_PAGES[language]), problemPage(language))
  }
}
