import t from 'tap'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { createAdminWorld, listIn, tokenOf } from './admin-world.ts'

const { admin, clock, person, idOf, root, signIn, call, ask } = await createAdminWorld(t)

t.test('groups are listed by their members, who come and go', async (t) => {
  await person('ada')
  const user_id = await idOf('ada')
  const added = await admin('POST /groups/add-member', { group: 'Équipe/Nord', user_id })
  t.match(added, { status: 200, body: { groups: ['équipe/nord'] } })
  await admin('POST /groups/add-member', { group: 'staff', user_id })
  t.match((await admin('GET /groups')).body, {
    groups: [
      { name: 'admins', members: 1, administrators: true },
      { name: 'staff', members: 1, administrators: false },
      { name: 'équipe/nord', members: 1 },
    ],
  })
  const gone = await admin('POST /groups/remove-member', { group: 'staff', user_id })
  t.strictSame(gone.body['groups'], ['équipe/nord'])
  const nobody = { group: 'staff', user_id: root.id.replace(/.$/, 'x') }
  t.equal((await admin('POST /groups/add-member', nobody)).status, 404)
  const wrong = await admin('POST /groups/add-member', { group: 'a,b', user_id })
  t.match(wrong, { status: 400, body: { errors: [{ path: '/body/group', code: 'invalid' }] } })
})

t.test('sessions are listed page by page and ended one, all of a user, for an app', async (t) => {
  const bob = await person('bob', { totp: false })
  const id = await idOf('bob')
  const tokens: string[] = []
  for (let i = 0; i < 3; i++) {
    tokens.push(tokenOf(await signIn(bob)))
    clock.advance(SECOND)
  }
  const page = await admin(`GET /sessions?user=${id}&limit=2`)
  const [first] = listIn(page, 'sessions')
  t.match(first, { user: { id, name: 'bob' }, client: 'api', level: 'one_factor' })
  const rest = await admin(`GET /sessions?user=${id}&limit=2&cursor=${page.body['next_cursor']}`)
  t.equal(listIn(rest, 'sessions').length, 1)
  t.notOk('next_cursor' in rest.body)
  t.equal(listIn(await admin('GET /sessions'), 'sessions').length, 4)

  t.equal(await ask('/', tokens[0]), 200)
  t.equal((await admin(`DELETE /sessions/${first?.['id']}`)).status, 204)
  t.equal((await admin(`DELETE /sessions/${first?.['id']}`)).status, 404)
  t.equal(await ask('/', tokens[0]), 401)

  const [app] = listIn(await admin('GET /apps'), 'apps')
  t.equal(app?.['revoked_at'], null)
  t.equal(await ask('/', tokens[1]), 200)
  t.equal((await admin('POST /apps/revoke', { app: 'other' })).status, 404)
  t.equal((await admin('POST /apps/revoke', { app: app?.['name'] })).status, 200)
  t.equal(await ask('/', tokens[1]), 401, 'until it is proved again')
  t.equal((await call('/session', { token: tokens[1] })).status, 200, 'signed in all the same')
  t.match(listIn(await admin('GET /apps'), 'apps')[0], { revoked_at: /Z$/ })
  clock.advance(SECOND)
  t.equal(await ask('/', tokenOf(await signIn(bob))), 200)

  t.match(await admin(`POST /users/${id}/end-sessions`, {}), { body: { ended: 3 } })
  t.equal((await call('/session', { token: tokens[1] })).status, 401)
  t.match(listIn(await admin('GET /audit?event=app.revoked'), 'events'), [
    { details: { detail: app?.['name'], by: 'root' } },
  ])
})

t.test('bans are added, listed and lifted; one of oneself only by force', async (t) => {
  const mine = await admin('POST /bans', { network: '127.0.0.1', seconds: 60 })
  t.match(mine, { status: 409, body: { reason: 'own_network' } })
  const ban = { network: '203.0.113.7', seconds: 60, reason: 'tries passwords' }
  t.match(await admin('POST /bans', ban), { status: 201, body: { network: '203.0.113.7/32' } })
  await admin('POST /bans', { network: '2001:db8::1', seconds: 120 })
  const page = await admin('GET /bans?limit=1')
  t.match(page.body, { bans: [{ network: '2001:db8::/64', reason: '' }] })
  const next = await admin(`GET /bans?limit=1&cursor=${page.body['next_cursor']}`)
  t.match(next.body, { bans: [{ network: '203.0.113.7/32', reason: 'tries passwords' }] })
  t.equal((await admin('POST /bans/lift', { network: '203.0.113.7' })).status, 204)
  t.equal((await admin('POST /bans/lift', { network: '203.0.113.7' })).status, 404)
  const odd = await admin('POST /bans', { network: '300.1.1.1', seconds: 60 })
  t.match(odd.body, {
    code: 'invalid_request',
    errors: [{ path: '/body/network', message: /such as 203\.0\.113\.7/ }],
  })
  t.equal((await admin('POST /bans', { ...ban, reason: 'a\nb' })).code, 'invalid_request')
})

t.test('a ban that is forced is in force on the next request', async (t) => {
  const forced = { network: '127.0.0.0/8', seconds: 1, force: true }
  t.equal((await admin('POST /bans', forced)).status, 201)
  t.equal(await ask('/.sallyport/login', undefined), 403)
  clock.advance(SECOND)
  t.equal((await admin('GET /users')).status, 200, 'when it is over')
})

t.test('what happened is found by name, kind, time and reference', async (t) => {
  const before = new Date(clock.now()).toISOString()
  clock.advance(SECOND)
  const failed = await call('/sign-in', { body: { username: 'bob', password: 'wrong' } })
  const reference = String(failed.body['reference'])
  const found = await admin(`GET /audit?user=BOB&event=auth.password&since=${before}`)
  t.match(found.body, { events: [{ outcome: 'failure', reason: 'wrong', reference, user: 'bob' }] })
  t.equal(listIn(found, 'events').length, 1)
  const none = await admin(`GET /audit?user=bob&event=auth.password&until=1999-01-01T00:00:00Z`)
  t.strictSame(none.body, { events: [] })
  const told = await admin(`GET /audit/${reference.toLowerCase().replace('-', '')}`)
  t.match(told.body, { events: [{ event: 'auth.password', reference }] })
  t.equal((await admin('GET /audit/0000-0000')).status, 404)
  t.equal((await admin('GET /audit/nonsense')).status, 404)
  t.equal((await admin('GET /audit?since=yesterday')).code, 'invalid_request')
  const all: string[] = []
  let cursor = ''
  for (let i = 0; i < 50; i++) {
    const page = await admin(`GET /audit?limit=7${cursor}`)
    all.push(...listIn(page, 'events').map(({ at }) => String(at)))
    if (page.body['next_cursor'] === undefined) break
    cursor = `&cursor=${page.body['next_cursor']}`
  }
  t.strictSame(all, [...all].sort().reverse(), 'newest first, over all pages')
  t.ok(all.length > 14)
})

t.test('service tokens are made, shown once, listed and revoked', async (t) => {
  const order = { name: 'backup', groups: ['robots'], methods: ['get'], seconds: 3600 }
  const made = await admin('POST /tokens', order)
  t.match(made, { status: 201, body: { kind: 'service', user_id: null } })
  const token = String(made.body['token'])
  t.equal(await ask('/', token), 200)
  const listed = await admin('GET /tokens')
  t.match(listIn(listed, 'tokens'), [{ name: 'backup', scope: { methods: ['GET'] } }])
  t.notMatch(JSON.stringify(listed.body), token)
  const wrong = await admin('POST /tokens', { ...order, apps: ['nowhere'] })
  t.match(wrong, { status: 400, body: { errors: [{ path: '/body/apps/0', code: 'invalid' }] } })

  t.match(wrong.body['errors'], [{ message: /GET \/admin\/apps/ }])
  const odd = await admin('POST /tokens', { ...order, groups: ['a', 'b,c'], name: 'a:b' })
  t.match(odd.body['errors'], [
    { path: '/body/name', message: /^Letters of one script/ },
    { path: '/body/groups/1', message: /^Letters of one script.*: \/$/ },
  ])

  clock.advance(SECOND)
  const [app] = listIn(await admin('GET /apps'), 'apps')
  const alone = await admin('POST /tokens', { ...order, name: 'alone', apps: [app?.['name']] })
  t.equal(await ask('/', alone.body['token']), 200)
  clock.advance(SECOND)
  t.match(await admin('POST /apps/revoke', { app: app?.['name'] }), { body: { tokens_revoked: 1 } })
  t.equal(await ask('/', alone.body['token']), 401)
  t.equal(await ask('/', token), 401, 'it was made before')
  t.equal(listIn(await admin('GET /tokens'), 'tokens').length, 1)
  t.equal((await admin(`DELETE /tokens/${made.body['id']}`)).status, 204)
  t.equal((await admin(`DELETE /tokens/${made.body['id']}`)).status, 404)
})

t.test('everybody is signed out at once, and by nobody by mistake', async (t) => {
  const cy = await person('cy', { totp: false })
  const token = tokenOf(await signIn(cy))
  t.equal((await admin('POST /sessions/end-all', {})).code, 'invalid_request')
  clock.advance(11 * MINUTE)
  const confirm = { confirm: 'everybody' }
  t.equal((await admin('POST /sessions/end-all', confirm)).code, 'fresh_proof_required')
  const again = tokenOf(await signIn(root.person))
  const ended = await call('/admin/sessions/end-all', { token: again, body: confirm })
  t.equal(ended.status, 200)
  t.ok(Number(ended.body['ended']) >= 3)
  for (const one of [token, again, root.token]) {
    t.equal((await call('/session', { token: one })).status, 401)
  }
})
