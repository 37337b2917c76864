import type { Milliseconds } from '../../lib/duration.ts'
import { errorSummary, type SummaryItem } from '../error-summary.ts'
import { form, hidden, inputField } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type ForgottenView = {
  readonly username: string
  /** `busy`: too many ask at once, nothing was noted. */
  readonly problem?: 'empty' | 'busy'
}

/** Asks who forgot a password. */
export function forgottenPage(context: PageContext, view: ForgottenView): string {
  const text = catalogue(context.language)
  const words = text.links.forgotten
  const items: readonly SummaryItem[] =
    view.problem === undefined
      ? []
      : view.problem === 'busy'
        ? [{ message: text.busy }]
        : [{ field: 'username', message: words.empty }]
  const failed = items.length > 0
  return layout(
    context,
    { title: words.title, failed },
    html`${errorSummary(text, items)}<h1>${words.title}</h1>
<p class="lead">${words.lead}</p>
${form(
  context,
  { action: PATHS.forgotten },
  html`${inputField(context, {
    name: 'username',
    label: words.identifier,
    problem: view.problem === 'empty' ? words.empty : undefined,
    input: {
      type: 'text',
      value: view.username,
      autocomplete: 'username',
      autocapitalize: 'none',
      autocorrect: 'off',
      spellcheck: 'false',
      enterkeyhint: 'send',
      autofocus: !failed,
    },
  })}<button type="submit">${words.submit}</button>`,
)}<p class="aside"><a href="${PATHS.login}">${words.back}</a></p>
`,
  )
}

export type ResetSentView = {
  /** As it was typed, to ask once more. */
  readonly username: string
  /** How long a link works. */
  readonly lasts: Milliseconds
}

/** The same words whether a link was sent or not. */
export function resetSentPage(context: PageContext, view: ResetSentView): string {
  const text = catalogue(context.language)
  const words = text.links.forgotten
  return layout(
    context,
    { title: words.sentTitle },
    html`<h1>${words.sentTitle}</h1>
<p class="lead">${words.sent}</p>
<p>${words.lasts(text.format.duration(view.lasts))}</p>
${form(
  context,
  { action: PATHS.forgotten },
  html`${hidden('username', view.username)}<button type="submit" class="quiet">${words.again}</button>`,
)}<p class="aside"><a href="${PATHS.login}">${words.back}</a></p>
`,
  )
}
