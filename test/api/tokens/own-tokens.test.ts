import t from 'tap'
import { startApp } from '../../../src/app.ts'
import { protectSettings } from '../../../src/config/protect.ts'
import type { AppSettings } from '../../../src/config/settings.ts'
import { MINUTE } from '../../../src/lib/duration.ts'
import { createLog } from '../../../src/log.ts'
import { createApiClient } from '../../support/api-client.ts'
import { createBrowser } from '../../support/browser-client.ts'
import { freePort } from '../../support/free-port.ts'
import { addPerson } from '../../support/people.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { listIn, tokenOf } from '../admin-world.ts'
import { createWorld } from '../auth-world.ts'

const world = await createWorld(t)
const { call, ask, signIn, person, clock } = world
const alice = tokenOf(await signIn(await person('alice')))

t.test('own tokens are made with what the sign-in proved, listed and revoked', async (t) => {
  const made = await call('/account/tokens', {
    token: alice,
    body: { name: 'ci', methods: ['get'], paths: ['/api/**'], seconds: 3600 },
  })
  t.equal(made.status, 201)
  t.match(made.body, { token: /^sallyport_pat_/, name: 'ci', methods: ['GET'], apps: [] })
  t.equal(await ask('/api/x', made.body['token']), 200)
  t.equal(await ask('/other', made.body['token']), 403)
  t.equal((await call('/account/tokens', { token: made.body['token'] })).status, 401, 'no way on')
  const { token: _, ...shown } = made.body
  const listed = listIn(await call('/account/tokens', { token: alice }), 'tokens')
  t.match(listed, [{ id: shown['id'], hint: shown['hint'], last_used_from: '127.0.0.1' }])
  t.notMatch(JSON.stringify(listed), 'sallyport_pat_')
  const path = `/account/tokens/${shown['id']}`
  const bob = tokenOf(await signIn(await person('bob')))
  t.equal((await call(path, { token: bob, method: 'DELETE' })).status, 404, 'not another’s')
  t.equal((await call(path, { token: alice, method: 'DELETE' })).status, 204)
  t.equal((await call(path, { token: alice, method: 'DELETE' })).status, 404)
  t.equal(await ask('/api/x', made.body['token']), 401)
})

t.test('a wrong order is told by field', async (t) => {
  const body = { name: ' ', apps: ['none'], paths: ['x'], seconds: null }
  const refused = await call('/account/tokens', { token: alice, body })
  t.equal(refused.status, 400)
  t.match(refused.body['errors'], [
    { path: '/body/seconds', code: 'endless' },
    { path: '/body/name', code: 'empty' },
    { path: '/body/apps/0', code: 'invalid' },
    { path: '/body/paths/0', code: 'invalid' },
  ])
})

t.test('making and revoking ask for a fresh proof', async (t) => {
  const made = await call('/account/tokens', { token: alice, body: { name: 'x', seconds: 86_400 } })
  clock.advance(11 * MINUTE)
  const late = await call('/account/tokens', { token: alice, body: { name: 'y', seconds: 60 } })
  t.match(late, { status: 403, code: 'fresh_proof_required' })
  const path = `/account/tokens/${made.body['id']}`
  t.equal((await call(path, { token: alice, method: 'DELETE' })).status, 403)
  t.equal(listIn(await call('/account/tokens', { token: alice }), 'tokens').length, 1)
})

t.test('words about a wrong order say what is accepted, in two languages', async (t) => {
  const token = tokenOf(await signIn(await person('wanda')))
  const order = {
    name: 'x',
    apps: ['Nope'],
    methods: ['GET', 'FETCH'],
    paths: ['/a', 'api', '/a/../b'],
    seconds: 366 * 86_400,
  }
  const messagesIn = async (language: string) => {
    const headers = { 'Accept-Language': language }
    const refused = await call('/account/tokens', { token, body: order, headers })
    return listIn(refused, 'errors').map(({ path, message }) => `${path}: ${message}`)
  }
  const english = await messagesIn('en')
  t.match(english, [
    /^\/body\/seconds: At most 365 days \(31536000 seconds\)$/,
    /^\/body\/apps\/0: There is no app of this name that you may use\. There are: \S/,
    /^\/body\/methods\/1: .*such as GET/,
    /^\/body\/paths\/1: .*begins with \//,
    /^\/body\/paths\/2: .*“\.\.”/,
  ])
  const french = await messagesIn('fr')
  t.equal(french[0], '/body/seconds: Au plus 365\u00a0jours (31536000\u00a0secondes)')
  t.match(french[1], /Il y a\u00a0: /)
  t.equal(new Set([...english, ...french]).size, 10)
})

t.test('a link alone is no proof that a token could be made with', async (t) => {
  const token = tokenOf(await signIn(await person('lina', { totp: false })))
  const body = { name: 'for later', seconds: 86_400 }
  const came = (factors: readonly ('link' | 'password')[]) =>
    world.change('lina', async (id, { store }) => {
      const [session] = await store.sessions.ofUser(id)
      if (session === undefined) throw new Error('no session')
      const proved = factors.map((kind) => ({ kind, at: clock.now() }))
      await store.sessions.replace(session.tokenHash, { ...session, factors: proved })
    })
  await came(['link'])
  clock.advance(MINUTE)
  const refused = await call('/account/tokens', { token, body })
  t.match(refused, { status: 403, code: 'fresh_proof_required', body: { ways: ['password'] } })
  t.match(refused.body['detail'], /one-time link/)
  await came(['link', 'password'])
  clock.advance(MINUTE)
  t.equal((await call('/account/tokens', { token, body })).status, 201)
  const kept = await world.change('lina', (id, { store }) => store.apiTokens.ofUser(id))
  t.match(kept, [{ factors: [{ kind: 'password' }] }], 'the link counts for nothing')
  t.equal(kept[0]?.factors.length, 1)
})

t.test('an app that its owner may not use is refused as one that is not there', async (t) => {
  const dir = tempDir()
  const port = await freePort()
  const at = { upstream: 'http://127.0.0.1:9', listen: `127.0.0.1:${port}`, dataDir: dir.path }
  const settings = protectSettings(at)
  const app = (name: string, host: string, more: Partial<AppSettings> = {}) =>
    settings.apps.map((one) => ({ ...one, name, hosts: [host], ...more }))
  const forBoard = settings.apps.flatMap(({ rules }) =>
    rules.map((rule) => ({ ...rule, groups: ['board'] })),
  )
  const apps = [
    ...app('Wiki', 'wiki.localhost', { brand: { name: 'Our wiki' } }),
    ...app('Archive', 'archive.localhost', { hidden: true }),
    ...app('Sites', '*.sites.localhost'),
    ...app('Falcon', 'falcon.localhost', { hidden: true, rules: forBoard }),
  ]
  const log = createLog({ level: 'error', format: 'json' })
  const running = await startApp({ ...settings, apps }, { log })
  t.teardown(async () => {
    await running.stop(100)
    dir.remove()
  })
  const home = `http://localhost:${port}`
  const sam = await addPerson(dir.path, 'sam', { totp: false })
  const api = await createApiClient(home)
  await api.signIn(sam)
  const make = (app: string) =>
    api.call('POST', '/account/tokens', { name: app, apps: [app], seconds: 3600 })
  for (const app of ['Wiki', 'Archive', 'Sites']) t.equal((await make(app)).status, 201, app)
  const [there, nowhere] = [await make('Falcon'), await make('Nowhere')]
  for (const refused of [there, nowhere]) {
    t.equal(refused.status, 400)
    t.equal(refused.at('errors/0/path'), '/body/apps/0')
    t.equal(
      refused.at('errors/0/message'),
      'There is no app of this name that you may use. There are: Wiki, Sites',
    )
  }

  const browser = createBrowser()
  const login = await browser.open(`${home}/.sallyport/account/tokens/new`, { follow: true })
  const fields = { username: sam.name, password: sam.password }
  const form = await browser.submit(login, login.form('password'), fields, { follow: true })
  t.match(form.text, /Our wiki/)
  t.notMatch(form.text, /Falcon|Archive/)
  const boxOf = (name: string) => `app-${Buffer.from(name).toString('base64url')}`
  const send = (app: string) =>
    browser.submit(form, form.form('once'), { name: 'page', [boxOf(app)]: '1' })
  t.match((await send('Wiki')).html, /sallyport_pat_/, 'by the name of the configuration')
  t.equal((await api.call('GET', '/account/tokens')).at('tokens/3/apps/0'), 'Wiki')
})
