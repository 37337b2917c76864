import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { SECOND } from '../../lib/duration.ts'
import { problemPage } from '../../pages/problems/problem-page.ts'
import type { SentCodeView, SmsProblem } from '../../pages/sign-in/sms-sent.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'

/** A code that is under way, as pages show it: in time from now. */
export function sentView(
  { clock }: Pick<PortalDeps, 'clock'>,
  code: { readonly expiresAt: number; readonly nextAt: number },
): SentCodeView {
  const now = clock.now()
  return { expiresIn: code.expiresAt - now, nextIn: Math.max(0, code.nextAt - now) }
}

/** The page that says how long to wait for another code; programs read it in `Retry-After`. */
export async function tooSoon(
  { clock }: Pick<PortalDeps, 'clock'>,
  retryAt: number,
  page: (problem: SmsProblem & object) => Promise<Answer>,
): Promise<Answer> {
  const wait = Math.max(SECOND, retryAt - clock.now())
  const answer = await page({ tooSoon: wait })
  const seconds = String(Math.ceil(wait / SECOND))
  return { ...answer, headers: [...answer.headers, ['Retry-After', seconds]] }
}

/**
 * The same routes, which are not there while no provider is configured. The table names them all the
 * same, so that whoever reads it misses none.
 */
export function whileSmsIsOn(deps: PortalDeps, routes: readonly Route[]): readonly Route[] {
  const absent = async (visit: Visit): Promise<Answer> =>
    deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'not_found' }))
  return routes.map((route): Route => {
    // One branch for each method: what is handed on differs.
    if (route.method === 'GET') {
      const handle: typeof route.handle = (visit, query) =>
        deps.phones.enabled ? route.handle(visit, query) : absent(visit)
      return { ...route, handle }
    }
    const handle: typeof route.handle = (visit, form) =>
      deps.phones.enabled ? route.handle(visit, form) : absent(visit)
    return { ...route, handle }
  })
}
