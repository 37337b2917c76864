import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { Answer } from '../http/answer.ts'
import { formProof } from '../http/form-proof.ts'
import { firstHeader } from '../http/raw-headers.ts'
import { readBody } from '../http/read-body.ts'
import type { Visit } from '../http/visit.ts'
import { ASSETS } from '../pages/assets.ts'
import { PATHS } from '../pages/paths.ts'
import { problemPage } from '../pages/problems/problem-page.ts'
import { accountRoutes } from './account/account-routes.ts'
import { activityRoutes } from './account/activity-routes.ts'
import { appLoginRoutes } from './account/app-login-routes.ts'
import { enrolRoutes } from './account/enrol-routes.ts'
import { languageRoutes } from './account/language-routes.ts'
import { passkeyEnrolRoutes } from './account/passkey-enrol-routes.ts'
import { passkeyListRoutes } from './account/passkey-list-routes.ts'
import { passwordRoutes } from './account/password-routes.ts'
import { phoneRoutes } from './account/phone-routes.ts'
import { recoveryCodeRoutes } from './account/recovery-code-routes.ts'
import { sessionRoutes } from './account/session-routes.ts'
import { tokenRoutes } from './account/token-routes.ts'
import { totpDeviceRoutes } from './account/totp-device-routes.ts'
import { apiPageRoutes } from './api-page-routes.ts'
import { readForm } from './form.ts'
import { launcherRoutes } from './launcher-routes.ts'
import { invitationRoutes } from './links/invitation-routes.ts'
import { linkRoutes } from './links/link-routes.ts'
import { resetRoutes } from './links/reset-routes.ts'
import { setupRoutes } from './links/setup-routes.ts'
import { formCookieLost, lostCookiePage } from './lost-cookie.ts'
import type { PortalDeps } from './portal-deps.ts'
import type { Route, SubmitRoute } from './route.ts'
import { sessionStateRoutes } from './session-state.ts'
import { confirmRoutes } from './sign-in/confirm-routes.ts'
import { loginRoutes } from './sign-in/login-routes.ts'
import { overdueFirst } from './sign-in/overdue.ts'
import { passkeyLoginRoutes } from './sign-in/passkey-login-routes.ts'
import { secondStepRoutes } from './sign-in/second-step-routes.ts'
import { smsRoutes } from './sign-in/sms-routes.ts'
import { SIGNED_OUT, signOutRoutes } from './sign-out-routes.ts'
import { redirect } from './signing-in.ts'
import { shownOrigin, wrongAddressPage } from './wrong-address.ts'

/** Every page and form of the portal. */
export function portalRoutes(deps: PortalDeps): readonly Route[] {
  return [
    ...apiPageRoutes(deps),
    ...setupRoutes(deps),
    ...resetRoutes(deps),
    ...invitationRoutes(deps),
    ...linkRoutes(deps),
    ...loginRoutes(deps),
    ...passkeyLoginRoutes(deps),
    ...secondStepRoutes(deps),
    ...confirmRoutes(deps),
    ...smsRoutes(deps),
    ...enrolRoutes(deps),
    ...passkeyEnrolRoutes(deps),
    ...passkeyListRoutes(deps),
    ...totpDeviceRoutes(deps),
    ...recoveryCodeRoutes(deps),
    ...accountRoutes(deps),
    ...sessionRoutes(deps),
    ...activityRoutes(deps),
    ...languageRoutes(deps),
    ...passwordRoutes(deps),
    ...phoneRoutes(deps),
    ...tokenRoutes(deps),
    ...appLoginRoutes(deps),
    ...signOutRoutes(deps),
    ...launcherRoutes(deps),
    ...sessionStateRoutes(deps),
  ]
}

/** Answers a request under `/.sallyport/`. Rejects when the store is unavailable. */
export type Portal = (visit: Visit, req: IncomingMessage, res: ServerResponse) => Promise<void>

const MAX_FORM_BYTES = 16 * 1024

type Env = { Bindings: HttpBindings & { visit: Visit } }

/** The portal over hono: a table of routes, and the proof every form must bring. */
export function createPortal(deps: PortalDeps): Portal {
  const visits = new WeakMap<IncomingMessage, Visit>()
  const failures = new WeakMap<IncomingMessage, unknown>()
  const app = new Hono<Env>({ strict: true })
  const routes = portalRoutes(deps)

  app.use(async (c, next) => {
    const { visit } = c.env
    if (isAtHome(visit)) {
      // SECURITY: routes are found by the path with its escapes taken out. What is judged by the
      // path as it was sent holds for what answers only where the two are the same.
      if (c.req.path !== visit.target.split('?', 1)[0]) return c.notFound()
      const first = await overdueFirst(deps, visit)
      return first === undefined ? next() : respond(first)
    }
    if (visit.method !== 'GET' && visit.method !== 'HEAD') return respond(foreign(deps, visit))
    return respond(redirect(`${visit.site.portalOrigin}${visit.target}`))
  })
  for (const { path, contentType, body } of [...ASSETS.values(), ...deps.brandAssets]) {
    app.get(path, (c) =>
      c.body(body, 200, {
        'Content-Type': contentType,
        'Cache-Control': 'public, max-age=31536000, immutable',
        'X-Content-Type-Options': 'nosniff',
        'Cross-Origin-Resource-Policy': 'same-origin',
        // An owner's picture may hold scripts, which run when it is opened by itself.
        'Content-Security-Policy': "default-src 'none'; sandbox",
      }),
    )
  }
  for (const route of routes) {
    if (route.method === 'GET') {
      app.get(route.path, async (c) => {
        const { visit } = c.env
        const query = new URLSearchParams(visit.target.split('?')[1] ?? '')
        return respond(await route.handle(visit, query))
      })
    } else {
      app.post(route.path, async (c) => respond(await submit(deps, c.env, route)))
    }
  }
  const allowed = new Map<string, string>()
  for (const { path, method } of routes) {
    const known = allowed.get(path)
    const methods = method === 'GET' ? 'GET, HEAD' : method
    allowed.set(path, known === undefined ? methods : `${known}, ${methods}`)
  }
  app.notFound((c) => {
    const { visit } = c.env
    const allow = allowed.get(visit.target.split('?', 1)[0] ?? '')
    if (allow === undefined) {
      return respond(
        deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'not_found' })),
      )
    }
    const refused = problem(deps, visit, 405, 'request')
    return respond({ ...refused, headers: [...refused.headers, ['Allow', allow]] })
  })
  app.onError((error) => {
    throw error
  })

  const respond = (answer: Answer): Response =>
    new Response(answer.body === '' ? null : answer.body, {
      status: answer.status,
      headers: answer.headers.map(([name, value]): [string, string] => [name, value]),
    })
  const listener = getRequestListener(
    async (request, bindings) => {
      const env = bindings as HttpBindings
      const visit = visits.get(env.incoming)
      try {
        if (visit === undefined) throw new TypeError('a request without a visit')
        return await app.fetch(request, { ...env, visit })
      } catch (error) {
        // SECURITY: the listener would send the error's message to the client. The edge renders
        // it: it knows what a missing store means for the status.
        failures.set(env.incoming, error)
        return RESPONSE_ALREADY_SENT
      }
    },
    {
      overrideGlobalObjects: false,
      hostname: 'localhost',
      errorHandler: (error) => {
        throw error
      },
    },
  )

  return async (visit, req, res) => {
    visits.set(req, visit)
    await listener(req, res)
    if (failures.has(req)) throw failures.get(req)
  }
}

/**
 * Whether the visit's host may show what it asks for. Where one portal serves several hosts, an
 * app's host only signs out, and says whether there is a session and until when.
 * SECURITY: a script of an app has the origin of the app's host: what the portal answers there it
 * could read and send, and so add a second factor of its own to the visitor's account.
 */
function isAtHome({ site, host, target }: Visit): boolean {
  if (site.origin === site.portalOrigin) return true
  if (host.name === new URL(site.portalOrigin).hostname) return true
  const path = target.split('?', 1)[0] ?? ''
  return EVERYWHERE.has(path) || path.startsWith(PATHS.assets)
}

/** None of these says who it is, and none needs more than the app itself can do. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  PATHS.logout,
  SIGNED_OUT,
  PATHS.sessionState,
  PATHS.keeper,
  PATHS.resumed,
])

/** Content type, then where the form came from; only then its fields. */
async function submit(
  deps: PortalDeps,
  { visit, incoming }: Env['Bindings'],
  route: SubmitRoute,
): Promise<Answer> {
  const type = firstHeader(visit.headers, 'content-type') ?? ''
  if (!/^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(type)) {
    return problem(deps, visit, 415, 'request')
  }
  const proof = formProof(visit.headers, visit.site.origin)
  if (proof === 'foreign') {
    const shown = shownOrigin(visit)
    return shown === undefined ? foreign(deps, visit) : wrongAddressPage(deps, visit, shown)
  }
  const body = await readBody(incoming, MAX_FORM_BYTES)
  if (body.kind === 'too_long') return problem(deps, visit, 413, 'request')
  const form = body.kind === 'read' ? readForm(body.text) : undefined
  if (form === undefined) return problem(deps, visit, 400, 'request')
  if (formCookieLost(visit, form.has('form_token'))) {
    return lostCookiePage(deps, visit, 'form', form.value('rt'))
  }
  if (proof === 'unknown') {
    if (!maySayNothing(visit, route.path)) return foreign(deps, visit)
    if (!deps.frame.isFormToken(visit, form.value('form_token'))) return foreign(deps, visit)
  }
  return route.handle(visit, form)
}

/**
 * Whether the form's token alone may prove where it came from. SECURITY: another host of our domain
 * can set the cookie that the token is bound to, and a sandboxed frame there sends `Origin: null`:
 * a browser that does not name the site as well is believed on the pages that make it say so.
 */
function maySayNothing({ headers }: Visit, path: string): boolean {
  if (firstHeader(headers, 'origin') !== 'null') return true
  return firstHeader(headers, 'sec-fetch-site') === 'same-origin' || WITHOUT_REFERRER.has(path)
}

/** Pages whose address may hold a one-time token: see `one-time-page.ts`. */
const WITHOUT_REFERRER: ReadonlySet<string> = new Set([
  PATHS.setup,
  PATHS.reset,
  PATHS.invitation,
  PATHS.signInLink,
])

function foreign(deps: PortalDeps, visit: Visit): Answer {
  return deps.frame.page(visit, 403, (page) =>
    problemPage(page, { kind: 'foreign_form', backPath: PATHS.account }),
  )
}

function problem(deps: PortalDeps, visit: Visit, status: number, kind: 'path' | 'request'): Answer {
  return deps.frame.page(visit, status, (page) =>
    problemPage(page, { kind: 'bad_request', problem: kind }),
  )
}
