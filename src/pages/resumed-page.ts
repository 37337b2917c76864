import { html } from './html.ts'
import { layout } from './layout.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext } from './views.ts'

/**
 * The end of a sign-in that was made beside a page which waits in another tab. It says nothing of
 * who it is: apps' hosts show it. Its script tells the other tabs.
 */
export function resumedPage(context: PageContext): string {
  const { resumed: words } = catalogue(context.language).problem
  return layout(
    context,
    { title: words.title },
    html`<h1>${words.title}</h1>
<p class="lead" id="resumed">${words.lead}</p>
<p><a class="button quiet" href="/">${words.home}</a></p>
`,
  )
}
