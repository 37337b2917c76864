import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { localLink, withQuery } from '../link.ts'
import { PATHS } from '../paths.ts'
import { accountLine } from '../sign-in/second-step.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'
import { type ActivityItem, activityList } from './activity-list.ts'

export type ActivityView = {
  readonly username: string
  readonly items: readonly ActivityItem[]
  /** Counted from 1, newest first. */
  readonly page: number
  readonly more: boolean
}

/** What happened to the account in the last 30 days, a page at a time. */
export function activityPage(context: PageContext, view: ActivityView): string {
  const text = catalogue(context.language)
  const words = text.activity
  const pageLink = (page: number, label: string) =>
    html`<p class="aside"><a href="${localLink(withQuery(PATHS.activity, 'page', String(page))) ?? ''}">${label}</a></p>\n`
  return layout(
    context,
    { title: words.title },
    html`<h1>${words.title}</h1>
${accountLine(context, view.username)}<p>${words.lead}</p>
${view.items.length === 0 ? html`<p>${words.none}</p>\n` : activityList(text, view.items)}${
  view.more && pageLink(view.page + 1, words.older)
}${view.page > 1 && pageLink(view.page - 1, words.newer)}<p class="aside"><a href="${PATHS.account}">${words.back}</a></p>`,
  )
}
