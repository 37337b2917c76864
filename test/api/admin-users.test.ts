import t from 'tap'
import { SECOND } from '../../src/lib/duration.ts'
import { createAdminWorld, listIn, tokenOf } from './admin-world.ts'

const { admin, clock, person, idOf, root, signIn, call, vault, home } = await createAdminWorld(t)

const names = (users: readonly Record<string, unknown>[]) => users.map(({ name }) => name)

t.test('administrators find accounts page by page, and see no secret of theirs', async (t) => {
  for (const name of ['ada', 'bob', 'cy_d', 'cyxd']) {
    const displayName = `The ${name}`
    await person(name, { email: `${name}@example.com`, displayName, groups: ['staff'] })
  }
  const first = await admin('GET /users?limit=2')
  t.strictSame(names(listIn(first, 'users')), ['ada', 'bob'])
  const second = await admin(`GET /users?limit=2&cursor=${first.body['next_cursor']}`)
  t.strictSame(names(listIn(second, 'users')), ['cy_d', 'cyxd'])
  const last = await admin(`GET /users?limit=2&cursor=${second.body['next_cursor']}`)
  t.strictSame(names(listIn(last, 'users')), ['root'])
  t.notOk('next_cursor' in last.body)

  t.strictSame(names(listIn(await admin('GET /users?search=THE%20b'), 'users')), ['bob'])
  t.strictSame(names(listIn(await admin('GET /users?search=cy_d'), 'users')), ['cy_d'])
  t.strictSame(names(listIn(await admin('GET /users?search=%25'), 'users')), [])
  t.strictSame(names(listIn(await admin('GET /users?group=staff&search=a%40'), 'users')), ['ada'])
  t.strictSame(names(listIn(await admin('GET /users?group=admins'), 'users')), ['root'])
  t.equal((await admin('GET /users?cursor=%00')).code, 'invalid_request')

  const shown = await admin(`GET /users/${await idOf('ada')}`)
  t.match(shown.body, { name: 'ada', groups: ['staff'], administrator: false, disabled: false })
  t.notMatch(JSON.stringify(shown.body), /argon2|hash|secret/i)
  const factors = await admin(`GET /users/${await idOf('ada')}/factors`)
  t.match(factors.body, { factors: [{ kind: 'totp', label: 'test' }], recovery_codes_left: 0 })
  t.notMatch(JSON.stringify(factors.body), /JBSWY/)
  t.equal((await admin(`GET /users/usr_${'A'.repeat(22)}`)).status, 404)
  t.equal((await admin('GET /users/ada')).status, 404)
})

t.test('an account is changed, and its groups hold on its next request', async (t) => {
  const bea = await person('bea', { totp: false })
  const id = await idOf('bea')
  const wrong = await admin(`PATCH /users/${id}`, { email: 'no', groups: ['ok', 'a b'] })
  t.equal(wrong.code, 'invalid_request')
  t.match(wrong.body['errors'], [
    { path: '/body/email', message: /such as alice@example\.com/ },
    { path: '/body/groups/1', message: /digits and/ },
  ])
  const token = tokenOf(await signIn(bea))
  t.equal((await call('/session', { token })).status, 200)
  const changed = await admin(`PATCH /users/${id}`, {
    display_name: 'Bea B',
    email: 'bea@example.com',
    groups: ['staff'],
    language: 'fr',
  })
  t.match(changed.body, { display_name: 'Bea B', email: 'bea@example.com', groups: ['staff'] })
  t.match(await call('/session', { token }), { body: { user: { groups: ['staff'] } } })
  t.match((await admin('GET /audit?event=account.changed')).body, {
    events: [{ user: 'bea', details: { detail: 'email name language +staff', by: 'root' } }],
  })
})

t.test('a disabled account is out at once, an unlocked one in, a deleted one gone', async (t) => {
  const ben = await person('ben', { totp: false })
  const id = await idOf('ben')
  const token = tokenOf(await signIn(ben))
  t.equal((await call('/session', { token })).status, 200)
  t.match(await admin(`POST /users/${id}/disable`), { status: 200, body: { disabled: true } })
  t.equal((await call('/session', { token })).status, 401)
  t.match(await signIn(ben), { status: 401, code: 'wrong_credentials' })
  t.equal((await admin(`POST /users/${id}/sign-in-link`)).code, 'conflict')
  t.match(await admin(`POST /users/${id}/enable`), { body: { disabled: false } })
  t.equal((await call('/session', { token })).status, 401, 'what ended stays ended')

  clock.advance(SECOND)
  t.equal((await admin(`POST /users/${id}/unlock`)).status, 200)
  await using opened = await vault()
  t.equal((await opened.store.accounts.byName('ben'))?.unlockedAt, clock.now())
  const again = await signIn(ben)
  t.equal(again.status, 200)

  t.match(await admin(`POST /users/${id}/require-password-change`), {
    body: { password_due: 'operator' },
  })
  t.equal((await call('/session', { token: tokenOf(again) })).code, 'password_change_required')

  t.equal((await admin(`DELETE /users/${id}`)).status, 204)
  t.equal((await admin(`GET /users/${id}`)).status, 404)
  t.equal((await call('/session', { token: tokenOf(again) })).status, 401)
  t.equal((await signIn(ben)).code, 'wrong_credentials')
  t.strictSame(
    (await opened.store.sessions.list()).filter((one) => one.userId === id),
    [],
  )
  t.match(await admin('GET /audit?event=account.deleted'), {
    body: { events: [{ user: 'ben', details: { by: 'root' } }] },
  })
})

t.test('factors that were lost are removed, and a link is the way back in', async (t) => {
  const ann = await person('ann')
  const id = await idOf('ann')
  const [factor] = listIn(await admin(`GET /users/${id}/factors`), 'factors')
  t.equal((await admin(`DELETE /users/${id}/factors/phone`)).status, 404)
  t.equal((await admin(`DELETE /users/${id}/factors/${factor?.['id']}`)).status, 204)
  t.equal((await admin(`DELETE /users/${id}/factors/${factor?.['id']}`)).status, 404)
  t.strictSame((await admin(`DELETE /users/${id}/factors`)).body, { removed: 0 })
  const alone = await call('/sign-in', { body: { username: 'ann', password: ann.password } })
  t.equal(alone.body['stage'], 'complete', 'nothing else is left to prove')
  const link = await admin(`POST /users/${id}/sign-in-link`)
  t.equal(link.status, 201)
  const page = await fetch(String(link.body['url']))
  t.equal(page.status, 200)
  t.match(String(link.body['url']), new RegExp(`^${home}/\\.sallyport/`))
})

t.test('people are invited by a link; no administrator knows a password', async (t) => {
  const invited = await admin('POST /invitations', {
    email: 'eve@example.com',
    name: 'eve',
    groups: ['staff'],
  })
  t.match(invited, { status: 201, body: { delivered: 'link', email: 'eve@example.com' } })
  t.match(await (await fetch(String(invited.body['url']))).text(), 'eve')
  const taken = await admin('POST /invitations', { email: 'x@example.com', name: 'bob' })
  t.match(taken, { status: 409, body: { reason: 'name_taken' } })
  const mail = await admin('POST /invitations', { email: 'x@example.com', deliver: 'mail' })
  t.match(mail, { status: 409, body: { reason: 'no_mail' } })
  t.equal((await admin('POST /invitations', { email: 'x@@y', name: '-' })).code, 'invalid_request')
  t.equal(
    (await admin('POST /invitations', { email: 'x@example.com', password: 'x' })).code,
    'invalid_request',
  )
})

t.test(
  'an address that is somebody’s name, and a name that is an address, are refused',
  async (t) => {
    await person('boss', { email: 'boss@example.com', totp: false })
    await person('cleo@example.com', { totp: false })
    const id = await idOf('boss')
    const nameTaken = { status: 409, code: 'conflict', body: { reason: 'name_taken' } }
    const addressTaken = { status: 409, code: 'conflict', body: { reason: 'address_taken' } }

    const invited = { email: 'x@example.com', name: 'BOSS@example.com' }
    t.match(await admin('POST /invitations', invited), nameTaken)
    const email = 'Cleo@Example.com'
    t.match(await admin('POST /invitations', { email }), addressTaken)

    const change = { email, display_name: 'Other', groups: ['staff'] }
    const refused = await admin(`PATCH /users/${id}`, change)
    t.match(refused, addressTaken)
    t.equal(refused.body['detail'], 'This address is the name of another account.')
    t.match((await admin(`GET /users/${id}`)).body, {
      email: 'boss@example.com',
      display_name: 'boss',
      groups: [],
    })
    const own = await admin(`PATCH /users/${await idOf('cleo@example.com')}`, { email })
    t.match(own, { status: 200, body: { email: 'Cleo@example.com' } })
  },
)

t.test('of changes at once, one account that administers is always left', async (t) => {
  for (const name of ['one', 'two', 'off']) await person(name, { groups: ['ops'], totp: false })
  await using opened = await vault()
  const { administration, accounts } = opened.store
  const id = async (name: string) => {
    const account = await accounts.byName(name)
    if (account === undefined) throw new Error(name)
    return account.id
  }
  const [one, two, off] = [await id('one'), await id('two'), await id('off')]
  const ops = ['ops', 'nobody']
  t.equal(await administration.setDisabled(off, true, ops, 1), 'done')
  const outcomes = await Promise.all([
    administration.setDisabled(one, true, ops, 1),
    administration.changeGroups(two, { remove: ['ops'] }, ops, 1),
    administration.remove(two, ops),
  ])
  t.strictSame(outcomes, ['done', 'last', 'last'])
  t.equal(await administration.changeGroups(two, { set: ['x'], add: ['ops'] }, ops, 1), 'done')
  t.strictSame((await accounts.byId(two))?.groups, ['ops', 'x'])
  t.equal(await administration.setDisabled(one, false, ops, 1), 'done')
  t.equal(await administration.remove(two, ops), 'done')
  t.equal(await administration.remove(two, ops), 'gone')
  t.equal(await administration.remove(one, []), 'done', 'the command line may')
})

t.test('nobody shuts out themselves or the last administrator', async (t) => {
  const oneself = { status: 409, code: 'conflict', body: { reason: 'oneself' } }
  t.match(await admin(`POST /users/${root.id}/disable`), oneself)
  t.match(await admin(`DELETE /users/${root.id}`), oneself)
  t.match(await admin(`PATCH /users/${root.id}`, { groups: ['staff'] }), oneself)
  const membership = { group: 'admins', user_id: root.id }
  t.match(await admin('POST /groups/remove-member', membership), oneself)

  const second = await person('second', { groups: ['admins'] })
  const token = tokenOf(await signIn(second))
  const id = await idOf('second')
  const both = await Promise.all([
    admin(`POST /users/${id}/disable`),
    call(`/admin/users/${root.id}/disable`, { token, method: 'POST' }),
  ])
  const lost = both.filter(({ status }) => status !== 200)
  t.equal(lost.length, 1, 'of two who disable each other at once, one stays')
  t.ok(['conflict', 'unauthenticated'].includes(String(lost[0]?.code)))
})
