import { type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { layout } from '../layout.ts'
import { withQuery } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { PageContext } from '../views.ts'

/** An app with logins of its own, and the one that is kept, without its password. */
export type AppLoginView = {
  /** For addresses. */
  readonly id: string
  readonly label: string
  /** `false`: nothing can be set any more, only removed. */
  readonly open: boolean
  readonly kept?: { readonly user: string; readonly updatedAt: number }
}

export type AppLoginListView = {
  readonly apps: readonly AppLoginView[]
  readonly notice?: 'set' | 'removed'
}

/** What one is signed in with at apps that have a login of their own. */
export function appLoginListPage(context: PageContext, view: AppLoginListView): string {
  const text = catalogue(context.language)
  const words = text.appLogins
  return layout(
    context,
    { title: words.title },
    html`<h1>${words.title}</h1>
${view.notice !== undefined && html`<p class="notice" role="status">${words[view.notice]}</p>\n`}<p class="lead">${words.lead}</p>
${
  view.apps.length === 0
    ? html`<p>${words.none}</p>\n`
    : html`<ul class="cards">${view.apps.map((app) => card(text, app))}</ul>\n`
}<p class="aside"><a href="${PATHS.account}">${words.back}</a></p>`,
  )
}

function card(text: Catalogue, { id, label, open, kept }: AppLoginView): Html {
  const words = text.appLogins
  const { facts } = words
  const link = (path: string, name: string) =>
    html`<p class="aside"><a href="${withQuery(path, 'app', id)}">${name}<span class="vh">${text.colon} ${label}</span></a></p>`
  return html`<li><strong><bdi>${label}</bdi></strong>${!open && html` <span class="tag">${facts.closed}</span>`}
${
  kept === undefined
    ? html`<p>${facts.nobody}</p>\n`
    : html`<dl><dt>${facts.user}</dt><dd><bdi>${kept.user}</bdi></dd>
<dt>${facts.updatedAt}</dt><dd>${instant(text, kept.updatedAt)}</dd></dl>\n`
}${open && link(PATHS.setAppLogin, kept === undefined ? words.add : words.change)}${
  kept !== undefined && link(PATHS.removeAppLogin, words.remove)
}</li>
`
}
