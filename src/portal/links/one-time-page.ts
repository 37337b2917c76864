import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { linkGonePage } from '../../pages/links/link-gone-page.ts'
import type { PageContext } from '../../pages/views.ts'
import type { PortalDeps } from '../portal-deps.ts'

/**
 * A page whose address may hold a one-time token: it is told to nobody by `Referer`, neither to
 * other sites nor to the app that shares this origin.
 *
 * @param self the page's path, and its token if it has one
 */
export function oneTimePage(
  deps: Pick<PortalDeps, 'frame'>,
  visit: Visit,
  status: number,
  render: (context: PageContext) => string,
  self: { readonly path: string; readonly token: string },
): Answer {
  const { path, token } = self
  const page = deps.frame.page(visit, status, render, {
    headers: [['Referrer-Policy', 'no-referrer']],
    self: token === '' ? path : `${path}?token=${encodeURIComponent(token)}`,
  })
  if (status !== 503) return page
  return { ...page, headers: [...page.headers, ['Retry-After', '5']] }
}

/** The page that stands where a link does nothing any more. 404 whatever the reason. */
export function linkGone(
  deps: Pick<PortalDeps, 'frame'>,
  visit: Visit,
  kind: 'expired' | 'gone',
  anotherPath?: string,
): Answer {
  const path = visit.target.split('?', 1)[0] ?? '/'
  const view = { kind, ...(anotherPath === undefined ? {} : { anotherPath }) }
  return oneTimePage(deps, visit, 404, (page) => linkGonePage(page, view), { path, token: '' })
}
