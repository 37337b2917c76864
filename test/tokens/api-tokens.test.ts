import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DAY, SECOND } from '../../src/lib/duration.ts'
import { parseApiTokenId } from '../../src/tokens/api-token.ts'
import type { ApiTokenOrder } from '../../src/tokens/api-token-order.ts'
import { isTokenText, newTokenText, TOKEN_TEXT } from '../../src/tokens/token-text.ts'
import { createWorld, SERVICE } from './api-token-world.ts'

t.test('newTokenText() makes what scanners and isTokenText() know by its form alone', async (t) => {
  const made = Array.from({ length: 2000 }, () => newTokenText('pat'))
  t.equal(new Set(made.map((text) => text.slice(0, -6))).size, made.length)
  t.ok(made.every((text) => TOKEN_TEXT.test(text) && isTokenText(text) && text.length === 63))
  const digits = new Set(made.flatMap((text) => [...text.slice('sallyport_pat_'.length)]))
  t.equal(digits.size, 62, 'every digit comes up')
  t.match(newTokenText('svc'), /^sallyport_svc_[0-9A-Za-z]{49}$/)
})

t.test('isTokenText() refuses every mistyped character and every other spelling', async (t) => {
  const text = newTokenText('pat')
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === 'a' ? 'b' : 'a'
    t.notOk(isTokenText(text.slice(0, at) + other + text.slice(at + 1)), `character ${at}`)
  }
  const [head, tail] = [text.slice(0, 20), text.slice(20)]
  const swapped = head + tail.slice(1, 2) + tail.slice(0, 1) + tail.slice(2)
  for (const odd of [
    ...['', ' ', `${text} `, ` ${text}`, `${text}\n`, text.toUpperCase(), `${text}=`],
    ...[text.replace('_pat_', '_svc_'), text.slice(1), text.repeat(2000), `${head}\0${tail}`],
    ...(swapped === text ? [] : [swapped]),
  ]) {
    t.notOk(isTokenText(odd), JSON.stringify(odd.slice(0, 80)))
  }
})

t.test('create() keeps a digest and four characters, never the token', async (t) => {
  const { make, dir, store, apiTokens, bob } = await createWorld(t)
  const { text, token } = await make()
  t.match(token, { kind: 'personal', name: 'backup', hint: text.slice(-4), lastUsedAt: 0 })
  t.strictSame(await apiTokens.ofUser(bob), [token])
  await store.ping()
  for (const file of ['sallyport.db', 'sallyport.db-wal']) {
    t.notOk(readFileSync(join(dir, file)).includes(text.slice(14)), file)
  }
})

t.test('resolve() gives the owner as they are now, at the level of when it was made', async (t) => {
  const { make, personalOrder, resolve, apiTokens, bob, store, clock, eve } = await createWorld(t)
  const weak = await make()
  const at = clock.now()
  const factors = [
    { kind: 'password', at },
    { kind: 'totp', at },
  ] as const
  const strong = await make(personalOrder({ factors }))
  t.match(await resolve(weak.text), {
    account: { id: bob },
    principal: { userId: bob, name: 'bob', groups: ['staff'], level: 'one_factor' },
  })
  t.match(await resolve(strong.text), { principal: { level: 'two_factor', proved: factors } })
  const others = await make(personalOrder({ owner: eve }))
  t.match(await resolve(others.text), { principal: { name: 'eve' } })
  await store.accounts.change(bob, { groups: ['admins'] }, clock.now())
  apiTokens.reread()
  t.match(await resolve(weak.text), { principal: { groups: ['admins'] } })
})

t.test('a service token is called what no account can be, with groups of its own', async (t) => {
  const { make, resolve } = await createWorld(t)
  const { text, token } = await make(SERVICE)
  t.match(text, /^sallyport_svc_/)
  const resolution = await resolve(text)
  t.match(resolution, {
    account: undefined,
    principal: { name: 'service:backup', groups: ['operators'], level: 'two_factor', proved: [] },
  })
  t.equal(token.expiresAt, 0)
})

t.test('resolve() asks the store once in ten seconds, and writes no use by itself', async (t) => {
  const { make, apiTokens, store, clock, bob } = await createWorld(t)
  const { text, token } = await make()
  const first = apiTokens.resolve(text, '192.0.2.1')
  t.type(first, Promise)
  await first
  t.notOk(apiTokens.resolve(text, '192.0.2.1') instanceof Promise, 'from memory')
  clock.advance(5 * SECOND)
  await apiTokens.resolve(text, '192.0.2.9')
  t.equal((await store.apiTokens.byId(token.id))?.lastUsedAt, 0, 'not on disk')
  const used = { lastUsedAt: clock.now(), lastUsedFrom: '192.0.2.9' }
  t.match(await apiTokens.ofUser(bob), [used], 'the list knows')
  await apiTokens.flush()
  t.match(await store.apiTokens.byId(token.id), used)
  clock.advance(5 * SECOND)
  const again = apiTokens.resolve(text, '192.0.2.1')
  t.type(again, Promise, 'read again')
  await again
})

t.test('revocation, expiry and a closed account hold on the next request', async (t) => {
  const { make, kindOf, apiTokens, clock, store, bob } = await createWorld(t)
  const ended: string[] = []
  apiTokens.onEnd((id) => ended.push(id))
  const first = await make()
  const second = await make()
  t.equal(await kindOf(first.text), 'active')
  t.equal(await kindOf(second.text), 'active')
  t.equal(await apiTokens.revoke(first.token.id), true)
  t.strictSame(await apiTokens.resolve(first.text, ''), { kind: 'none' }, 'in the same turn')
  t.equal(await apiTokens.revoke(first.token.id), false)
  t.equal(await apiTokens.isAlive(first.token.id), false)
  t.ok(ended.includes(first.token.id))
  await store.accounts.setPasswordDue(bob, 'leaked', clock.now())
  apiTokens.reread()
  t.equal(await kindOf(second.text), 'none', 'the password is due')
  t.equal(await apiTokens.isAlive(second.token.id), false)
  await store.accounts.setPasswordDue(bob, '', clock.now())
  t.equal(await kindOf(second.text), 'active')
  const short = await make(SERVICE)
  t.equal(await kindOf(short.text), 'active')
  clock.advance(90 * DAY - 1)
  t.equal(await kindOf(second.text), 'active', 'read')
  clock.advance(1)
  t.equal(await kindOf(second.text), 'none', 'expired, from memory')
  t.equal(await kindOf(short.text), 'active')
  t.equal(await apiTokens.sweep(), 0, 'still listed')
  clock.advance(31 * DAY)
  t.equal(await apiTokens.sweep(), 1)
})

t.test('isAlive() ends what is open when the second factor is overdue (E8)', async (t) => {
  let due = Number.POSITIVE_INFINITY
  const { make, apiTokens, clock, personalOrder } = await createWorld(t, {}, () => due)
  const factors = ['password', 'totp'].map((kind) => ({ kind, at: clock.now() }))
  const weak = await make()
  const strong = await make(personalOrder({ factors } as Partial<ApiTokenOrder>))
  t.equal(await apiTokens.isAlive(weak.token.id), true)
  due = clock.now()
  t.equal(await apiTokens.isAlive(weak.token.id), false)
  t.equal(await apiTokens.isAlive(strong.token.id), true)
  t.equal(await apiTokens.isAlive((await make(SERVICE)).token.id), true)
})

t.test('what another process revokes or disables is gone on the next request', async (t) => {
  const { make, kindOf, elsewhere, bob, clock, personalOrder, app } = await createWorld(t)
  const [one, two] = [await make(), await make()]
  t.equal(await kindOf(one.text), 'active')
  t.equal(await kindOf(two.text), 'active')
  await elsewhere.apiTokens.remove(one.token.id)
  t.equal(await kindOf(one.text), 'none')
  t.equal(await kindOf(two.text), 'active')
  await elsewhere.accounts.setDisabled(bob, true, clock.now())
  t.equal(await kindOf(two.text), 'none')
  await elsewhere.accounts.setDisabled(bob, false, clock.now())
  t.equal(await kindOf(two.text), 'active')
  await elsewhere.apiTokens.removeOfUser(bob)
  t.equal(await kindOf(two.text), 'none')
  const scoped = await make(personalOrder({ scope: { apps: [app], methods: [], paths: [] } }))
  const open = await make()
  t.equal(await kindOf(scoped.text), 'active')
  t.strictSame(await elsewhere.apiTokens.removeOfApp(app), [scoped.token.id])
  t.equal(await kindOf(scoped.text), 'none')
  t.equal(await kindOf(open.text), 'active', 'it named no app')
  await elsewhere.apiTokens.removeAll()
  t.equal(await kindOf(open.text), 'none')
})

t.test('what was read before a revocation is not remembered after it', async (t) => {
  const { make, apiTokens, kindOf } = await createWorld(t)
  const { text, token } = await make()
  const reading = apiTokens.resolve(text, '192.0.2.1')
  await apiTokens.revoke(token.id)
  await reading
  t.equal(await kindOf(text), 'none')
})

t.test('create() tells everything that is wrong with an order at once', async (t) => {
  const { apiTokens, personalOrder } = await createWorld(t)
  const order = personalOrder({
    name: ' ',
    lifetime: 366 * DAY,
    scope: {
      apps: ['no such app'],
      methods: ['get', 'FETCH'],
      paths: ['/a/**', '/a/../b', '/%2e'],
    },
  })
  t.strictSame(await apiTokens.create(order), {
    kind: 'refused',
    problems: [
      { field: 'lifetime', problem: 'too_long', value: '' },
      { field: 'name', problem: 'empty', value: ' ' },
      { field: 'apps', problem: 'invalid', value: 'no such app', index: 0 },
      { field: 'methods', problem: 'invalid', value: 'FETCH', index: 1 },
      { field: 'paths', problem: 'invalid', value: '/a/../b', index: 1 },
      { field: 'paths', problem: 'invalid', value: '/%2e', index: 2 },
    ],
  })
  const paths = (count: number) => ({
    apps: [],
    methods: [],
    paths: Array.from({ length: count }, (_, i) => `/**${'/a'.repeat(450)}/${i}`),
  })
  t.match(await apiTokens.create(personalOrder({ scope: paths(3) })), {
    problems: [{ field: 'paths', problem: 'too_long' }],
  })
  t.match(await apiTokens.create(personalOrder({ scope: paths(2) })), { kind: 'created' })
  t.match(await apiTokens.create(personalOrder({ lifetime: 'never' })), {
    problems: [{ field: 'lifetime', problem: 'endless' }],
  })
  t.match(await apiTokens.create({ ...SERVICE, name: 'a:b', groups: ['a,b'] }), {
    problems: [{ field: 'name', problem: 'invalid' }, { field: 'groups' }],
  })
})

t.test('an account has so many tokens at most, also when many are made at once', async (t) => {
  const { apiTokens, personalOrder, make, clock, eve } = await createWorld(t, { perAccount: 3 })
  await make(personalOrder({ lifetime: DAY }))
  const made = await Promise.all(
    Array.from({ length: 10 }, () => apiTokens.create(personalOrder({ lifetime: 2 * DAY }))),
  )
  t.equal(made.filter(({ kind }) => kind === 'created').length, 2)
  t.strictSame(made.at(-1), { kind: 'full', max: 3 })
  t.match(await apiTokens.create(personalOrder({ owner: eve })), { kind: 'created' })
  clock.advance(DAY)
  t.match(await apiTokens.create(personalOrder()), { kind: 'created' }, 'expired ones make room')
  t.match(await apiTokens.create(personalOrder()), { kind: 'full' })
})

t.test('switched off, personal tokens are not made and open nothing', async (t) => {
  const world = await createWorld(t, { enabled: false })
  const { apiTokens, personalOrder, store, make, kindOf, bob } = world
  t.strictSame(await apiTokens.create(personalOrder()), { kind: 'off' })
  const service = await make(SERVICE)
  const [text, id] = [newTokenText('pat'), parseApiTokenId(`tok_${'A'.repeat(22)}`)]
  if (id === undefined) throw new Error('no id')
  const tokenHash = hash('sha256', text, 'base64url')
  const before = { ...service.token, id, kind: 'personal', userId: bob, tokenHash } as const
  t.equal(await store.apiTokens.add(before, 9), true)
  t.equal(await kindOf(text), 'none')
  t.equal(await kindOf(service.text), 'active')
})
