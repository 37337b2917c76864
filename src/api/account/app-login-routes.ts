import { z } from 'zod'
import { Secret } from '../../lib/secret.ts'
import type { Asker, OwnAppLogin } from '../../login/own-app-logins.ts'
import { MAX_LOGIN_PASSWORD, MAX_LOGIN_USER } from '../../tokens/upstream-login.ts'
import { bodyReader } from '../admin/faults.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiCaller, type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'

const TAG = 'Logins at apps'

const appLogin = z
  .object({
    id: z.string().describe('app_…; it changes when the app is renamed'),
    app: z.string().describe('The app’s name in the configuration'),
    user: z.string().nullable().describe('The name at the app; null: no login is kept'),
    updated_at: instant.nullable(),
    open: z.boolean().describe('false: one can only be removed, the app is no longer for you'),
  })
  .meta({ id: 'AppLogin', description: 'A login at an app, without its password' })

/** Logins at apps that have their own: listed, set, removed. */
export function appLoginRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const of = (call: Asking) => deps.appLogins.of(askerFor(deps, call))
  const find = async (call: Asking & { readonly params: Readonly<Record<string, string>> }) =>
    (await of(call)).find(({ id }) => id === call.params['app'])
  return [
    apiRoute({
      method: 'GET',
      path: '/account/upstream-logins',
      operationId: 'listOwnAppLogins',
      tag: TAG,
      summary: 'Apps with a login of their own that one may use, and what is kept for them',
      stage: 'complete',
      answers: {
        200: { description: 'The apps', schema: z.object({ logins: z.array(appLogin) }) },
      },
      handle: async (call) => {
        const logins = (await of(call)).map(shown)
        return { kind: 'json', status: 200, body: { logins } }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/account/upstream-logins/{app}',
      operationId: 'getOwnAppLogin',
      tag: TAG,
      summary: 'What is kept for one app',
      stage: 'complete',
      answers: { 200: { description: 'The app', schema: appLogin } },
      problems: ['not_found'],
      handle: async (call) => {
        const found = await find(call)
        if (found === undefined) return refuse('not_found')
        return { kind: 'json', status: 200, body: shown(found) }
      },
    }),
    apiRoute({
      method: 'PUT',
      path: '/account/upstream-logins/{app}',
      operationId: 'setOwnAppLogin',
      tag: TAG,
      summary: 'Keep the name and the password by which an app knows one',
      description: 'Instead of an earlier login. The password is kept sealed and never shown.',
      stage: 'fresh',
      body: z.strictObject({
        user: z.string().min(1).max(MAX_LOGIN_USER).describe('Without a colon'),
        password: z.string().min(1).max(MAX_LOGIN_PASSWORD),
      }),
      answers: { 200: { description: 'Kept', schema: appLogin } },
      problems: ['not_found'],
      handle: async (call) => {
        const { caller, context, params, body, language } = call
        const id = params['app'] ?? ''
        const login = { user: body.user, password: new Secret(body.password) }
        const by = { ...caller, context }
        const set = await deps.appLogins.set(askerFor(deps, call), by, id, login)
        if (set.kind === 'unknown') return refuse('not_found')
        if (set.kind === 'refused') {
          const { wrong, refusal } = bodyReader(language)
          wrong(set.fault, LOGIN_PARTS[set.fault], 'invalid')
          return refusal() ?? refuse('invalid_request')
        }
        const found = await find(call)
        if (found === undefined) return refuse('not_found')
        return { kind: 'json', status: 200, body: shown(found) }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/account/upstream-logins/{app}',
      operationId: 'removeOwnAppLogin',
      tag: TAG,
      summary: 'Forget one’s login at an app',
      stage: 'fresh',
      answers: { 204: { description: 'It is forgotten' } },
      problems: ['not_found'],
      handle: async ({ caller, context, params }) => {
        const removed = await deps.appLogins.remove({ ...caller, context }, params['app'] ?? '')
        return removed === 'removed' ? { kind: 'empty' } : refuse('not_found')
      },
    }),
  ]
}

const LOGIN_PARTS = { user: 'login_user', password: 'login_password' } as const

type Asking = {
  readonly caller: ApiCaller
  readonly context: { readonly address: string }
}

function askerFor({ sessions }: ApiDeps, { caller, context }: Asking): Asker {
  return {
    userId: caller.account.id,
    address: context.address,
    who: () => sessions.resolveId(caller.session.id),
  }
}

function shown({ id, app, open, kept }: OwnAppLogin): z.output<typeof appLogin> {
  return {
    id,
    app,
    user: kept?.user ?? null,
    updated_at: kept === undefined ? null : instantOf(kept.updatedAt),
    open,
  }
}
