import { type Fragment, type Html, html } from '../html.ts'
import { layout } from '../layout.ts'
import { localLink } from '../link.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { Language, PageContext } from '../views.ts'

/** The API, described for people. Words about single routes are in English. */
export type ApiPageView = {
  readonly version: string
  /** Where it begins, e.g. `https://auth.example.fr/.sallyport/api/v1`. */
  readonly base: string
  readonly documentPath: string
  readonly groups: readonly ApiGroup[]
  readonly refusals: readonly {
    readonly code: string
    readonly status: number
    readonly title: Readonly<Record<Language, string>>
  }[]
  readonly shapes: readonly {
    readonly name: string
    readonly words: string
    readonly fields: readonly ApiField[]
    /** Where it is no object. */
    readonly type?: ApiType
  }[]
}

/** Routes under one heading. */
export type ApiGroup = {
  readonly id: string
  readonly name: string
  readonly words: string
  readonly operations: readonly ApiOperation[]
}

export type ApiOperation = {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  /** Paragraphs; what stands between back ticks is code. */
  readonly words: readonly string[]
  readonly query: readonly ApiField[]
  readonly body: readonly ApiField[]
  readonly answers: readonly {
    readonly status: string
    readonly words: string
    readonly type?: ApiType
    /** Where the answer is an object that has no name of its own. */
    readonly fields: readonly ApiField[]
  }[]
  readonly refusals: readonly string[]
}

export type ApiField = {
  /** With the names around it, e.g. `user.id`. */
  readonly name: string
  readonly type: ApiType
  readonly required: boolean
  readonly words: string
}

/** In parts, of which some lead to a shape. */
export type ApiType = readonly { readonly text: string; readonly shape: boolean }[]

/** What the API can do, how it refuses, and what its answers look like. */
export function apiPage(context: PageContext, main: Html): string {
  return layout(context, { title: catalogue(context.language).apiPage.title, wide: true }, main)
}

/** All of the page that depends on nothing but the language: it is made once. */
export function apiPageMain(language: Language, view: ApiPageView): Html {
  const text = catalogue(language)
  const words = text.apiPage
  return html`<h1>${words.title}</h1>
<p>${words.lead}</p>
<dl><dt>${words.base}</dt><dd><code>${view.base}</code></dd><dt>${words.version}</dt><dd>${view.version}</dd></dl>
<p class="aside"><a href="${localLink(view.documentPath) ?? ''}">${words.document}</a></p>
<nav aria-label="${words.contents}">${view.groups.map(groupContents)}<p class="aside"><a href="#refusals">${words.refusals}</a></p>
<p class="aside"><a href="#shapes">${words.shapes}</a></p></nav>
${view.groups.map((group) => groupSection(text, group))}<section aria-labelledby="refusals"><h2 id="refusals">${words.refusals}</h2>
<p>${words.refusalsLead}</p>
<dl>${view.refusals.map(
    ({ code, status, title }) =>
      html`<dt id="${code}"><code>${code}</code></dt><dd>${status}${text.colon} ${title[language]}</dd>\n`,
  )}</dl></section>
<section aria-labelledby="shapes"><h2 id="shapes">${words.shapes}</h2>
<ul class="cards" lang="en">${view.shapes.map(
    ({ name, words, fields, type }) =>
      html`<li id="shape-${name}"><strong>${name}</strong>${words !== '' && html`<p>${prose(words)}</p>`}${
        type !== undefined && html`<p>${typeText(type)}</p>`
      }${fieldList(text, fields)}</li>\n`,
  )}</ul></section>`
}

/** Closed, for there are many; nothing but the contents hides what one may search for. */
function groupContents({ id, name, operations }: ApiGroup): Html {
  return html`<details lang="en"><summary>${name}</summary><ul><li><a href="#${id}">${name}</a></li>${operations.map(
    (one) => html`<li><a href="#${one.id}"><code>${one.method} ${one.path}</code></a></li>`,
  )}</ul></details>
`
}

function groupSection(text: Catalogue, { id, name, words, operations }: ApiGroup): Html {
  return html`<section aria-labelledby="${id}" lang="en"><h2 id="${id}">${name}</h2>
${words !== '' && html`<p>${prose(words)}</p>\n`}<ul class="cards">${operations.map((one) =>
    operationCard(text, one),
  )}</ul></section>
`
}

function operationCard(text: Catalogue, operation: ApiOperation): Html {
  const { id, method, path, summary, words, query, body, answers, refusals } = operation
  const own = text.apiPage
  // Headings of ours are in the page's language, inside a part that is in English.
  const part = (title: string, content: Fragment) =>
    html`<dt lang="${own.language}">${title}</dt><dd>${content}</dd>`
  return html`<li id="${id}"><h3>${summary}</h3><p><code>${method} ${path}</code></p>${words.map(
    (paragraph) => html`<p>${prose(paragraph)}</p>`,
  )}<dl>${query.length > 0 && part(own.query, fieldList(text, query))}${
    body.length > 0 && part(own.body, fieldList(text, body))
  }${part(
    own.answers,
    answers.map(
      ({ status, words, type, fields }) =>
        html`<p><code>${status}</code> ${prose(words)}${
          type !== undefined && fields.length === 0 && html` – ${typeText(type)}`
        }</p>${fieldList(text, fields)}`,
    ),
  )}${part(
    own.refusals,
    refusals.map((code, at) => html`${at > 0 && ', '}<a href="#${code}">${code}</a>`),
  )}</dl></li>
`
}

function fieldList(text: Catalogue, fields: readonly ApiField[]): Fragment {
  if (fields.length === 0) return false
  return fields.map(
    ({ name, type, required, words }) =>
      html`<p><code>${name}</code> ${typeText(type)}${
        !required && html` <span lang="${text.apiPage.language}">${text.optional}</span>`
      }${words !== '' && html`<span class="hint">${prose(words)}</span>`}</p>`,
  )
}

function typeText(type: ApiType): Fragment {
  return type.map(({ text, shape }) =>
    shape ? html`<a href="#shape-${text}">${text}</a>` : html`${text}`,
  )
}

/** What stands between back ticks is code. */
function prose(text: string): Fragment {
  return text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))
}
