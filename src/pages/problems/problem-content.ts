import { SECOND } from '../../lib/duration.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { type Fragment, type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { helpLink, localLink, webLink } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { PageContext, ProblemView } from '../views.ts'

/** How much a page may take up: texts are cut, links that are too long are left out. */
export type Room = {
  /** Characters of a name. */
  readonly name: number
  /** Characters of an owner's text. */
  readonly words: number
  /** Bytes of a link, as written in the page. */
  readonly link: number
}

/** Heading and body of the page for each kind of problem, no longer than there is room for. */
export function problemContent(
  context: PageContext,
  view: ProblemView,
  room: Room,
): { readonly title: string; readonly body: Fragment } {
  const text = catalogue(context.language)
  const words = text.problem
  switch (view.kind) {
    case 'forbidden':
      return {
        title: words.forbidden.title(clip(view.appName, room.name)),
        body: forbidden(context, view, room),
      }
    case 'too_many':
      return { title: words.tooMany.title, body: tooMany(text, view) }
    case 'upstream':
      return {
        title: words.upstream.title(clip(view.appName, room.name)),
        body: [
          lead(words.upstream[view.problem]),
          html`<p>${words.upstream.lead}</p>\n`,
          retry(text, view.retryPath, room),
          status(text, view.statusPage, room),
        ],
      }
    case 'maintenance':
      return {
        title: words.maintenance.title(clip(view.appName, room.name)),
        body: [
          lead(clip(view.message, room.words)),
          retry(text, view.retryPath, room),
          status(text, view.statusPage, room),
        ],
      }
    case 'unavailable':
      return {
        title: words.unavailable.title,
        body: [lead(words.unavailable.lead), again(text), status(text, view.statusPage, room)],
      }
    case 'unknown_host':
      return {
        title: words.unknownHost.title,
        body: html`${lead(words.unknownHost.lead)}<p><code>${clip(view.host, room.name)}</code></p>\n`,
      }
    case 'not_found':
      return { title: words.notFound.title, body: [lead(words.notFound.lead), toApps(text)] }
    case 'bad_request':
      return { title: words.badRequest.title, body: lead(words.badRequest[view.problem]) }
    case 'foreign_form': {
      const back = fits(localLink(view.backPath), room) ?? PATHS.account
      return {
        title: words.foreignForm.title,
        body: [lead(words.foreignForm.lead), button(words.foreignForm.back, back)],
      }
    }
    case 'lost_cookie':
      return { title: words.loop.title, body: lostCookie(text, view, room) }
    case 'wrong_address':
      return { title: words.loop.title, body: wrongAddress(text, view, room) }
    case 'interrupted':
      return {
        title: words.interrupted[view.lack === 'session' ? 'title' : 'confirmTitle'],
        body: interrupted(text, view),
      }
    case 'framed':
      return {
        title: words.framed.title,
        body: html`${lead(words.framed.lead)}<p><a class="button" target="_top" href="${signInLink(view.loginUrl)}">${words.framed.signIn}</a></p>\n`,
      }
    case 'error':
      return {
        title: words.error.title,
        body: [lead(words.error.lead), again(text)],
      }
    default:
      return unreachable(view)
  }
}

/** At most `length` UTF-16 units, an ellipsis included; never half a character. */
export function clip(words: string, length: number): string {
  if (words.length <= length) return words
  return `${words.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

type View<Kind extends ProblemView['kind']> = Extract<ProblemView, { readonly kind: Kind }>

/** Who one is, what the owner says about it, and what one can do. */
function forbidden(context: PageContext, view: View<'forbidden'>, room: Room): Fragment {
  const text = catalogue(context.language)
  const words = text.problem.forbidden
  const subject = words.requestSubject(clip(view.appName, room.name), context.reference)
  const request = fits(helpLink(context.brand.help, subject), room)
  const change = link(view.switchPath, room)
  const apps = link(view.appsPath, room)
  const known = view.signedInAs !== ''
  return [
    known &&
      html`<p class="who">${text.signedInAs(view.signedInAs)}<strong><bdi>${clip(view.signedInAs, room.name)}</bdi></strong></p>\n`,
    view.explanation === undefined
      ? lead(known ? words.lead : words.anonymous)
      : lead(clip(view.explanation, room.words)),
    view.remediation !== undefined && html`<p>${clip(view.remediation, room.words)}</p>\n`,
    request !== undefined && button(words.request, request),
    change !== undefined && button(text.changeAccount, change, 'button quiet'),
    apps !== undefined && button(text.problem.apps, apps, 'button quiet'),
  ]
}

function tooMany(text: Catalogue, view: View<'too_many'>): Fragment {
  const words = text.problem.tooMany
  const seconds = view.retryAfterSeconds
  const length = html`<span data-seconds="${seconds}" aria-live="off">${words.length(seconds * SECOND)}</span>`
  return html`<p class="lead">${words.at} ${instant(text, view.retryAt, 'time')} (${words.in} ${length}).</p>
<p id="afterwards" hidden><a class="button" href="">${text.retry}</a></p>
`
}

/** Which cookie it is, what one can do oneself, and what whoever runs the proxy has to look at. */
function lostCookie(text: Catalogue, view: View<'lost_cookie'>, room: Room): Fragment {
  const words = text.problem.loop
  const host = clip(view.host, room.name)
  const account = link(view.account, room)
  return [
    lead(words.lost[view.lost](host)),
    html`<p><code>${view.cookie}</code></p>\n`,
    html`<p>${words.yourself[view.lost]}${view.lost !== 'app' && view.https && ` ${words.overHttps}`}</p>\n`,
    button(text.retry, signInLink(view.retry)),
    account !== undefined &&
      html`<p class="aside"><a href="${account}">${text.myAccount}</a></p>\n`,
    forOperators(text, words.operator[view.lost](host)),
  ]
}

function wrongAddress(text: Catalogue, view: View<'wrong_address'>, room: Room): Fragment {
  const words = text.problem.loop
  const asked = clip(view.asked, room.name)
  const home = view.problem === 'scheme' ? link(`${view.asked}/`, room) : undefined
  return [
    lead(words.address),
    html`<dl>
<dt>${words.shown}</dt><dd><code>${clip(view.shown, room.name)}</code></dd>
<dt>${words.asked}</dt><dd><code>${asked}</code></dd>
</dl>
`,
    home === undefined ? again(text) : button(words.openOverHttps, home),
    forOperators(text, words.addressOperator[view.problem]),
  ]
}

function forOperators(text: Catalogue, checks: readonly string[]): Html {
  return html`<h2>${text.problem.loop.operators}</h2>
<ul>
${checks.map((check) => html`<li>${check}</li>\n`)}</ul>
`
}

/** The form waits in this tab: one signs in beside it, and the browser sends it once more. */
function interrupted(text: Catalogue, view: View<'interrupted'>): Fragment {
  const words = text.problem.interrupted
  return html`${lead(words.lead)}<ol class="steps">
<li><a class="button" href="${signInLink(view.loginUrl)}" target="_blank" rel="noopener">${view.lack === 'session' ? words.signIn : words.confirm}</a></li>
<li><p>${words.reload}</p>
<button type="button" id="resend" hidden>${words.resend}</button></li>
</ol>
`
}

function lead(words: string): Html {
  return html`<p class="lead">${words}</p>\n`
}

function button(label: string, href: string, look = 'button'): Html {
  return html`<p><a class="${look}" href="${href}">${label}</a></p>\n`
}

function toApps(text: Catalogue): Html {
  return button(text.problem.apps, PATHS.launcher)
}

function status(text: Catalogue, page: string | undefined, room: Room): Fragment {
  const href = link(page, room)
  return (
    href !== undefined &&
    html`<p class="aside"><a href="${href}">${text.problem.statusPage}</a></p>\n`
  )
}

/** The page asked for, once more. */
function retry(text: Catalogue, path: string, room: Room): Html {
  const href = fits(localLink(path), room)
  return href === undefined ? again(text) : button(text.retry, href)
}

/** Whatever was asked for, once more: an empty link is the very address the browser shows. */
function again(text: Catalogue): Html {
  return button(text.retry, '')
}

function link(path: string | undefined, room: Room): string | undefined {
  return path === undefined ? undefined : fits(webLink(path), room)
}

function fits(href: string | undefined, room: Room): string | undefined {
  return href !== undefined && escapedBytes(href) <= room.link ? href : undefined
}

/** The way to sign in, which carries a ticket and is the point of its page, so it has more room. */
function signInLink(loginUrl: string): string {
  const href = webLink(loginUrl)
  return href !== undefined && escapedBytes(href) <= MAX_SIGN_IN_LINK ? href : PATHS.login
}

const MAX_SIGN_IN_LINK = 4000

function escapedBytes(href: string): number {
  return Buffer.byteLength(html`${href}`.toString())
}
