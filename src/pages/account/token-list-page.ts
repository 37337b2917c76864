import { type Fragment, type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { layout } from '../layout.ts'
import { withQuery } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { PageContext } from '../views.ts'

/** A personal token as its owner is shown it. */
export type TokenView = {
  readonly id: string
  readonly name: string
  /** Its last characters. */
  readonly hint: string
  readonly apps: readonly string[]
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  readonly createdAt: number
  /** 0: never. */
  readonly lastUsedAt: number
  readonly lastUsedFrom: string
  /** 0: it does not. */
  readonly expiresAt: number
  readonly expired: boolean
}

export type TokenListView = {
  readonly tokens: readonly TokenView[]
  readonly notice?: 'revoked'
}

/** One's own tokens: what each may be used for, when it was, and the way to its end. */
export function tokenListPage(context: PageContext, view: TokenListView): string {
  const text = catalogue(context.language)
  const words = text.tokens
  return layout(
    context,
    { title: words.title },
    html`<h1>${words.title}</h1>
${view.notice !== undefined && html`<p class="notice" role="status">${words[view.notice]}</p>\n`}<p class="lead">${words.lead}</p>
${
  view.tokens.length === 0
    ? html`<p>${words.none}</p>\n`
    : html`<ul class="cards">${view.tokens.map((token) => card(text, token))}</ul>\n`
}<p><a class="button quiet" href="${PATHS.newToken}">${words.add}</a></p>
<p class="aside"><a href="${PATHS.account}">${words.back}</a></p>`,
  )
}

function card(text: Catalogue, token: TokenView): Html {
  const { facts, revoke } = text.tokens
  const row = (name: string, value: Fragment) => html`<dt>${name}</dt><dd>${value}</dd>\n`
  return html`<li><strong><bdi>${token.name}</bdi></strong>${token.expired && html` <span class="tag">${facts.expired}</span>`}
<dl>${row(facts.hint, html`<code>…${token.hint}</code>`)}${row(facts.scope, scope(text, token))}${row(
    facts.createdAt,
    instant(text, token.createdAt),
  )}${row(
    facts.lastUsedAt,
    token.lastUsedAt === 0
      ? facts.neverUsed
      : html`${instant(text, token.lastUsedAt)} ${facts.from(token.lastUsedFrom)}`,
  )}${row(
    facts.expiresAt,
    token.expiresAt === 0 ? facts.endless : instant(text, token.expiresAt),
  )}</dl>
<p class="aside"><a href="${withQuery(PATHS.revokeToken, 'id', token.id)}">${revoke}<span class="vh">${text.colon} ${token.name}</span></a></p></li>
`
}

function scope(text: Catalogue, { apps, methods, paths }: TokenView): Fragment {
  const { facts } = text.tokens
  if (apps.length + methods.length + paths.length === 0) return facts.everything
  const parts = [apps.join(', '), methods.join(' '), paths.join(' ')].filter((part) => part !== '')
  return html`<bdi>${parts.join(' · ')}</bdi>`
}
