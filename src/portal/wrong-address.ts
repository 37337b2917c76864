import type { Answer } from '../http/answer.ts'
import { firstHeader, headerValues } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import { problemPage } from '../pages/problems/problem-page.ts'
import type { PortalDeps } from './portal-deps.ts'

/**
 * The origin that the browser shows where it is not the one we were asked as, though the page is
 * ours: a proxy changed `Host`, or the page was opened over the other scheme. `undefined` when the
 * form may as well be another site's. It is for words only: the form stays refused.
 */
export function shownOrigin(visit: Visit): string | undefined {
  const [origin, ...others] = headerValues(visit.headers, 'origin')
  if (origin === undefined || others.length > 0 || origin === visit.site.origin) return undefined
  if (!/^https?:\/\/[A-Za-z0-9_.:[\]-]{1,260}$/.test(origin)) return undefined
  const site = firstHeader(visit.headers, 'sec-fetch-site')
  if (site === 'same-origin') return origin
  const referer = firstHeader(visit.headers, 'referer') ?? ''
  // Old browsers, and all of them over plain http, say no more than that.
  return site === undefined && referer.startsWith(`${origin}/.sallyport/`) ? origin : undefined
}

/** The page that names both addresses. */
export function wrongAddressPage(deps: PortalDeps, visit: Visit, shown: string): Answer {
  deps.onLoop(visit, 'address')
  return deps.frame.page(
    visit,
    403,
    (page) =>
      problemPage(page, {
        kind: 'wrong_address',
        shown,
        asked: visit.site.origin,
        problem: schemeOnly(shown, visit.site.origin) ? 'scheme' : 'host',
      }),
    { oneLanguage: true },
  )
}

function schemeOnly(a: string, b: string): boolean {
  return a.replace(/^https?:/, '') === b.replace(/^https?:/, '')
}
