import { errorSummary } from '../error-summary.ts'
import { form, hidden, inputField } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { withQuery } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type TotpDeviceView = {
  readonly id: string
  /** As typed, or as it is. */
  readonly label: string
  readonly problem?: 'empty'
}

/** Another name for an authenticator app, and the way to remove it. */
export function totpDevicePage(context: PageContext, view: TotpDeviceView): string {
  const text = catalogue(context.language)
  const words = text.device
  const message = view.problem === undefined ? undefined : words.empty
  return layout(
    context,
    { title: words.title, failed: message !== undefined },
    html`${errorSummary(text, message === undefined ? [] : [{ message, field: 'label' }])}<h1>${words.title}</h1>
${form(
  context,
  { action: PATHS.totpDevice },
  html`${hidden('id', view.id)}${inputField(context, {
    name: 'label',
    label: words.name,
    problem: message,
    input: {
      type: 'text',
      value: view.label,
      autocomplete: 'off',
      enterkeyhint: 'done',
      autofocus: message === undefined,
    },
  })}<button type="submit">${words.submit}</button>`,
)}<p class="aside"><a href="${withQuery(PATHS.removeTotp, 'id', view.id)}">${text.accountPage.remove}</a></p>
<p class="aside"><a href="${PATHS.account}">${text.cancel}</a></p>`,
  )
}
