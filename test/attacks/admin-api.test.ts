import t from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { createAdminWorld, listIn, tokenOf } from '../api/admin-world.ts'

const { admin, clock, person, idOf, root, signIn, call, vault } = await createAdminWorld(t)
const victim = await person('victim', { groups: ['staff'] })
const victimId = await idOf('victim')
const victimToken = tokenOf(await signIn(victim))
const personal = await call('/account/tokens', {
  token: victimToken,
  body: { name: 'mine', seconds: 3600 },
})
const session = listIn(await admin(`GET /sessions?user=${victimId}`), 'sessions')[0]?.['id']
const factor = listIn(await admin(`GET /users/${victimId}/factors`), 'factors')[0]?.['id']
const service = await admin('POST /tokens', { name: 'backup', seconds: 3600 })
const app = listIn(await admin('GET /apps'), 'apps')[0]?.['name']
await admin('POST /bans', { network: '203.0.113.7', seconds: 9999 })

/** Bodies that would do something if they were let in. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /admin/invitations': { email: 'eve@example.com' },
  'PATCH /admin/users/{user}': { display_name: 'Mallory', groups: [] },
  'POST /admin/groups/add-member': { group: 'admins', user_id: victimId },
  'POST /admin/groups/remove-member': { group: 'staff', user_id: victimId },
  'POST /admin/users/{user}/end-sessions': {},
  'POST /admin/sessions/end-all': { confirm: 'everybody' },
  'POST /admin/apps/revoke': { app },
  'POST /admin/tokens': { name: 'evil', seconds: null },
  'POST /admin/bans': { network: '198.51.100.1', seconds: 60 },
  'POST /admin/bans/lift': { network: '203.0.113.7' },
}

type Route = { readonly method: string; readonly template: string; readonly path: string }

const described = await call('/openapi.json')
const routes: readonly Route[] = Object.entries(described.body['paths'] ?? {}).flatMap(
  ([template, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase(),
      template,
      path: template
        .replace('{user}', victimId)
        .replace('{factor}', String(factor))
        .replace('{session}', String(session))
        .replace('{token}', String(service.body['id']))
        .replace('{reference}', '7F3K-2Q9D'),
    })),
)
const adminRoutes = routes.filter(({ template }) => template.startsWith('/admin/'))

const ask = ({ method, template, path }: Route, token: string | undefined) => {
  const body = BODIES[`${method} ${template}`]
  return call(path, { token, method, ...(body === undefined ? {} : { body }) })
}

/** Everything that an administrator could have changed. */
async function everything(): Promise<unknown> {
  await using opened = await vault()
  const { accounts, sessions, bans, apiTokens, totp, appRevocations } = opened.store
  const found = await accounts.byName('victim')
  return {
    accounts: await accounts.list(),
    sessions: (await sessions.list()).map(({ id }) => id),
    bans: await bans.list(0, 100),
    tokens: (await apiTokens.list()).map(({ id }) => id),
    devices: found === undefined ? 0 : (await totp.devices(found.id)).length,
    apps: [...(await appRevocations.all())],
  }
}

t.test('the description names the routes of administrators, and bodies for all', async (t) => {
  t.ok(adminRoutes.length >= 27, `${adminRoutes.length}`)
  for (const one of Object.keys(BODIES)) {
    t.ok(
      adminRoutes.some(({ method, template }) => `${method} ${template}` === one),
      one,
    )
  }
})

t.test('no route of administrators opens to anybody else (E5, G9)', async (t) => {
  const halfway = await call('/sign-in', {
    body: { username: 'root', password: root.person.password },
  })
  const weak = await person('weak', { groups: ['admins'], totp: false })
  const due = await person('due', { groups: ['admins'], totp: false })
  const dueId = await idOf('due')
  await admin(`POST /users/${dueId}/require-password-change`)
  const callers: readonly (readonly [string, string | undefined, number, string])[] = [
    ['nobody', undefined, 401, 'unauthenticated'],
    ['a token of nonsense', 'e30.e30.AA', 401, 'unauthenticated'],
    ['a password alone', tokenOf(halfway), 401, 'second_factor_required'],
    ['a password that is due', tokenOf(await signIn(due)), 403, 'password_change_required'],
    ['somebody with two factors', victimToken, 403, 'not_an_administrator'],
    ['a member with one factor', tokenOf(await signIn(weak)), 403, 'not_an_administrator'],
    ['a personal token', String(personal.body['token'] ?? 'none'), 401, 'unauthenticated'],
    ['a service token', String(service.body['token']), 401, 'unauthenticated'],
  ]
  const before = await everything()
  for (const [who, token, status, code] of callers) {
    for (const route of adminRoutes) {
      const answer = await ask(route, token)
      if (answer.status !== status || answer.code !== code) {
        t.fail(`${who}: ${route.method} ${route.template} ${answer.status} ${answer.code}`)
      }
    }
    t.strictSame(await everything(), before, `${who} changed nothing`)
  }
})

t.test('what belongs to somebody else is not there by one’s own routes (G9)', async (t) => {
  const eve = await person('eve')
  const token = tokenOf(await signIn(eve))
  const theirs = [session, factor, personal.body['id'], service.body['id'], victimId]
  const before = await everything()
  const own = routes.filter(
    ({ template }) => template.includes('{id}') && !template.startsWith('/admin/'),
  )
  t.ok(own.length >= 4, `${own.length}`)
  for (const { method, template } of own) {
    for (const id of theirs) {
      const body = method === 'DELETE' || method === 'GET' ? {} : { body: { name: 'mine now' } }
      const path = template.replace('{id}', String(id ?? 'none'))
      const answer = await call(path, { token, method, ...body })
      if (answer.status !== 404) t.fail(`${method} ${path} ${answer.status} ${answer.code}`)
    }
  }
  t.strictSame(await everything(), before)
})

t.test('an administrator whose proof is old may look and change nothing', async (t) => {
  clock.advance(11 * MINUTE)
  const before = await everything()
  for (const route of adminRoutes) {
    const answer = await ask(route, root.token)
    const wanted = route.method === 'GET' ? [200, 404] : [403]
    if (!wanted.includes(answer.status)) {
      t.fail(`${route.method} ${route.template} ${answer.status} ${answer.code}`)
    }
    if (route.method !== 'GET' && answer.code !== 'fresh_proof_required') {
      t.fail(`${route.method} ${route.template} ${answer.code}`)
    }
  }
  t.strictSame(await everything(), before)
})
