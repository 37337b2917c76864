import { form } from '../fields.ts'
import { html } from '../html.ts'
import { instant } from '../instant.ts'
import { layout } from '../layout.ts'
import { localLink } from '../link.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'
import type { AddableFactor } from './confirm-page.ts'
import { accountLine, changeAccount } from './second-step.ts'

/** An account that must add a second factor is told so, and until when it may wait. */
export type SecondFactorDueView = {
  readonly username: string
  readonly returnTicket: string
  /** Milliseconds since the epoch; absent: it may not wait any more. */
  readonly until?: number
  /** What it may add, best first. */
  readonly add: readonly AddableFactor[]
}

export function secondFactorDuePage(context: PageContext, view: SecondFactorDueView): string {
  const text = catalogue(context.language)
  const words = text.secondStep.due
  const { until } = view
  const add = view.add.map(
    ({ kind, path }, at) =>
      html`<p><a class="${at === 0 ? 'button' : 'button quiet'}" href="${localLink(path) ?? ''}">${kind === 'totp' ? words.app : words.passkey}</a></p>\n`,
  )
  return layout(
    context,
    { title: words.title },
    html`<h1>${words.title}</h1>
${
  until === undefined
    ? html`<p class="lead">${words.over}</p>\n`
    : html`<p class="lead">${words.until} ${instant(text, until)}.</p>
<p>${words.untilLead}</p>\n`
}${accountLine(context, view.username)}${add}${
  until === undefined
    ? changeAccount(context, view.returnTicket)
    : form(
        context,
        { returnTicket: view.returnTicket },
        html`<button type="submit" class="quiet">${words.later}</button>`,
      )
}`,
  )
}
