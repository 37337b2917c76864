import { form } from './fields.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'
import { webLink } from './link.ts'
import { PATHS } from './paths.ts'
import { accountLine } from './sign-in/second-step.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext } from './views.ts'

/** The apps somebody may use. */
export type LauncherView = {
  readonly username: string
  readonly apps: readonly {
    readonly name: string
    /** One or two characters that stand for it. */
    readonly icon: string
    /** The owner's words in this language; empty when there are none. */
    readonly description: string
    /** Absolute address of its front page. */
    readonly url: string
  }[]
}

export function launcherPage(context: PageContext, view: LauncherView): string {
  const text = catalogue(context.language)
  const { launcher: words } = text
  const cards = view.apps.map(({ name, icon, description, url }) => {
    const href = webLink(url)
    const label = html`<bdi>${name}</bdi>`
    const link = href === undefined ? label : html`<a href="${href}">${label}</a>`
    return html`<li><strong class="aside"><span class="tag" aria-hidden="true">${icon}</span> ${link}</strong>${
      description !== '' && html`<span class="hint">${description}</span>`
    }</li>\n`
  })
  return layout(
    context,
    { title: words.title },
    html`<h1>${words.title}</h1>
${accountLine(context, view.username)}${
  cards.length === 0
    ? html`<p class="notice">${words.none}</p>\n`
    : html`<ul class="cards">${cards}</ul>\n`
}<p><a class="button quiet" href="${PATHS.account}">${text.myAccount}</a></p>
${form(
  context,
  { action: PATHS.logout, class: 'aside' },
  html`<button type="submit" class="link">${text.logout.submit}</button>`,
)}`,
  )
}
