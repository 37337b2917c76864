import { request } from 'node:http'
import t from 'tap'
import { DAY, MINUTE } from '../../src/lib/duration.ts'
import { apiWorld } from './world.ts'

/** One program for all; each test has a person of its own. */
const world = await apiWorld(t)
const { clock } = world

const NEXT = 'another horse, another battery'

t.test('the account shows itself, and keeps the language it is told', async (t) => {
  const api = await world.client()
  const ann = await world.add('ann')
  await api.signIn(ann)
  const profile = await api.call('GET', '/account')
  t.match(profile.body, { name: 'ann', email: null, language: null, level: 'one_factor' })
  t.equal((await api.call('PATCH', '/account', { language: 'fr' })).at('language'), 'fr')
  t.equal((await api.call('GET', '/account')).at('language'), 'fr', 'at once')
  const odd = await api.call('PATCH', '/account', { language: 'de' })
  t.match([odd.status, odd.at('errors/0/path')], [400, '/body/language'])
  const more = await api.call('PATCH', '/account', { language: null, groups: ['admins'] })
  t.equal(more.at('code'), 'invalid_request', 'nothing else can be said')
  t.strictSame((await api.call('GET', '/account')).at('groups'), [])
  await world.add('nora')
  const events = async () => {
    const { body } = await api.call('GET', '/account/activity')
    return JSON.stringify(body)
  }
  for (let i = 0; i < 100 && !(await events()).includes('account.changed'); i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  t.match(await events(), /"account.changed".*"auth.password"/)
  t.notMatch(await events(), 'nora')
  t.equal((await api.call('GET', '/account/activity?page=21')).status, 400)
  t.strictSame((await api.call('GET', '/account/activity?page=2')).body, {
    events: [],
    more: false,
  })
})

t.test('sessions are listed and ended, one’s own alone (G9, E8)', async (t) => {
  const ben = await world.add('ben')
  const [here, there, other] = [await world.client(), await world.client(), await world.client()]
  await here.signIn(ben)
  await there.signIn(ben)
  await other.signIn(await world.add('bea'))
  const list = await here.call('GET', '/account/sessions')
  t.match(list.body, { sessions: [{ current: true, client: 'api' }, { current: false }] })
  const id = list.text('sessions/1/id')
  t.equal((await other.call('DELETE', `/account/sessions/${id}`)).status, 404)
  t.equal((await there.call('GET', '/session')).status, 200)
  t.equal((await here.call('DELETE', `/account/sessions/${id}`)).status, 204)
  t.equal((await there.call('GET', '/session')).status, 401, 'on the next request')
  t.equal((await here.call('DELETE', `/account/sessions/${id}`)).status, 404)
  await there.signIn(ben)
  t.strictSame((await here.call('POST', '/account/sessions/end-others')).body, { ended: 1 })
  t.equal((await there.call('GET', '/session')).status, 401)
  t.equal((await here.call('GET', '/session')).status, 200)
  t.equal((await other.call('GET', '/session')).status, 200)
})

t.test('a call whose body arrives after the session ended does nothing (E8)', async (t) => {
  const ivo = await world.add('ivo')
  const [api, other] = [await world.client(), await world.client()]
  await api.signIn(ivo)
  await other.signIn(ivo)
  const body = JSON.stringify({ name: 'late', seconds: 3600 })
  const headers = {
    Authorization: `Bearer ${api.token}`,
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  }
  const url = `${world.home}/.sallyport/api/v1/account/tokens`
  const call = request(url, { method: 'POST', headers })
  const answered = new Promise<number | undefined>((resolve, reject) => {
    call.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject)
  })
  await new Promise((resolve) => call.write(body.slice(0, 10), resolve))
  // What was sent before these calls has been read when they are answered.
  for (let i = 0; i < 3; i++) await api.call('GET', '/session')
  t.equal((await other.call('POST', '/account/sessions/end-others')).status, 200)
  call.end(body.slice(10))
  t.equal(await answered, 401)
  t.strictSame((await other.call('GET', '/account/tokens')).body, { tokens: [] })
})

t.test('a password is changed by who knows it, and earlier tokens are dead', async (t) => {
  const cyd = await world.add('cyd')
  const [api, there] = [await world.client('fr'), await world.client()]
  await api.signIn(cyd)
  await there.signIn(cyd)
  const policy = await api.call('GET', '/password/policy')
  t.match(policy.body, { preset: 'nist', words: /Au moins \d+ caractères/ })
  const short = await api.call('POST', '/password', { new_password: 'short' })
  t.match([short.status, short.at('reason')], [422, 'too_short'])
  t.match(short.text('detail'), 'au moins')
  const same = await api.call('POST', '/password', { new_password: cyd.password })
  t.equal(same.at('reason'), 'same')
  const before = api.token
  const changed = await api.call('POST', '/password', { new_password: NEXT })
  t.match([changed.status, changed.at('stage')], [200, 'complete'])
  t.equal((await api.call('GET', '/session', undefined, { token: before })).status, 401)
  t.equal((await there.call('GET', '/session')).status, 401, 'other sessions end too')
  t.equal((await api.call('GET', '/session')).status, 200)
  t.equal((await there.signIn(cyd)).status, 401)
  t.equal((await there.signIn({ name: 'cyd', password: NEXT })).status, 200)
})

t.test('with a second factor, the present password is asked for when it is old', async (t) => {
  const dee = await world.add('dee', true)
  const key = dee.authenticator?.secret ?? ''
  const api = await world.client()
  clock.advance(MINUTE)
  await api.signIn(dee, () => world.codeOf(key))
  clock.advance(11 * MINUTE)
  const stale = await api.call('POST', '/password', { new_password: NEXT })
  t.equal(stale.at('code'), 'fresh_proof_required')
  await api.call('POST', '/confirm/totp', { code: world.codeOf(key) })
  const missing = await api.call('POST', '/password', { new_password: NEXT })
  t.equal(missing.at('errors/0/path'), '/body/current_password')
  const wrong = { current_password: 'wrong horse battery', new_password: NEXT }
  t.equal((await api.call('POST', '/password', wrong)).at('code'), 'wrong_credentials')
  const right = { current_password: dee.password, new_password: NEXT }
  t.equal((await api.call('POST', '/password', right)).status, 200)
})

t.test('a password that is due opens nothing but its change', async (t) => {
  const flo = await world.add('flo')
  const setDue = async () => {
    await using vault = await world.vault()
    const account = await vault.store.accounts.byName('flo')
    if (account !== undefined) {
      await vault.store.accounts.setPasswordDue(account.id, 'operator', clock.now())
    }
  }
  await setDue()
  const api = await world.client()
  const first = await api.signIn(flo)
  t.equal(first.at('stage'), 'password_due')
  for (const path of ['/account', '/factors', '/factors/totp', '/session']) {
    t.equal((await api.call('GET', path)).at('code'), 'password_change_required', path)
  }
  const elsewhere = await api.call('POST', '/password', { new_password: NEXT })
  t.equal(elsewhere.at('code'), 'password_change_required')
  const changed = await api.call('POST', '/password/due', { new_password: NEXT })
  t.equal(changed.at('stage'), 'complete')
  t.equal((await api.call('GET', '/account')).status, 200)
  const again = await api.call('POST', '/password/due', { new_password: `${NEXT}!` })
  t.equal(again.status, 401, 'that stage is over')

  // Meanwhile the account gains a second factor: an earlier sign-in changes no password.
  await setDue()
  await api.signIn({ name: 'flo', password: NEXT })
  await using vault = await world.vault()
  const { createTotp } = await import('../../src/factors/totp/totp.ts')
  const totp = createTotp({ store: vault.store.totp, keys: vault.keys, clock })
  const account = await vault.store.accounts.byName('flo')
  if (account !== undefined) {
    await totp.addSecret(account.id, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', 'elsewhere')
  }
  const late = await api.call('POST', '/password/due', { new_password: `${NEXT}!` })
  t.match([late.status, late.at('code')], [401, 'session_ended'])
})

t.test('a program’s sign-in begins the time to add a second factor, once', async (t) => {
  const strict = await apiWorld(t, { dutyFor: 'everybody' })
  const gus = await strict.add('gus')
  const api = await strict.client()
  await api.signIn(gus)
  const until = (await api.call('GET', '/factors')).text('required_from')
  t.equal((await api.call('GET', '/account')).status, 200, 'there is time')
  strict.clock.advance(6 * DAY)
  await api.signIn(gus)
  t.equal((await api.call('GET', '/factors')).text('required_from'), until, 'no longer by that')
  strict.clock.advance(2 * DAY)
  await api.signIn(gus)
  t.equal((await api.call('GET', '/account')).at('code'), 'second_factor_due')
  const start = await api.call('POST', '/factors/totp/enrolment')
  const code = strict.codeOf(start.text('secret'))
  t.equal((await api.call('POST', '/factors/totp', { code })).status, 201, 'how to get one')
  const id = (await api.call('GET', '/factors/totp')).text('apps/0/id')
  const last = await api.call('DELETE', `/factors/totp/${id}`)
  t.match([last.status, last.at('code')], [409, 'factor_needed'], 'and it stays')
  t.equal((await api.call('GET', '/account')).status, 200, 'with the tokens there are')
})
