import t from 'tap'
import {
  type Change,
  SAMPLE_PAGES,
  type SamplePage,
  sampleContext,
} from '../../scripts/sample-pages.ts'
import { ASSETS, icon, stylesheet } from '../../src/pages/assets.ts'
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

function textOf(page: string): string {
  return page.replace(/<head>[\s\S]*<\/head>/, '').replace(/<[^>]*>/g, ' ')
}

const all = (
  change: (page: string, sample: SamplePage, language: PageContext['language']) => void,
) => {
  for (const sample of SAMPLE_PAGES) {
    for (const language of LANGUAGES) {
      change(sample.render(sampleContext(language)), sample, language)
    }
  }
}

t.test('every page is complete in both languages', async (t) => {
  all((page, { name }, language) => {
    const at = `${name} (${language})`
    t.ok(page.startsWith(`<!doctype html>\n<html lang="${language}" dir="ltr">`), at)
    t.ok(page.endsWith('</html>\n'), at)
    t.notMatch(page, /undefined|null|NaN|\[object|=>|Invalid|Promise/, at)
    t.notMatch(
      page,
      /<(h1|h2|p|a|label|button|summary|li|dt|dd|title|strong)(?: [^>]*)?>\s*<\/\1>/,
      at,
    )
    t.match(page, /<title>[^<]+ – Exemple SA<\/title>/, at)
    t.match(page, 'content="width=device-width, initial-scale=1"', at)
    t.match(page, '7F3K-2Q9D', at)
  })
})

t.test('every page has one main, one h1, and a label for each field', async (t) => {
  all((page, { name }, language) => {
    const at = `${name} (${language})`
    const tags = tagsOf(page)
    const count = (wanted: string) => tags.filter((tag) => tag.name === wanted).length
    t.equal(count('h1'), 1, `${at}: h1`)
    t.equal(count('main'), 1, `${at}: main`)
    t.match(page, /<body>\n<a class="skip" href="#main">/, at)

    const ids = tags.flatMap((tag) => tag.attributes.get('id') ?? [])
    t.equal(new Set(ids).size, ids.length, `${at}: ids are unique`)
    const labelled = tags.flatMap((tag) => tag.attributes.get('for') ?? [])
    for (const { name: tag, attributes } of tags) {
      for (const id of `${attributes.get('aria-describedby') ?? ''} ${attributes.get('aria-labelledby') ?? ''}`.split(
        ' ',
      )) {
        if (id !== '') t.ok(ids.includes(id), `${at}: #${id} exists`)
      }
      const href = attributes.get('href')
      if (href?.startsWith('#') === true) t.ok(ids.includes(href.slice(1)), `${at}: ${href} exists`)
      if (tag !== 'input' || attributes.get('type') === 'hidden') continue
      if (attributes.has('aria-hidden')) {
        t.equal(attributes.get('autocomplete'), 'username', at)
        t.ok(attributes.has('readonly'), at)
        continue
      }
      const own = attributes.get('id') ?? ''
      if (attributes.get('type') === 'checkbox') {
        t.match(page, new RegExp(`<label class="check"><input type="checkbox" id="${own}"`), at)
      } else t.ok(labelled.includes(own), `${at}: #${own} has a label`)
    }
  })
})

t.test('every page works under a policy without scripts and inline styles', async (t) => {
  all((page, { name }, language) => {
    const at = `${name} (${language})`
    for (const { name: tag, attributes } of tagsOf(page)) {
      t.notOk(['script', 'style', 'iframe', 'img', 'object', 'base'].includes(tag), `${at}: ${tag}`)
      for (const attribute of attributes.keys()) {
        t.notMatch(attribute, /^on|^style$|^srcdoc$|^formaction$|^required$|^maxlength$/, at)
      }
    }
    const loaded = tagsOf(page).filter((tag) => tag.name === 'link')
    t.strictSame(
      loaded.map((tag) => tag.attributes.get('href')),
      [icon.path, stylesheet.path],
      `${at}: loads its own assets only`,
    )
    // The only other origin is the portal's own, on pages that lead back to it.
    t.notMatch(
      page.replaceAll('https://auth.exemple.fr/', '/'),
      /(href|action|src)="(https?:)?\/\//,
      at,
    )
  })
  t.ok(ASSETS.has(stylesheet.path))
})

t.test('every form posts without the browser checking it, with its token', async (t) => {
  all((page, { name }, language) => {
    const forms = page.match(/<form[\s\S]*?<\/form>/g) ?? []
    for (const form of forms) {
      const at = `${name} (${language})`
      t.match(
        form,
        /^<form method="post" action="\/\.sallyport\/[a-z/-]+"(?: class="[a-z]+")? novalidate>/,
        at,
      )
      t.match(
        form,
        `<input type="hidden" name="form_token" value="${sampleContext(language).formToken}">`,
        at,
      )
      t.match(form, /<button type="submit"/, at)
    }
  })
})

t.test('every page is light', async (t) => {
  all((page, { name }, language) => {
    const light = page.replace(/<svg xmlns[\s\S]*?<\/svg>/, '')
    const bytes = Buffer.byteLength(light)
    t.ok(bytes <= 6000, `${name} (${language}): ${bytes} bytes`)
  })
  t.ok(Buffer.byteLength(stylesheet.body) <= 6000, `style sheet: ${stylesheet.body.length} bytes`)
  t.ok(Buffer.byteLength(icon.body) <= 1000)
})

const HOSTILE = `<svg/onload=1>"'&`
/** Values that choose among texts, and the drawing that is finished markup. */
const KEPT = new Set(['kind', 'problem', 'notice', 'field', 'level', 'qrSvg'])

const spoil: Change = (view) => spoiled(view) as typeof view

function spoiled(value: unknown, key = ''): unknown {
  if (KEPT.has(key)) return value
  if (typeof value === 'string') return HOSTILE
  if (Array.isArray(value)) return value.map((item) => spoiled(item, key === 'problems' ? '' : key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, spoiled(item, name)]),
  )
}

t.test('every page escapes whatever it is given', async (t) => {
  for (const { name, render } of SAMPLE_PAGES) {
    for (const language of LANGUAGES) {
      const at = `${name} (${language})`
      const context: PageContext = {
        language,
        languages: LANGUAGES,
        self: `/${HOSTILE}`,
        brand: { name: HOSTILE, help: `mailto:${HOSTILE}` },
        reference: HOSTILE,
        formToken: HOSTILE,
      }
      const page = render(context, spoil)
      t.notMatch(page, '<svg/onload', at)
      t.notMatch(page, HOSTILE, at)
      t.match(page, '&lt;svg/onload=1&gt;&quot;&#39;&amp;', at)
      for (const { name: tag, attributes } of tagsOf(page)) {
        for (const attribute of attributes.keys()) t.notMatch(attribute, /^on/, `${at}: ${tag}`)
        const href = attributes.get('href') ?? ''
        t.ok(/^$|^[/#?]|^(mailto|otpauth|https):/.test(href), `${at}: ${href}`)
      }
    }
  }
})

t.test('every French page keeps French typography', async (t) => {
  for (const { name, render } of SAMPLE_PAGES) {
    const page = render(sampleContext('fr'))
    const text = textOf(page)
    t.notMatch(text, /[^\u00a0\u202f\s][;!?»]|[ \n][;:!?»](?=\s)|« /, name)
    t.notMatch(text, '&#39;', name)
    t.notMatch(text, / h \d\d/, name)
  }
})

t.test('every page offers itself in the other language', async (t) => {
  for (const { name, render } of SAMPLE_PAGES) {
    const french = render(sampleContext('fr', '/x?rt=1'))
    t.match(
      french,
      '<a href="/.sallyport/x?rt=1&amp;lang=en" hreflang="en" lang="en">English</a>',
      name,
    )
    t.match(french, '<span lang="fr">Français</span>', name)
    const english = render(sampleContext('en', '/x'))
    t.match(english, '<a href="/.sallyport/x?lang=fr" hreflang="fr" lang="fr">Français</a>', name)
    const single = render({ ...sampleContext('fr'), languages: ['fr'] })
    t.notMatch(single, 'hreflang', name)
    const elsewhere = render({ ...sampleContext('fr'), self: '//evil.example/' })
    t.match(elsewhere, '<a href="?lang=en" hreflang', name)
    t.notMatch(elsewhere, 'evil', name)
  }
})

t.test('every refused form says so first', async (t) => {
  const refused = SAMPLE_PAGES.filter(({ name }) =>
    /wrong|empty|busy|refused|format|not-saved/.test(name),
  )
  t.ok(refused.length >= 8)
  for (const { name, render } of refused) {
    const page = render(sampleContext('en'))
    t.match(page, '<title>Error: ', name)
    t.match(
      page,
      /<div class="es" tabindex="-1" autofocus aria-labelledby="es-t">\n<div role="alert">/,
      name,
    )
    t.ok(
      page.indexOf('class="es"') < page.indexOf('<h1'),
      `${name}: the summary is above the heading`,
    )
    t.equal(page.match(/ autofocus/g)?.length, 1, `${name}: one element takes the focus`)
    for (const [, id = '', message = ''] of page.matchAll(
      /<li><a href="#([a-z_]+)">([^<]+)<\/a>/g,
    )) {
      t.match(page, `</span>${message}</p>`, `${name}: the field says the same`)
      t.match(
        page,
        new RegExp(`id="${id}"[^>]* aria-invalid="true" aria-describedby="[^"]*${id}-error"`),
        name,
      )
    }
  }
})
