import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { PROBLEM_PAGES, problemPage } from '../../scripts/problem-pages.ts'
import { createProgram } from '../../src/cli/program.ts'
import { PROBLEMS } from '../../src/config/problem-catalogue.ts'
import { KEYS } from '../../src/config/schema.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const pagesOf = (folder: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)
const LANGUAGES = ['en', 'fr'] as const
const COMMAND_LINE = { en: 'docs/en/command-line.md', fr: 'docs/fr/ligne-de-commande.md' }

t.test('the manual lists every error of the configuration as the program words it', async (t) => {
  for (const language of LANGUAGES) {
    const path = PROBLEM_PAGES[language]
    t.equal(read(path), problemPage(language), `${path}: run node scripts/problem-pages.ts`)
  }
})

t.test(
  'codes of configuration errors are shared by faults of one kind of value only',
  async (t) => {
    const kinds = Map.groupBy(Object.keys(PROBLEMS), (kind) => {
      return Object.entries(PROBLEMS).find(([name]) => name === kind)?.[1].code
    })
    t.strictSame(
      [...kinds]
        .flatMap(([code, all]) => (all.length > 1 ? [`${code} ${all.join(' ')}`] : []))
        .sort(),
      [
        'SP-1004 unknown_key misplaced_key',
        'SP-1009 empty_file no_apps',
        'SP-1205 host_scheme host_port host_wildcard host_invalid',
        'SP-1206 path_start path_encoded path_query path_segment path_star',
        'SP-1211 bad_url url_not_origin',
        'SP-1214 bad_master_key weak_master_key',
        'SP-1240 class_name class_taken',
      ],
    )
  },
)

t.test('codes that the manual names exist', async (t) => {
  const codes = new Set<string>(Object.values(PROBLEMS).map(({ code }) => code))
  for (const path of [...LANGUAGES.flatMap((one) => pagesOf(`docs/${one}`)), 'README.md']) {
    for (const code of read(path).match(/SP-\d{4}/g) ?? []) t.ok(codes.has(code), `${path} ${code}`)
  }
})

t.test('every key of the configuration is in the manual, in both languages', async (t) => {
  for (const language of LANGUAGES) {
    const manual = pagesOf(`docs/${language}`).map(read).join('\n')
    const missing = [...new Set([...KEYS.values()].flat())].filter(
      (key) => !new RegExp(`\\b${key}\\b`).test(manual),
    )
    t.strictSame(missing, [], language)
  }
})

t.test(
  'every command and option is on the page of the command line, in both languages',
  async (t) => {
    const everywhere = ['--config', '--data', '--help', '--version']
    for (const language of LANGUAGES) {
      const page = read(COMMAND_LINE[language])
      for (const command of createProgram().program.commands) {
        for (const one of command.commands.length > 0 ? command.commands : [command]) {
          const name = one === command ? one.name() : `${command.name()} ${one.name()}`
          const row = page
            .split('\n')
            .find((line) => line.includes('| ') && line.includes(`\`${name}`))
          t.ok(row, `${language}: ${name}`)
          for (const { long } of one.options) {
            if (long == null || everywhere.includes(long)) continue
            t.match(row, long, `${language}: ${name} ${long}`)
          }
        }
      }
    }
  },
)

t.test('every page is in its index, and every link of the manual leads somewhere', async (t) => {
  for (const language of LANGUAGES) {
    const index = read(`docs/${language}/README.md`)
    for (const path of pagesOf(`docs/${language}`)) {
      if (path.endsWith('/README.md')) continue
      t.ok(index.includes(`](${path.slice(`docs/${language}/`.length)})`), path)
    }
  }
  const decisions = read('docs/decisions/README.md')
  for (const path of pagesOf('docs/decisions')) {
    if (!path.endsWith('/README.md'))
      t.ok(decisions.includes(path.slice('docs/decisions/'.length)), path)
  }
  const folders = ['docs/en', 'docs/fr', 'docs/decisions']
  for (const path of ['README.md', 'CHANGELOG.md', ...folders.flatMap(pagesOf)]) {
    for (const [, url = ''] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(url)) continue
      const [file = '', anchor] = url.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      t.ok(existsSync(join(ROOT, target)), `${path}: ${url}`)
      if (anchor !== undefined) t.ok(anchorsOf(target).includes(anchor), `${path}: ${url}`)
    }
  }
})

/** As code hosts make them out of headings. */
function anchorsOf(path: string): readonly string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}
