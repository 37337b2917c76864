import t from 'tap'
import { MINUTE } from '../../../src/lib/duration.ts'
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
    { path: '/body/apps', code: 'invalid' },
    { path: '/body/paths', code: 'invalid' },
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
