import { gzipSync } from 'node:zlib'
import t from 'tap'
import { type Change, SAMPLE_PAGES, sampleContext } from '../../scripts/sample-pages.ts'
import { ASSETS, keeper, script, stylesheet } from '../../src/pages/assets.ts'
import { LANGUAGES, type PageContext } from '../../src/pages/views.ts'

type Tag = { readonly name: string; readonly attributes: ReadonlyMap<string, string> }

const TAG = /^<([a-z][a-z0-9]*)((?: [a-zA-Z-]+(?:="[^"<>]*")?)*)\/?>$/

/**
 * Every start tag of a page. Fails where markup is not as strict as this program writes it,
 * which is also what it looks like when a value gets out of its place.
 */
function tagsOf(page: string): readonly Tag[] {
  return [...page.matchAll(/<[^>]*>/g)].flatMap(([text]) => {
    if (text === '<!doctype html>' || /^<\/[a-z][a-z0-9]*>$/.test(text)) return []
    const match = TAG.exec(text)
    if (match === null) throw new TypeError(`odd markup: ${text}`)
    const attributes = new Map(
      [...(match[2] ?? '').matchAll(/ ([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    )
    return [{ name: match[1] ?? '', attributes }]
  })
}

function count(page: string, tag: string): number {
  return tagsOf(page).filter(({ name }) => name === tag).length
}

function textOf(page: string): string {
  return page.replace(/<head>[\s\S]*<\/head>/, '').replace(/<[^>]*>/g, ' ')
}

/** Without the parts of a French page that say they are in English. */
function withoutEnglish(page: string): string {
  return page.replace(/<(section|ul)(?: [^>]*)? lang="en">[\s\S]*?<\/\1>/g, '')
}

/** The description of the API, which is about values and is long. */
function isApiPage(page: string): boolean {
  return page.includes('<h2 id="shapes">')
}

type Complaint = string | false | undefined

/** What is wrong with each page in each language; a page that is well has nothing in it. */
function complaints(
  look: (page: string, language: PageContext['language']) => readonly Complaint[],
  contextOf: (language: PageContext['language']) => PageContext = (language) =>
    sampleContext(language),
  change?: Change,
): readonly string[] {
  return SAMPLE_PAGES.flatMap((sample) =>
    LANGUAGES.flatMap((language) => {
      const page = sample.render(contextOf(language), change)
      return look(page, language).flatMap((complaint) =>
        typeof complaint === 'string' ? [`${sample.name} (${language}): ${complaint}`] : [],
      )
    }),
  )
}

function missing(page: string, parts: readonly (string | RegExp)[]): readonly Complaint[] {
  return parts.map((part) => {
    const there = typeof part === 'string' ? page.includes(part) : part.test(page)
    return !there && `lacks ${part}`
  })
}

function unwanted(page: string, patterns: readonly RegExp[]): readonly Complaint[] {
  return patterns.map((pattern) => pattern.exec(page)?.[0])
}

t.test('every page is complete in both languages', async (t) => {
  const found = complaints((page, language) => [
    ...missing(page, [
      new RegExp(`^<!doctype html>\n<html lang="${language}" dir="ltr">`),
      /<title>[^<]+ – Exemple SA<\/title>/,
      'content="width=device-width, initial-scale=1"',
      'name="color-scheme" content="light dark"',
      '\n<a class="skip" href="#main">',
      '7F3K-2Q9D',
      /<\/html>\n$/,
    ]),
    // In the API, null is a value with a meaning.
    ...unwanted(isApiPage(page) ? page.replace(/\bnull\b/g, '') : page, [
      /undefined|null|NaN|\[object|=>|Invalid|Promise/,
      /<(h1|h2|p|a|label|button|summary|li|dt|dd|title|strong)(?: [^>]*)?>\s*<\/\1>/,
    ]),
  ])
  t.strictSame(found, [])
})

t.test('every page has one main, one h1, and a label for each field', async (t) => {
  const found = complaints((page) => {
    const tags = tagsOf(page)
    const values = (attribute: string) => tags.flatMap((tag) => tag.attributes.get(attribute) ?? [])
    const ids = values('id')
    const references = [
      ...values('for'),
      ...values('aria-describedby').flatMap((list) => list.split(' ')),
      ...values('aria-labelledby'),
      ...values('href').flatMap((href) => (href.startsWith('#') ? href.slice(1) : [])),
    ]
    const fields = tags.filter(
      ({ name, attributes }) => name === 'input' && attributes.get('type') !== 'hidden',
    )
    return [
      count(page, 'h1') !== 1 && 'not one h1',
      count(page, 'main') !== 1 && 'not one main',
      new Set(ids).size !== ids.length && 'an id stands twice',
      ...references.map((id) => !ids.includes(id) && `nothing is #${id}`),
      ...fields.map(({ attributes }) => {
        const id = attributes.get('id') ?? ''
        if (attributes.has('aria-hidden')) {
          const managed = attributes.get('autocomplete') === 'username'
          return !(managed && attributes.has('readonly')) && 'a hidden field is for managers only'
        }
        const labelled =
          attributes.get('type') === 'checkbox'
            ? page.includes(`<label class="check"><input type="checkbox" id="${id}"`)
            : values('for').includes(id)
        return !labelled && `#${id} has no label`
      }),
    ]
  })
  t.strictSame(found, [])
})

t.test(
  'every page loads one style sheet and one script of ours, and has neither in it',
  async (t) => {
    const found = complaints((page) => {
      const tags = tagsOf(page)
      const names = tags.map(({ name }) => name)
      const attributes = tags.flatMap((tag) => [...tag.attributes.keys()])
      const loaded = tags.filter(({ name }) => name === 'link')
      return [
        ...unwanted(` ${names.join(' ')} `, [/ (style|iframe|object|base) /]),
        ...tags.map(
          ({ attributes }) =>
            !/^\/\.sallyport\/a\/|^$/.test(
              `${attributes.get('src') ?? ''}${attributes.get('srcset') ?? ''}`,
            ) && 'loads a file that is not ours',
        ),
        count(page, 'script') !== 1 && 'not one script',
        ...missing(page, [`<script type="module" src="${script.path}"></script>\n</head>`]),
        ...unwanted(` ${attributes.join(' ')} `, [
          / (on\S*|style|srcdoc|formaction|required|maxlength) /,
        ]),
        ...missing(loaded.map((tag) => tag.attributes.get('href')).join(' '), [
          /^data:image\/svg\+xml,[^"]+ \/\.sallyport\/a\/portal\.[0-9a-f]{10}\.css$/,
        ]),
        // The only other origins are the owner's, on pages that lead there.
        ...unwanted(page.replaceAll(/https:\/\/[a-z]+\.exemple\.fr\//g, '/'), [
          /(href|action)="(https?:)?\/\/[^"]*"/,
        ]),
      ]
    })
    t.strictSame(found, [])
    t.strictSame([...ASSETS.keys()], [stylesheet.path, script.path])
  },
)

t.test('every form posts without the browser checking it, with its token', async (t) => {
  const token = `<input type="hidden" name="form_token" value="${sampleContext('fr').formToken}">`
  let forms = 0
  const found = complaints((page) =>
    (page.match(/<form[\s\S]*?<\/form>/g) ?? []).flatMap((form) => {
      forms += 1
      return missing(form, [
        /^<form method="post"(?: action="\/\.sallyport\/[a-z/-]+")?(?: class="[a-z]+")? novalidate>/,
        token,
        '<button type="submit"',
      ])
    }),
  )
  t.strictSame(found, [])
  t.ok(forms > 40)
})

t.test('every page is light', async (t) => {
  const found = complaints((page) => {
    const bytes = Buffer.byteLength(page.replace(/<svg xmlns[\s\S]*?<\/svg>/, ''))
    if (isApiPage(page)) {
      // All routes of the API on one page, for who looks for something in it (decision 0031).
      const sent = gzipSync(page).length
      return [bytes > 160_000 && `${bytes} bytes`, sent > 20_000 && `${sent} bytes compressed`]
    }
    // The account page is a list of all there is (decision 0021).
    const budget = page.includes('<h2 id="sessions">') ? 12_000 : 6000
    return [bytes > budget && `${bytes} bytes`]
  })
  t.strictSame(found, [])
  t.ok(Buffer.byteLength(stylesheet.body) <= 6000, `style sheet: ${stylesheet.body.length} bytes`)
  t.ok(gzipSync(keeper.body).length <= 2000, `keeper: ${gzipSync(keeper.body).length} bytes`)
  t.ok(gzipSync(script.body).length <= 12_000, `script: ${gzipSync(script.body).length} bytes`)
})

const HOSTILE = `<svg/onload=1>"'&`
/** Values that choose among texts, and the drawing that is finished markup. */
const KEPT = new Set([
  'lost',
  'kind',
  'problem',
  'notice',
  'field',
  'level',
  'qrSvg',
  'preset',
  'what',
  'due',
  'problems',
])

const spoil: Change = (view) => spoiled(view) as typeof view

function spoiled(value: unknown): unknown {
  if (typeof value === 'string') return HOSTILE
  if (Array.isArray(value)) return value.map(spoiled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, KEPT.has(name) ? item : spoiled(item)]),
  )
}

t.test('every page escapes whatever it is given', async (t) => {
  const hostileContext = (language: PageContext['language']): PageContext => ({
    language,
    languages: LANGUAGES,
    self: `/${HOSTILE}`,
    brand: { name: HOSTILE, help: `mailto:${HOSTILE}` },
    reference: HOSTILE,
    formToken: HOSTILE,
  })
  const look = (page: string): readonly Complaint[] => [
    ...unwanted(page, [/<svg\/onload/, /onload=1>/]),
    ...missing(page, ['&lt;svg/onload=1&gt;&quot;&#39;&amp;']),
    ...tagsOf(page.replace(/<link rel="icon"[^>]*>/, '')).flatMap(({ attributes }) => [
      ...unwanted([...attributes.keys()].join(' '), [/\bon\S+/]),
      ...missing(attributes.get('href') ?? '', [/^$|^[/#?]|^(mailto|otpauth|https):/]),
    ]),
  ]
  t.strictSame(complaints(look, hostileContext, spoil), [])
})

t.test('every French page keeps French typography', async (t) => {
  const found = complaints((page, language) =>
    language === 'fr'
      ? unwanted(textOf(withoutEnglish(page)), [
          /[^\u00a0\u202f\s][?!»]/,
          /\S*[ \n][;:!?»](?=\s)/,
          /« .*/,
          /&#39;/,
          /\d h \d/,
          /\d:\d\d\b(?!:)/,
        ])
      : [],
  )
  t.strictSame(found, [])
})

t.test('every page offers itself in the other language', async (t) => {
  const link = (language: string, self: string) =>
    language === 'fr'
      ? `<a href="${self}lang=en" hreflang="en" lang="en">English</a>`
      : `<a href="${self}lang=fr" hreflang="fr" lang="fr">Français</a>`
  const found = [
    ...complaints(
      (page, language) => missing(page, [link(language, '/.sallyport/x?rt=1&amp;')]),
      (language) => sampleContext(language, '/x?rt=1'),
    ),
    ...complaints((page, language) => missing(page, [link(language, '/.sallyport/login?')])),
    ...complaints(
      (page) => unwanted(page, [/hreflang/]),
      (language) => ({ ...sampleContext(language), languages: [language] }),
    ),
    ...complaints(
      (page, language) => [...missing(page, [link(language, '?')]), ...unwanted(page, [/evil/])],
      (language) => ({ ...sampleContext(language), self: '//evil.example/' }),
    ),
  ]
  t.strictSame(found, [])
})

t.test('every refused form says so first, and its fields say the same', async (t) => {
  let refused = 0
  const found = complaints((page, language) => {
    if (!page.includes('class="es"')) return []
    refused += 1
    const fields = [...page.matchAll(/<li><a href="#([a-z_]+)">([^<]+)<\/a>/g)]
    return [
      ...missing(page, [
        language === 'fr' ? '<title>Erreur\u00a0: ' : '<title>Error: ',
        '<div class="es" tabindex="-1" autofocus aria-labelledby="es-t">\n<div role="alert">',
      ]),
      page.indexOf('class="es"') > page.indexOf('<h1') && 'the heading comes first',
      page.match(/ autofocus/g)?.length !== 1 && 'two elements want the focus',
      ...fields.flatMap(([, id = '', message = '']) =>
        missing(page, [
          `</span>${message}</p>`,
          new RegExp(`id="${id}"[^>]* aria-invalid="true" aria-describedby="[^"]*${id}-error"`),
        ]),
      ),
      page.match(/aria-invalid/g)?.length !== (fields.length || undefined) && 'marks other fields',
    ]
  })
  t.strictSame(found, [])
  t.ok(refused >= 2 * 14)
})
