import { html } from './html.ts'
import { layout } from './layout.ts'
import { webLink } from './link.ts'
import { PATHS } from './paths.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext, SignedOutView } from './views.ts'

/** Confirms that the session is over. */
export function signedOutPage(context: PageContext, view: SignedOutView): string {
  const text = catalogue(context.language)
  return layout(
    context,
    { title: text.signedOut.title },
    html`<h1>${text.signedOut.title}</h1>
<p class="lead">${text.signedOut.lead}</p>
<p><a class="button" href="${webLink(view.loginPath) ?? PATHS.login}">${text.signedOut.again}</a></p>
`,
  )
}
