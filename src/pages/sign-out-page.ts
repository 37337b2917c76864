import { form, hidden } from './fields.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'
import { PATHS } from './paths.ts'
import { accountLine } from './sign-in/second-step.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext, SignOutView } from './views.ts'

/** Asks before signing out: shown when the request may come from another site. */
export function signOutPage(context: PageContext, view: SignOutView): string {
  const text = catalogue(context.language)
  return layout(
    context,
    { title: text.logout.title },
    html`<h1>${text.logout.title}</h1>
${accountLine(context, view.username)}<p class="lead">${text.logout.lead}</p>
${form(
  context,
  { action: PATHS.logout },
  html`${view.leadsTo !== undefined && hidden('rd', view.leadsTo)}<button type="submit">${text.logout.submit}</button>`,
)}<p class="aside"><a href="${PATHS.account}">${text.cancel}</a></p>
`,
  )
}
