import type { Account } from '../../accounts/account.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { Secret } from '../../lib/secret.ts'
import type { Asker, OwnAppLogin } from '../../login/own-app-logins.ts'
import { type AppLoginFormView, appLoginFormPage } from '../../pages/account/app-login-form-page.ts'
import { appLoginListPage } from '../../pages/account/app-login-list-page.ts'
import { askPage } from '../../pages/ask-page.ts'
import { withQuery } from '../../pages/link.ts'
import { PATHS } from '../../pages/paths.ts'
import { problemPage } from '../../pages/problems/problem-page.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import { MAX_LOGIN_PASSWORD, MAX_LOGIN_USER } from '../../tokens/upstream-login.ts'
import { ownSession } from '../own-session.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { currentSession, freshSession, loginContext, redirect } from '../signing-in.ts'

/** Logins at apps that have their own: listed, set, removed. A password is never shown. */
export function appLoginRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.appLogins,
      handle: async (visit, query) => {
        const own = await ownSession(deps, visit, PATHS.appLogins)
        if (own.kind === 'elsewhere') return own.answer
        const apps = await deps.appLogins.of(askerFor(deps, visit, own.account))
        const told = query.get('notice')
        const notice = told === 'set' || told === 'removed' ? ({ notice: told } as const) : {}
        return deps.frame.page(visit, 200, (page) => appLoginListPage(page, { apps, ...notice }), {
          self: PATHS.appLogins,
        })
      },
    },
    {
      method: 'GET',
      path: PATHS.setAppLogin,
      handle: async (visit, query) => {
        const found = await openApp(deps, visit, query.get('app') ?? '')
        if (found.kind === 'first') return found.answer
        return formPage(deps, visit, 200, { ...found.app, user: found.app.kept?.user ?? '' })
      },
    },
    {
      method: 'POST',
      path: PATHS.setAppLogin,
      handle: async (visit, form) => {
        const found = await openApp(deps, visit, form.value('app'))
        if (found.kind === 'first') return found.answer
        const { app, account, session } = found
        const user = form.value('login_user').trim()
        const set = await deps.appLogins.set(
          askerFor(deps, visit, account),
          { account, session, context: loginContext(deps, visit) },
          app.id,
          { user, password: new Secret(form.value('login_password')) },
        )
        switch (set.kind) {
          case 'set':
            return redirect(`${PATHS.appLogins}?notice=set`)
          case 'unknown':
            return notFound(deps, visit)
          case 'refused':
            return formPage(deps, visit, 422, {
              ...app,
              user,
              problem: { field: set.fault, most: MOST[set.fault] },
            })
        }
      },
    },
    {
      method: 'GET',
      path: PATHS.removeAppLogin,
      handle: async (visit, query) => {
        const found = await ownApp(deps, visit, query.get('app') ?? '')
        if (found.kind === 'first') return found.answer
        const { app } = found
        if (app.kept === undefined) return notFound(deps, visit)
        return deps.frame.page(
          visit,
          200,
          (page) => {
            const { ask } = catalogue(page.language).appLogins
            return askPage(page, {
              title: ask.title(app.label),
              lead: ask.lead,
              submit: ask.submit,
              backPath: PATHS.appLogins,
              fields: { app: app.id },
            })
          },
          { self: withQuery(PATHS.removeAppLogin, 'app', app.id) },
        )
      },
    },
    {
      method: 'POST',
      path: PATHS.removeAppLogin,
      handle: async (visit, form) => {
        const found = await ownApp(deps, visit, form.value('app'))
        if (found.kind === 'first') return found.answer
        const { app, account, session } = found
        const by = { account, session, context: loginContext(deps, visit) }
        // Sent twice, it is gone all the same.
        await deps.appLogins.remove(by, app.id)
        return redirect(`${PATHS.appLogins}?notice=removed`)
      },
    },
  ]
}

/** Who asks for their logins by a visit. */
export function askerFor(deps: PortalDeps, visit: Visit, { id }: Account): Asker {
  return {
    userId: id,
    address: visit.client.address,
    who: () => currentSession(deps, visit),
  }
}

const MOST = { user: MAX_LOGIN_USER, password: MAX_LOGIN_PASSWORD } as const

type Found =
  | {
      readonly kind: 'found'
      readonly app: OwnAppLogin
      readonly session: Session
      readonly account: Account
    }
  | { readonly kind: 'first'; readonly answer: Answer }

/**
 * The app, for who may use it or has a login kept for it, with a fresh proof: what is set here is
 * who the app takes them for.
 */
async function ownApp(deps: PortalDeps, visit: Visit, id: string): Promise<Found> {
  const fresh = await freshSession(deps, visit, await currentSession(deps, visit), '')
  if (fresh.kind === 'first') return fresh
  const { account, session } = fresh
  const app = (await deps.appLogins.of(askerFor(deps, visit, account))).find((one) => one.id === id)
  if (app === undefined) return { kind: 'first', answer: notFound(deps, visit) }
  return { kind: 'found', app, account, session }
}

async function openApp(deps: PortalDeps, visit: Visit, id: string): Promise<Found> {
  const found = await ownApp(deps, visit, id)
  if (found.kind === 'first' || found.app.open) return found
  return { kind: 'first', answer: notFound(deps, visit) }
}

function formPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  view: AppLoginFormView,
): Promise<Answer> | Answer {
  return deps.frame.page(visit, status, (page) => appLoginFormPage(page, view), {
    self: withQuery(PATHS.setAppLogin, 'app', view.id),
  })
}

function notFound(deps: PortalDeps, visit: Visit): Answer {
  return deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'not_found' }))
}
