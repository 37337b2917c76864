import { form } from '../fields.ts'
import { type Fragment, type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { catalogue, LANGUAGE_NAMES } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { Language, PageContext } from '../views.ts'
import { type ActivityItem, activityList } from './activity-list.ts'
import { type DeviceView, devicesSection } from './devices-section.ts'
import { section } from './section.ts'
import { type SessionView, sessionsSection } from './sessions-section.ts'

export type AccountView = {
  readonly username: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly level: 'one_factor' | 'two_factor'
  /** Absent: passkeys are not offered here. */
  readonly passkeys?: readonly DeviceView[]
  /** A passkey can be made at this address. */
  readonly mayAddPasskey: boolean
  readonly totp: readonly DeviceView[]
  /** Absent: the account has no set of codes. */
  readonly codes?: { readonly left: number; readonly total: number }
  /** Whether there is a second factor for which recovery codes can stand in. */
  readonly secondFactor: boolean
  /** Milliseconds since the epoch; 0: not since the account was made. */
  readonly passwordChangedAt: number
  /** Absent: no codes are sent to phones here. `masked` is empty while there is no number. */
  readonly phone?: { readonly masked: string }
  /** How many there are; absent: none can be made. */
  readonly tokens?: number
  /** Apps with logins of their own, and for how many one is kept; absent: there are none. */
  readonly appLogins?: { readonly kept: number; readonly all: number }
  readonly sessions: readonly SessionView[]
  /** The newest few. */
  readonly activity: readonly ActivityItem[]
  /** Empty: as the browser says. */
  readonly language: Language | ''
  readonly notice?: AccountNotice
}

/** What was just done. */
export type AccountNotice = keyof Catalogue['accountPage']['notice']

/** One's own account: its factors, then where it is signed in and what happened to it. */
export function accountPage(context: PageContext, view: AccountView): string {
  const text = catalogue(context.language)
  const page = text.accountPage
  return layout(
    context,
    { title: page.title },
    html`<h1>${page.title}</h1>
${notice(text, view)}${profile(text, view)}${
  view.passkeys !== undefined &&
  devicesSection(text, {
    id: 'passkeys',
    devices: view.passkeys,
    renamePath: PATHS.passkey,
    removePath: PATHS.removePasskey,
    ...(view.mayAddPasskey ? { addPath: PATHS.newPasskey } : {}),
    words: { heading: page.passkeys, none: page.noPasskeys, add: page.addPasskey },
  })
}${devicesSection(text, {
  id: 'totp',
  devices: view.totp,
  renamePath: PATHS.totpDevice,
  removePath: PATHS.removeTotp,
  addPath: PATHS.newTotp,
  words: { heading: page.totp, none: page.noTotp, add: page.addTotp },
})}${codes(text, view)}${password(text, view)}${phone(text, view)}${tokens(text, view)}${appLogins(text, view)}${sessionsSection(context, view.sessions)}${activity(text, view)}${language(context, view)}<p><a class="button quiet" href="${PATHS.launcher}">${text.launcher.title}</a></p>
${form(context, { action: PATHS.logout }, html`<button type="submit">${page.logout}</button>`)}`,
  )
}

/** From this many recovery codes down, people are asked to make new ones. */
export const FEW_CODES = 3

function notice({ accountPage: page }: Catalogue, view: AccountView): Fragment {
  if (view.notice === undefined) return undefined
  const words = page.notice[view.notice]
  const message = typeof words === 'string' ? words : words(view.codes?.left ?? 0)
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
  return section(
    'profile',
    page.profile,
    html`<dl>${rows
      .filter(([, value]) => value !== '')
      .map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>\n`)}</dl>`,
  )
}

/** Recovery codes stand for a second factor: without one there is nothing to make. */
function codes({ accountPage: page }: Catalogue, view: AccountView): Fragment {
  const { codes } = view
  if (codes === undefined && !view.secondFactor) return undefined
  return section(
    'codes',
    page.codes,
    html`<p>${codes === undefined ? page.noCodes : page.codesLeft(codes.left, codes.total)}</p>
${
  codes !== undefined &&
  codes.left <= FEW_CODES &&
  view.secondFactor &&
  html`<p class="notice">${page.fewCodes}</p>\n`
}${
  view.secondFactor &&
  html`<p><a class="button quiet" href="${PATHS.newRecoveryCodes}">${codes === undefined ? page.createCodes : page.newCodes}</a></p>`
}`,
  )
}

function password(text: Catalogue, { passwordChangedAt: at }: AccountView): Html {
  const page = text.accountPage
  return section(
    'password',
    page.password,
    html`<p>${at === 0 ? page.passwordUnchanged : html`${page.passwordChangedAt} ${instant(text, at)}`}</p>
<p><a class="button quiet" href="${PATHS.changePassword}">${page.changePassword}</a></p>`,
  )
}

function phone({ accountPage: page }: Catalogue, view: AccountView): Fragment {
  if (view.phone === undefined) return undefined
  const { masked } = view.phone
  const none = masked === ''
  return section(
    'phone',
    page.phone,
    html`<p>${none ? page.noPhone : html`<bdi>${masked}</bdi>`}</p>
<p><a class="button quiet" href="${PATHS.phone}">${none ? page.addPhone : page.changePhone}</a></p>`,
  )
}

function tokens({ tokens: words }: Catalogue, { tokens: count }: AccountView): Fragment {
  if (count === undefined) return undefined
  return section(
    'tokens',
    words.title,
    html`<p>${words.count(count)}</p>
<p><a class="button quiet" href="${PATHS.tokens}">${words.manage}</a></p>`,
  )
}

function appLogins({ appLogins: words }: Catalogue, { appLogins: count }: AccountView): Fragment {
  if (count === undefined) return undefined
  return section(
    'app-logins',
    words.title,
    html`<p>${words.count(count.kept, count.all)}</p>
<p><a class="button quiet" href="${PATHS.appLogins}">${words.manage}</a></p>`,
  )
}

function activity(text: Catalogue, view: AccountView): Fragment {
  if (view.activity.length === 0) return undefined
  const page = text.accountPage
  return section(
    'activity',
    page.activity,
    html`${activityList(text, view.activity)}<p class="aside"><a href="${PATHS.activity}">${page.allActivity}</a></p>`,
  )
}

function language(context: PageContext, view: AccountView): Fragment {
  const { accountPage: page } = catalogue(context.language)
  if (context.languages.length < 2) return undefined
  const choices = [...context.languages, ''] as const
  return section(
    'language',
    page.language,
    form(
      context,
      { action: PATHS.language },
      choices.map((choice) => {
        const name = choice === '' ? page.browserLanguage : LANGUAGE_NAMES[choice]
        const tongue = choice !== '' && html` lang="${choice}"`
        return html`<p class="aside">${
          choice === view.language
            ? html`<span class="check"><strong${tongue}>${name}</strong></span>`
            : html`<button type="submit" name="language" value="${choice}" class="link"${tongue}>${name}</button>`
        }</p>\n`
      }),
    ),
  )
}
