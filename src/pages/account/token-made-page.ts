import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'
import { copyButton } from './copy-button.ts'

export type TokenMadeView = { readonly name: string; readonly token: string }

/** A new token, shown this once. */
export function tokenMadePage(context: PageContext, view: TokenMadeView): string {
  const { made } = catalogue(context.language).tokens
  return layout(
    context,
    { title: made.title },
    html`<h1>${made.title}</h1>
<p class="lead"><bdi>${view.name}</bdi></p>
<p>${made.lead} <strong>${made.once}</strong></p>
<p class="key" id="token" role="group" aria-label="${made.label}"><code>${view.token}</code></p>
${copyButton('token', made.copy, made.copied)}<p class="hint">${made.how}</p>
<p><a class="button" href="${PATHS.tokens}">${made.done}</a></p>`,
  )
}
