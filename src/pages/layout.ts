import { script, stylesheet } from './assets.ts'
import { type Fragment, type Html, html, trustedMarkup } from './html.ts'
import { helpLink, localLink, withQuery } from './link.ts'
import { ICON, MARK } from './mark.ts'
import { catalogue, LANGUAGE_NAMES } from './text/catalogue.ts'
import type { Brand, PageContext } from './views.ts'

export type PageHead = {
  /** What the page is about; app and organisation are added. */
  readonly title: string
  readonly app?: string | undefined
  /** The form on it was refused: the title says so first, so that it is heard first. */
  readonly failed?: boolean
  /** A page to look things up in, not one to fill in: as wide as can be read. */
  readonly wide?: boolean
}

/** The whole document around a page: skip link, header, main, footer. `main` holds the one `h1`. */
export function layout(context: PageContext, head: PageHead, main: Fragment): string {
  const text = catalogue(context.language)
  const title = [head.title, head.app, context.brand.name].filter((part) => part).join(' – ')
  return html`<!doctype html>
<html lang="${context.language}" dir="ltr">
<head>
<meta charset="utf-8">
<title>${head.failed === true && text.errorPrefix}${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="${trustedMarkup(ICON)}">
<link rel="stylesheet" href="${context.brand.stylesheet ?? stylesheet.path}">
<script type="module" src="${script.path}"></script>
</head>
<body${head.wide === true && trustedMarkup(' class="wide"')}>
<a class="skip" href="#main">${text.skip}</a>
<header>${logo(context.brand)}<span>${context.brand.name}</span></header>
<main id="main" tabindex="-1">
${main}
</main>
<footer>
${help(context)}${languages(context)}<p>${text.reference}${'\u00a0'}<span class="ref">${context.reference}</span></p>
</footer>
</body>
</html>
`.toString()
}

/** The owner's logo, or our mark. The name stands beside it, so that it says nothing itself. */
function logo({ logo }: Brand): Html {
  if (logo === undefined) return trustedMarkup(MARK)
  const image = html`<img src="${logo.path}" alt="">`
  return logo.dark === undefined
    ? image
    : html`<picture><source srcset="${logo.dark}" media="(prefers-color-scheme:dark)">${image}</picture>`
}

function help(context: PageContext): Fragment {
  const text = catalogue(context.language)
  const href = helpLink(context.brand.help, text.helpSubject(context.reference))
  return href !== undefined && html`<p><a href="${href}">${text.help}</a></p>\n`
}

/** Links to the same page in the other languages, each named in its own language. */
function languages(context: PageContext): Fragment {
  if (context.languages.length < 2) return false
  const self = localLink(context.self)
  const entries = context.languages.map((language) =>
    language === context.language
      ? html`<span lang="${language}">${LANGUAGE_NAMES[language]}</span>`
      : html`<a href="${withQuery(self ?? '', 'lang', language)}" hreflang="${language}" lang="${language}">${LANGUAGE_NAMES[language]}</a>`,
  )
  return html`<p>${entries.map((entry, index) => (index === 0 ? entry : html` | ${entry}`))}</p>\n`
}
