import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { accountLine, withTicket } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'
import { downloadForm, savedForm } from './recovery-codes-page.ts'

export type CodesShownView = { readonly username: string; readonly returnTicket: string }

/** What is left of the page of recovery codes once it was shown: the file, and new ones. */
export function codesShownPage(context: PageContext, view: CodesShownView): string {
  const { already } = catalogue(context.language).codes
  return layout(
    context,
    { title: already.title },
    html`<h1>${already.title}</h1>
${accountLine(context, view.username)}<p>${already.lead}</p>
${downloadForm(context)}${savedForm(context, view.returnTicket)}<p class="aside"><a href="${withTicket(`${PATHS.newRecoveryCodes}?again`, view.returnTicket)}">${already.replace}</a></p>`,
  )
}
