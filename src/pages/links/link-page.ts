import type { Milliseconds } from '../../lib/duration.ts'
import { form, hidden } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { accountLine } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type SignInLinkView = {
  /** One-time token, sent back in the hidden field `token`. */
  readonly token: string
  readonly username: string
  /** Longest time of the session it opens. */
  readonly lasts: Milliseconds
}

/** One button, so that whoever only looks at the link uses nothing up. */
export function signInLinkPage(context: PageContext, view: SignInLinkView): string {
  const text = catalogue(context.language)
  const words = text.links.signIn
  return layout(
    context,
    { title: words.title },
    html`<h1>${words.title}</h1>
${accountLine(context, view.username)}<p class="lead">${words.lead(text.format.duration(view.lasts))}</p>
<p>${words.advice}</p>
${form(
  context,
  { action: PATHS.signInLink },
  html`${hidden('token', view.token)}<button type="submit">${words.submit}</button>`,
)}`,
  )
}
