import { form } from '../fields.ts'
import { type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'
import { section } from './section.ts'

export type SessionView = {
  readonly id: string
  readonly current: boolean
  /** e.g. `Firefox`, `Linux`; empty when unknown. */
  readonly browser: string
  readonly system: string
  readonly address: string
  readonly startedAt: number
  readonly lastSeenAt: number
}

/** Where the account is signed in, with a button to end each session. */
export function sessionsSection(context: PageContext, sessions: readonly SessionView[]): Html {
  const { accountPage: page } = catalogue(context.language)
  const others = sessions.some((session) => !session.current)
  const cards = html`<ul class="cards">${sessions.map((session) => card(context, session))}</ul>`
  return section(
    'sessions',
    page.sessions,
    others
      ? html`${form(context, { action: PATHS.endSession }, cards)}${form(
          context,
          { action: PATHS.endOtherSessions },
          html`<button type="submit" class="quiet">${page.endOthers}</button>`,
        )}`
      : cards,
  )
}

/** The present session ends with the button that signs out. */
function card(context: PageContext, session: SessionView): Html {
  const text = catalogue(context.language)
  const page = text.accountPage
  const device = page.deviceName(session.browser, session.system) || page.unknownDevice
  return html`<li><strong>${device}</strong>${session.current && html` <span class="tag">${page.thisSession}</span>`}
<dl><dt>${page.startedAt}</dt><dd>${instant(text, session.startedAt)}</dd>
<dt>${page.lastSeenAt}</dt><dd>${instant(text, session.lastSeenAt)}</dd>
<dt>${page.address}</dt><dd>${session.address}</dd></dl>
${
  !session.current &&
  html`<button type="submit" name="session" value="${session.id}" class="quiet">${page.endSession}<span class="vh">${text.colon} ${device}</span></button>`
}</li>
`
}
