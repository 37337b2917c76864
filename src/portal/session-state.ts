import { type Answer, problemJson } from '../http/answer.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import { keeper } from '../pages/assets.ts'
import { PATHS } from '../pages/paths.ts'
import { resumedPage } from '../pages/resumed-page.ts'
import type { PortalDeps } from './portal-deps.ts'
import type { Route } from './route.ts'
import { currentSession, redirect, sessionToken } from './signing-in.ts'

/**
 * What pages of apps may know of the session: whether there is one, and until when. These routes
 * are on every host. SECURITY: nothing here says whose session it is, and what an app's script can
 * do with it, it can do by asking for a page of its own.
 */
export function sessionStateRoutes(deps: PortalDeps): readonly Route[] {
  const outlook = async (visit: Visit): Promise<Answer> => {
    const token = sessionToken(visit)
    const found = token === undefined ? undefined : await deps.sessions.outlook(token)
    if (found === undefined) return json({ state: 'none', ends_in: 0 })
    const left = Math.max(0, Math.floor((found.endsAt - deps.clock.now()) / 1000))
    return json({
      state: 'active',
      ends_at: new Date(found.endsAt).toISOString(),
      // A browser's clock may be wrong: this is for its timers.
      ends_in: left,
      extends: found.extends,
    })
  }

  return [
    {
      method: 'GET',
      path: PATHS.sessionState,
      handle: async (visit) => (isSameOrigin(visit) ? outlook(visit) : foreign(visit)),
    },
    {
      method: 'POST',
      path: PATHS.sessionState,
      // The proof of the form was: it came from a page of this origin.
      handle: async (visit) => {
        await currentSession(deps, visit)
        return outlook(visit)
      },
    },
    {
      method: 'GET',
      path: PATHS.keeper,
      handle: async () => ({
        status: 200,
        headers: [
          ['Content-Type', keeper.contentType],
          ['Cache-Control', 'public, max-age=3600'],
          ['X-Content-Type-Options', 'nosniff'],
          ['Cross-Origin-Resource-Policy', 'same-origin'],
        ],
        body: keeper.body,
      }),
    },
    {
      method: 'GET',
      path: PATHS.resumed,
      handle: async (visit, query) => {
        const current = await currentSession(deps, visit)
        const login = `${visit.site.portalOrigin}${PATHS.login}`
        if (query.has('again')) {
          const ticket = deps.tickets.issue(`${visit.site.origin}/`, 'interrupted')
          const confirm = current.kind === 'active' ? 'confirm=1&' : ''
          return redirect(`${login}?${confirm}rt=${ticket}`)
        }
        // NOTE: without a ticket, or a cookie that is lost on this host would lead round for ever.
        if (current.kind !== 'active') return redirect(login)
        return deps.frame.page(visit, 200, resumedPage)
      },
    },
  ]
}

function json(body: object): Answer {
  return {
    status: 200,
    headers: [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Cross-Origin-Resource-Policy', 'same-origin'],
    ],
    body: JSON.stringify(body),
  }
}

/** Browsers say where a request comes from; programs without cookies learn nothing here anyway. */
function isSameOrigin({ headers }: Visit): boolean {
  const site = firstHeader(headers, 'sec-fetch-site')
  return site === undefined || site === 'same-origin' || site === 'none'
}

function foreign(visit: Visit): Answer {
  return problemJson({
    status: 403,
    title: 'Not for other origins',
    code: 'foreign_origin',
    reference: visit.requestId,
  })
}
