import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { localLink } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type LinkGoneView = {
  readonly kind: 'expired' | 'gone'
  /** Where one asks for another oneself; absent: an operator gives it. */
  readonly anotherPath?: string
}

/** Why a one-time link does nothing, and how one comes by another. */
export function linkGonePage(context: PageContext, view: LinkGoneView): string {
  const text = catalogue(context.language)
  const words = text.links.gone
  const { title } = text.problem.linkGone
  const another = view.anotherPath === undefined ? undefined : localLink(view.anotherPath)
  return layout(
    context,
    { title },
    html`<h1>${title}</h1>
<p class="lead">${words[view.kind]}</p>
${
  another === undefined
    ? html`<p>${words.ask}</p>
<p class="aside"><a href="${PATHS.login}">${text.links.forgotten.back}</a></p>\n`
    : html`<p><a class="button" href="${another}">${words.another}</a></p>\n`
}`,
  )
}
