import t from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createUpstreamLogins } from '../../src/tokens/upstream-logins.ts'
import { apiWorld } from './world.ts'

const world = await apiWorld(t, { appLogins: true })
const LOGINS = '/account/upstream-logins'

t.test('a login at an app is kept, shown without its password, and forgotten', async (t) => {
  const api = await world.client()
  await api.signIn(await world.add('ann'))
  const list = await api.call('GET', LOGINS)
  t.match(list.body, { logins: [{ user: null, updated_at: null, open: true }] })
  const path = `${LOGINS}/${list.text('logins/0/id')}`
  t.match((await api.call('GET', path)).body, { user: null })
  t.equal((await api.call('DELETE', path)).status, 404, 'there is none')

  const secret = 'sécret: one'
  const set = await api.call('PUT', path, { user: 'a.martin', password: secret })
  t.match([set.status, set.at('user')], [200, 'a.martin'])
  t.notMatch(JSON.stringify(set.body), 'cret')
  t.match((await api.call('GET', path)).body, set.body)

  const wrong = await api.call('PUT', path, { user: 'a:b', password: 'x' })
  t.match([wrong.status, wrong.at('errors/0/path')], [400, '/body/user'])
  const line = await api.call('PUT', path, { user: 'a', password: 'x\r\ny' })
  t.match([line.status, line.at('errors/0/path')], [400, '/body/password'])
  const none = await api.call('PUT', `${LOGINS}/app_none`, { user: 'a', password: 'x' })
  t.equal(none.status, 404)

  const other = await world.client()
  await other.signIn(await world.add('ben'))
  t.match((await other.call('GET', path)).body, { user: null }, 'one’s own alone')
  t.equal((await other.call('DELETE', path)).status, 404)

  world.clock.advance(11 * MINUTE)
  for (const late of [
    await api.call('PUT', path, { user: 'late', password: 'x' }),
    await api.call('DELETE', path),
  ]) {
    t.match([late.status, late.at('code')], [403, 'fresh_proof_required'])
    t.strictSame(late.at('ways'), ['password'])
  }
  t.match((await api.call('GET', path)).body, set.body)
  const again = await world.client()
  await again.signIn({ ...(await world.add('cyd')) })
  t.equal((await again.call('PUT', path, { user: 'c', password: 'x' })).status, 200)
  t.equal((await again.call('DELETE', path)).status, 204)
  t.equal((await again.call('DELETE', path)).status, 404)
})

t.test('one for an app that is no more can be removed, and nothing else', async (t) => {
  const api = await world.client()
  await api.signIn(await world.add('dan'))
  {
    await using vault = await world.vault()
    const account = await vault.store.accounts.byName('dan')
    const logins = createUpstreamLogins({
      store: vault.store.upstreamLogins,
      keys: vault.keys,
      clock: world.clock,
    })
    const login = { user: 'dan', password: new Secret('x') }
    await logins.set('Gone', account?.id ?? newUserId(), login)
  }
  const list = await api.call('GET', LOGINS)
  t.match(list.body, { logins: [{}, {}] })
  const at = list.text('logins/0/app') === 'Gone' ? 0 : 1
  t.match([list.at(`logins/${at}/user`), list.at(`logins/${at}/open`)], ['dan', false])
  const path = `${LOGINS}/${list.text(`logins/${at}/id`)}`
  t.equal((await api.call('PUT', path, { user: 'a', password: 'x' })).status, 404)
  t.equal((await api.call('DELETE', path)).status, 204)
  t.equal((await api.call('GET', path)).status, 404)
})
