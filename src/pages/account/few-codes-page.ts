import { form, hidden } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { localLink } from '../link.ts'
import { PATHS } from '../paths.ts'
import { accountLine, withTicket } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type FewCodesView = {
  readonly username: string
  readonly left: number
  /** When the codes were made that new ones replace. */
  readonly replaces: number
  readonly returnTicket: string
  /** Where one goes on without new codes: an absolute path. */
  readonly laterPath: string
}

/** After a recovery code was used and few are left: new ones, before they run out. */
export function fewCodesPage(context: PageContext, view: FewCodesView): string {
  const text = catalogue(context.language)
  const { used, ask } = text.codes
  return layout(
    context,
    { title: used.title(view.left) },
    html`<h1>${used.title(view.left)}</h1>
${accountLine(context, view.username)}<p>${used.lead}</p>
${form(
  context,
  { action: PATHS.newRecoveryCodes, returnTicket: view.returnTicket },
  html`${hidden('replaces', String(view.replaces))}<button type="submit">${ask.submit}</button>`,
)}<p><a class="button quiet" href="${localLink(view.laterPath) ?? PATHS.account}">${used.later}</a></p>
<p class="aside"><a href="${withTicket(PATHS.newTotp, view.returnTicket)}">${used.newApp}</a></p>`,
  )
}
