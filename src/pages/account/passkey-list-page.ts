import { errorSummary } from '../error-summary.ts'
import { form, hidden, inputField } from '../fields.ts'
import { type Fragment, type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { layout } from '../layout.ts'
import { withQuery } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

/** One passkey as its owner is shown it. */
export type PasskeyView = {
  readonly id: string
  readonly label: string
  /** Who keeps it, e.g. `iCloud Keychain`; empty when it does not say. */
  readonly provider: string
  /** It was added as a key that does not verify its user. */
  readonly plainKey: boolean
  readonly addedAt: number
  /** 0: never. */
  readonly lastUsedAt: number
}

export type PasskeyListView = {
  readonly passkeys: readonly PasskeyView[]
  /** JSON that tells the browser which of them are still good; absent where it cannot be told. */
  readonly accepted?: string
  readonly notice?: 'added' | 'renamed' | 'removed'
}

/** All passkeys of an account. Script tells the device which of them are still good. */
export function passkeyListPage(context: PageContext, view: PasskeyListView): string {
  const text = catalogue(context.language)
  const { list } = text.passkeys
  return layout(
    context,
    { title: list.title },
    html`<h1>${list.title}</h1>
${view.notice !== undefined && html`<p class="notice" role="status">${list[view.notice]}</p>\n`}${
  view.accepted !== undefined && html`<div hidden data-accepted="${view.accepted}"></div>\n`
}${
  view.passkeys.length === 0
    ? html`<p>${list.none}</p>\n`
    : html`<ul class="cards">${view.passkeys.map(
        (one) =>
          html`<li><strong><bdi>${one.label}</bdi></strong>${details(context, one)}<p class="aside"><a href="${withQuery(PATHS.passkey, 'id', one.id)}">${list.change}<span class="vh">${text.colon} ${one.label}</span></a></p></li>\n`,
      )}</ul>\n`
}<p><a class="button quiet" href="${PATHS.newPasskey}">${list.add}</a></p>
<p class="aside"><a href="${PATHS.account}">${list.back}</a></p>`,
  )
}

export type PasskeyOneView = PasskeyView & {
  /** The name as typed was refused. */
  readonly problem?: 'empty'
}

/** One passkey: what it is, its name, and the way to remove it. */
export function passkeyOnePage(context: PageContext, view: PasskeyOneView): string {
  const text = catalogue(context.language)
  const { one, problem } = text.passkeys
  const message = view.problem === undefined ? undefined : problem.label
  return layout(
    context,
    { title: one.title, failed: message !== undefined },
    html`${errorSummary(text, message === undefined ? [] : [{ message, field: 'label' }])}<h1>${one.title}</h1>
${details(context, view)}${form(
  context,
  { action: PATHS.passkey },
  html`${hidden('id', view.id)}${inputField(context, {
    name: 'label',
    label: one.label,
    hint: one.labelHint,
    problem: message,
    input: { type: 'text', value: view.label, autocomplete: 'off', enterkeyhint: 'go' },
  })}<button type="submit">${one.save}</button>`,
)}<p><a class="button quiet" href="${withQuery(PATHS.removePasskey, 'id', view.id)}">${one.remove}</a></p>
<p class="aside"><a href="${PATHS.passkey}">${text.cancel}</a></p>`,
  )
}

function details(context: PageContext, view: PasskeyView): Html {
  const text = catalogue(context.language)
  const { one } = text.passkeys
  const row = (name: string, value: Fragment) => html`<dt>${name}</dt><dd>${value}</dd>\n`
  return html`<dl>${view.plainKey && row(one.kind, one.securityKey)}${
    view.provider !== '' && row(one.provider, html`<bdi>${view.provider}</bdi>`)
  }${row(one.addedAt, instant(text, view.addedAt))}${
    view.lastUsedAt > 0
      ? row(one.lastUsedAt, instant(text, view.lastUsedAt))
      : row(one.lastUsedAt, one.never)
  }</dl>\n`
}
