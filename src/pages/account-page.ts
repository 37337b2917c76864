import { form, hidden } from './fields.ts'
import { type Fragment, type Html, html } from './html.ts'
import { instant } from './instant.ts'
import { layout } from './layout.ts'
import { PATHS } from './paths.ts'
import { catalogue } from './text/catalogue.ts'
import type { Catalogue } from './text/fr.ts'
import type { AccountView, PageContext, SessionView } from './views.ts'

/** One's own account: who one is, the second factor, the recovery codes, the sessions. */
export function accountPage(context: PageContext, view: AccountView): string {
  const text = catalogue(context.language)
  return layout(
    context,
    { title: text.accountPage.title },
    html`<h1>${text.accountPage.title}</h1>
${notice(text, view)}${profile(text, view)}${totpSection(text, view)}${codesSection(context, view)}${sessionsSection(context, view)}${form(
  context,
  { action: PATHS.logout },
  html`<button type="submit">${text.accountPage.logout}</button>`,
)}`,
  )
}

/** From this many recovery codes down, the page asks to make new ones. */
const FEW_CODES = 3

function notice(text: Catalogue, view: AccountView): Fragment {
  if (view.notice === undefined) return undefined
  const words = text.accountPage.notice
  const message =
    view.notice === 'recovery_used' ? words.recovery_used(view.codesLeft ?? 0) : words[view.notice]
  return html`<p class="notice" role="status">${message}</p>\n`
}

function profile(text: Catalogue, view: AccountView): Html {
  const page = text.accountPage
  const rows: readonly (readonly [string, string])[] = [
    [text.displayName, view.displayName],
    [text.username, view.username],
    [text.email, view.email],
    [page.groups, view.groups.join(', ')],
    [page.level, page.levels[view.level]],
  ]
  return html`<section aria-labelledby="profile"><h2 id="profile">${page.profile}</h2>
<dl>${rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>\n`)}</dl></section>
`
}

function totpSection(text: Catalogue, view: AccountView): Html {
  const page = text.accountPage
  const enrolled = view.totp.length > 0
  return html`<section aria-labelledby="totp"><h2 id="totp">${page.totp}</h2>
${
  enrolled
    ? html`<ul class="cards">${view.totp.map(
        ({ label, addedAt }) =>
          html`<li><strong><bdi>${label}</bdi></strong><span class="hint">${page.addedAt} ${instant(text, addedAt)}</span></li>\n`,
      )}</ul>\n`
    : html`<p>${page.noTotp}</p>\n`
}<p><a class="button quiet" href="${PATHS.newTotp}">${enrolled ? page.addAnotherTotp : page.addTotp}</a></p></section>
`
}

/** Recovery codes stand for an authenticator app: without one there is nothing to show. */
function codesSection(context: PageContext, view: AccountView): Fragment {
  const { accountPage: page } = catalogue(context.language)
  const left = view.codesLeft
  if (left === undefined && view.totp.length === 0) return undefined
  const create = form(
    context,
    { action: PATHS.newRecoveryCodes },
    html`<button type="submit" class="quiet">${left === undefined ? page.createCodes : page.newCodes}</button>`,
  )
  return html`<section aria-labelledby="codes"><h2 id="codes">${page.codes}</h2>
${
  left === undefined
    ? html`<p>${page.noCodes}</p>\n${create}`
    : html`<p>${page.codesLeft(left, view.codesTotal ?? left)}</p>
${left <= FEW_CODES && html`<p class="notice">${page.fewCodes}</p>\n`}<details><summary>${page.newCodes}</summary>
<p>${page.newCodesWarning}</p>
${create}</details>`
}</section>
`
}

function sessionsSection(context: PageContext, view: AccountView): Html {
  const { accountPage: page } = catalogue(context.language)
  const others = view.sessions.some((session) => !session.current)
  return html`<section aria-labelledby="sessions"><h2 id="sessions">${page.sessions}</h2>
<ul class="cards">${view.sessions.map((session) => sessionCard(context, session))}</ul>
${
  others &&
  form(
    context,
    { action: PATHS.endOtherSessions },
    html`<button type="submit" class="quiet">${page.endOthers}</button>`,
  )
}</section>
`
}

function sessionCard(context: PageContext, session: SessionView): Html {
  const text = catalogue(context.language)
  const page = text.accountPage
  const device = page.sessionName(session.browser, session.system) || page.unknownDevice
  return html`<li><strong>${device}</strong>${session.current && html` <span class="tag">${page.thisSession}</span>`}
<dl><dt>${page.lastSeenAt}</dt><dd>${instant(text, session.lastSeenAt)}</dd>
<dt>${page.startedAt}</dt><dd>${instant(text, session.startedAt)}</dd>
<dt>${page.endsAt}</dt><dd>${instant(text, session.endsAt)}</dd>
<dt>${page.address}</dt><dd>${session.address}</dd></dl>
${
  !session.current &&
  form(
    context,
    { action: PATHS.endSession },
    html`${hidden('session', session.id)}<button type="submit" class="quiet">${page.endSession}<span class="vh">${text.colon} ${device}</span></button>`,
  )
}</li>
`
}
