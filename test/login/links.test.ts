import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createPasswordPolicy } from '../../src/accounts/password-policy.ts'
import { newUserId } from '../../src/accounts/user-id.ts'
import type { AuditContext, AuditEvent } from '../../src/audit/audit.ts'
import { createPasswordHasher } from '../../src/factors/password.ts'
import { levelOf } from '../../src/identity/principal.ts'
import { DAY, HOUR, MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { BUDGETS } from '../../src/limits/budgets.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { createInvitations } from '../../src/login/invitation.ts'
import type { LinkStore } from '../../src/login/link-store.ts'
import { createLinks } from '../../src/login/links.ts'
import { createPasswordResets } from '../../src/login/reset.ts'
import { createSignInLinks } from '../../src/login/sign-in-link.ts'
import type { Notify } from '../../src/notices/notice.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { CONTEXT, createWorld, PASSWORD } from './world.ts'

const NEW_PASSWORD = 'a brand new pass phrase'
const LIFETIMES = { reset: 30 * MINUTE, invitation: 7 * DAY, signIn: 15 * MINUTE }
const COST = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 }

/** One-time links over real parts; what would be mailed is kept. */
async function linkWorld(t: Test, options: { readonly rate?: number } = {}) {
  const world = await createWorld(t)
  const { store, clock, sessions } = world
  const told: Parameters<Notify>[] = []
  const events: (AuditEvent & AuditContext)[] = []
  const links = createLinks({ store: store.links, clock }, LIFETIMES)
  const deps = {
    links,
    store: store.links,
    accounts: store.accounts,
    passwords: createPasswordHasher({ kdf: world.kdf }, { cost: COST }),
    passwordPolicy: createPasswordPolicy(),
    sessions,
    notify: (...all: Parameters<Notify>) => void told.push(all),
    limiter: createMemoryLimiter({ clock }),
    audit: (event: AuditEvent, context: AuditContext) => events.push({ ...event, ...context }),
    clock,
  }
  const rate = { count: options.rate ?? 1000, window: MINUTE }
  const using = { name: 'link', ...rate }
  const resets = createPasswordResets(deps, {
    offered: true,
    urlOf: (token) => token.map((text) => `https://auth.example.com/reset?token=${text}`),
    asking: { name: 'reset', ...rate },
    sending: BUDGETS.resetLink,
    using,
  })
  const invitations = createInvitations(deps, using)
  const signInLinks = createSignInLinks(deps, using)
  const signInLinksOver = (store: Pick<LinkStore, 'spendSignIn'>) =>
    createSignInLinks({ ...deps, store }, using)
  const withAddress = async (name: string, email: string) => {
    const account = { id: newUserId(), name, displayName: name, email, groups: [] }
    await store.accounts.add({ ...account, passwordHash: 'x' }, clock.now())
    return account
  }
  const use = (token: string, password = NEW_PASSWORD, endSessions = true) =>
    resets.use(token, { password: new Secret(password), endSessions }, CONTEXT)
  const accept = (token: string, username = '', password = NEW_PASSWORD) =>
    invitations.accept(
      token,
      { username, displayName: '', password: new Secret(password) },
      CONTEXT,
    )
  const named = () => events.map(({ event, outcome }) => `${event} ${outcome}`)
  return {
    ...world,
    ...{ told, events, named, links, resets, invitations, withAddress, use, accept },
    ...{ signInLinks, signInLinksOver },
  }
}

const tokenOf = (issued: { readonly token: Secret<string> }) => issued.token.reveal()
const inParallel = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 50 }, (_, index) => work(index)))

t.test('E10 a link works to its last millisecond and not in the next one', async (t) => {
  const { clock, links, addAccount, resets, signInLinks, invitations, use, accept } =
    await linkWorld(t)
  const alice = await addAccount('alice')
  const reset = tokenOf(await links.issue('reset', alice.id))
  clock.advance(LIFETIMES.reset - 1)
  t.equal((await resets.open(reset)).kind, 'open')
  clock.advance(1)
  t.strictSame([await resets.open(reset), await use(reset)], Array(2).fill({ kind: 'expired' }))
  const signIn = tokenOf(await links.issue('sign_in', alice.id))
  clock.advance(LIFETIMES.signIn)
  t.strictSame(
    [await signInLinks.open(signIn), await signInLinks.use(signIn, CONTEXT)],
    Array(2).fill({ kind: 'expired' }),
  )
  const invitation = tokenOf(await links.invite({ email: 'b@example.com', name: '', groups: [] }))
  clock.advance(LIFETIMES.invitation)
  t.strictSame(
    [await invitations.open(invitation), await accept(invitation, 'bob')],
    Array(2).fill({ kind: 'expired' }),
  )
  t.equal(await links.sweep(), 2, 'those that were over a day ago')
  clock.advance(DAY)
  t.equal(await links.sweep(), 1)
  t.equal((await resets.open(reset)).kind, 'gone')
})

t.test('E10 the store itself refuses what is over, whoever asked before', async (t) => {
  const { clock, links, addAccount, store } = await linkWorld(t)
  const alice = await addAccount('alice')
  const open = await links.peek('reset', tokenOf(await links.issue('reset', alice.id)))
  if (open.kind !== 'open') throw new Error(open.kind)
  const { tokenHash, expiresAt } = open.link
  const change = { passwordHash: 'x', endSessions: true }
  t.equal(await store.links.spendReset(tokenHash, change, expiresAt), undefined)
  t.equal(await store.links.spendSignIn(tokenHash, clock.now()), undefined, 'of another kind')
  t.ok(await store.links.spendReset(tokenHash, change, expiresAt - 1))
})

t.test('G3 50 parallel uses of a reset link change the password once', async (t) => {
  const { store, links, addAccount, use, enter, named } = await linkWorld(t)
  const alice = await addAccount('alice')
  const token = tokenOf(await links.issue('reset', alice.id))
  const outcomes = await inParallel((i) => use(token, `${NEW_PASSWORD} ${i}`))
  const won = outcomes.findIndex(({ kind }) => kind === 'changed')
  t.equal(outcomes.filter(({ kind }) => kind === 'changed').length, 1)
  t.equal((await enter('alice', `${NEW_PASSWORD} ${won}`)).kind, 'signed_in')
  t.equal(named().filter((name) => name === 'password.changed success').length, 1)
  t.ok(((await store.accounts.byName('alice'))?.passwordChangedAt ?? 0) > 0)
})

t.test('G3 50 parallel uses of an invitation make one account, under one name', async (t) => {
  const { store, links, accept } = await linkWorld(t)
  const invited = { email: 'bob@example.com', name: '', groups: ['staff'] }
  const token = tokenOf(await links.invite(invited))
  const outcomes = await inParallel((i) => accept(token, `bob${i}`))
  t.equal(outcomes.filter(({ kind }) => kind === 'created').length, 1)
  const accounts = await store.accounts.list()
  t.strictSame(
    accounts.map(({ email, groups }) => ({ email, groups })),
    [{ email: 'bob@example.com', groups: ['staff'] }],
  )
})

t.test('G3 50 parallel uses of a sign-in link open one session', async (t) => {
  const { store, links, addAccount, signInLinks } = await linkWorld(t)
  const alice = await addAccount('alice')
  const token = tokenOf(await links.issue('sign_in', alice.id))
  const outcomes = await inParallel(() => signInLinks.use(token, CONTEXT))
  t.equal(outcomes.filter(({ kind }) => kind === 'signed_in').length, 1)
  t.equal((await store.sessions.ofUser(alice.id)).length, 1)
})

t.test('spend…() spends once over two connections to one file', async (t) => {
  const { store, links, addAccount, clock, dir } = await linkWorld(t)
  const alice = await addAccount('alice')
  const other = await openSqlStore({ path: join(dir, 'sallyport.db') })
  t.teardown(() => other.close())
  const peek = await links.peek('sign_in', tokenOf(await links.issue('sign_in', alice.id)))
  if (peek.kind !== 'open') throw new Error(peek.kind)
  const spent = await inParallel((i) =>
    (i % 2 === 0 ? store : other).links.spendSignIn(peek.link.tokenHash, clock.now()),
  )
  t.equal(spent.filter((one) => one !== undefined).length, 1)
})

t.test('issue() and invite() keep no more links open than they should', async (t) => {
  const { clock, links, addAccount, resets, signInLinks, invitations } = await linkWorld(t)
  const alice = await addAccount('alice')
  const carol = await addAccount('carol')
  const first = tokenOf(await links.issue('reset', alice.id))
  const hers = tokenOf(await links.issue('reset', carol.id))
  const second = tokenOf(await links.issue('reset', alice.id))
  t.equal((await resets.open(first)).kind, 'gone', 'replaced by a newer one')
  t.equal((await resets.open(second)).kind, 'open')
  t.equal((await resets.open(hers)).kind, 'open', "nobody else's is")
  const tokens: string[] = []
  for (let i = 0; i < 6; i++) {
    clock.advance(1)
    tokens.push(tokenOf(await links.issue('sign_in', alice.id)))
  }
  const kinds = await Promise.all(tokens.map(async (token) => (await signInLinks.open(token)).kind))
  t.strictSame(kinds, ['gone', 'open', 'open', 'open', 'open', 'open'])
  const [a, b] = [
    tokenOf(await links.invite({ email: 'Bob@example.com', name: '', groups: [] })),
    tokenOf(await links.invite({ email: 'bob@example.com', name: '', groups: [] })),
  ]
  t.strictSame(
    [(await invitations.open(a)).kind, (await invitations.open(b)).kind],
    ['gone', 'open'],
  )
  const odd = ['', second.slice(1), `${second}=`, second.toLowerCase(), hers.slice(0, 42)]
  for (const token of odd) t.equal((await resets.open(token)).kind, 'gone', token)
  t.equal((await signInLinks.open(second)).kind, 'gone', 'a link is of one kind')
})

t.test('use() sets the password, ends the sessions, and signs nobody in', async (t) => {
  const { clock, links, addAccount, use, enter, sessions, store, named } = await linkWorld(t)
  const alice = await addAccount('alice', { totp: true })
  const old = await enter('alice')
  if (old.kind !== 'signed_in') throw new Error(old.kind)
  const ended: string[] = []
  sessions.onEnd((id) => ended.push(id))
  t.equal((await sessions.resolve(old.issued.token.reveal())).kind, 'pending')
  const token = tokenOf(await links.issue('reset', alice.id))
  const weak = await use(token, 'short')
  t.match(weak, { kind: 'refused', problem: { problem: 'too_short', detail: 12 } })
  clock.advance(1000)
  t.equal((await use(token)).kind, 'changed', 'a refused password spent nothing')
  t.equal((await sessions.resolve(old.issued.token.reveal())).kind, 'none')
  t.strictSame(ended, [old.issued.session.id], 'and connections of the session are told')
  t.equal((await enter('alice')).kind, 'refused', 'the old password is dead')
  t.match(await enter('alice', NEW_PASSWORD), { kind: 'signed_in', next: 'second_step' })
  t.equal((await use(token, `${NEW_PASSWORD}!`)).kind, 'gone')
  t.strictSame(named(), [
    'link.used success',
    'password.changed success',
    'session.ended success',
    'link.used failure',
  ])
  const kept = await enter('alice', NEW_PASSWORD)
  if (kept.kind !== 'signed_in') throw new Error(kept.kind)
  await use(tokenOf(await links.issue('reset', alice.id)), PASSWORD, false)
  t.equal(
    (await sessions.resolve(kept.issued.token.reveal())).kind,
    'pending',
    'unless told not to',
  )
  t.equal((await store.accounts.byName('alice'))?.passwordDue, '')
})

t.test('use() lifts the lock that the forgotten password caused', async (t) => {
  const { clock, links, addAccount, use, enter } = await linkWorld(t)
  const alice = await addAccount('alice')
  for (let i = 0; i < 10; i++) await enter('alice', 'wrong')
  t.equal((await enter('alice')).kind, 'refused', 'locked')
  clock.advance(1)
  await use(tokenOf(await links.issue('reset', alice.id)))
  t.equal((await enter('alice', NEW_PASSWORD)).kind, 'signed_in')
})

t.test('a link dies with what it was for', async (t) => {
  const { clock, links, addAccount, resets, signInLinks, store, use } = await linkWorld(t)
  const alice = await addAccount('alice')
  const reset = tokenOf(await links.issue('reset', alice.id))
  await store.accounts.setPasswordHash(alice.id, 'x', clock.now())
  t.equal((await resets.open(reset)).kind, 'gone', 'the password was changed in another way')
  const mailed = tokenOf(await links.issue('reset', alice.id))
  await store.accounts.change(alice.id, { displayName: 'Al' }, clock.now())
  t.equal((await resets.open(mailed)).kind, 'open')
  await store.accounts.change(alice.id, { email: 'a@example.com' }, clock.now())
  t.equal((await resets.open(mailed)).kind, 'gone', 'the address is another one')
  const again = tokenOf(await links.issue('reset', alice.id))
  const signIn = tokenOf(await links.issue('sign_in', alice.id))
  const found = await links.peek('reset', again)
  await store.accounts.setDisabled(alice.id, true, clock.now())
  t.equal((await use(again)).kind, 'gone')
  t.equal((await signInLinks.use(signIn, CONTEXT)).kind, 'gone')
  if (found.kind !== 'open') throw new Error(found.kind)
  const change = { passwordHash: 'y', endSessions: true }
  t.equal(await store.links.spendReset(found.link.tokenHash, change, clock.now()), undefined)
  await store.accounts.setDisabled(alice.id, false, clock.now())
  t.equal((await signInLinks.use(signIn, CONTEXT)).kind, 'signed_in', 'and nothing was spent')
})

t.test('a sign-in link opens both doors, for an hour at most, during a lock-out too', async (t) => {
  const { clock, links, addAccount, enter, signInLinks, sessions, named } = await linkWorld(t)
  const alice = await addAccount('alice', { totp: true })
  for (let i = 0; i < 11; i++) await enter('alice', 'wrong')
  const outcome = await signInLinks.use(tokenOf(await links.issue('sign_in', alice.id)), CONTEXT)
  if (outcome.kind !== 'signed_in') throw new Error(outcome.kind)
  const { session, token } = outcome.issued
  t.strictSame([session.stage, session.remember], ['complete', false])
  t.equal(levelOf(session.factors), 'two_factor')
  t.equal((await sessions.resolve(token.reveal())).kind, 'active')
  const risen = await sessions.raise(session, { kind: 'totp', at: clock.now() })
  if (risen === undefined) throw new Error('not raised')
  t.equal(risen.session.endsAt, session.createdAt + HOUR, 'another proof does not make it longer')
  for (let i = 0; i < 3; i++) {
    clock.advance(19 * MINUTE)
    t.equal((await sessions.resolve(risen.token.reveal())).kind, 'active')
  }
  clock.advance(3 * MINUTE)
  t.equal((await sessions.resolve(risen.token.reveal())).kind, 'none')
  t.strictSame(named(), ['link.used success', 'auth.link success', 'session.created success'])
})

t.test(
  'F14 request() is the same for everybody; only an address that is known is written to',
  async (t) => {
    const { resets, told, events, withAddress, addAccount, store, clock } = await linkWorld(t)
    const alice = await withAddress('alice', 'Alice@example.com')
    const off = await withAddress('dora', 'dora@example.com')
    await store.accounts.setDisabled(off.id, true, clock.now())
    await addAccount('erin')
    await withAddress('two1', 'twice@example.com')
    await withAddress('two2', 'twice@example.com')
    const asked = [
      'ALICE ',
      'nobody',
      'dora',
      'erin',
      'alice@EXAMPLE.com',
      'twice@example.com',
      '\u0000',
    ]
    t.strictSame(
      asked.map((name) => resets.request(name, CONTEXT)),
      asked.map(() => ({ kind: 'noted' })),
    )
    t.strictSame([told.length, events.length], [0, 0], 'nothing was looked up yet')
    await resets.work()
    t.strictSame(
      told.map(([to, notice]) => [to.id, notice.kind]),
      [
        [alice.id, 'reset_link'],
        [alice.id, 'reset_link'],
      ],
    )
    t.strictSame(
      events.flatMap((one) =>
        one.event === 'password.reset_requested' && 'reason' in one ? one.reason : [],
      ),
      ['unknown_account', 'disabled', 'no_address', 'unknown_account', 'unknown_account'],
    )
    const urls = told.flatMap(([, notice]) => (notice.kind === 'reset_link' ? notice.url : []))
    const [older, newer] = urls.map((url) => url.reveal().split('token=')[1] ?? '')
    t.equal((await resets.open(older ?? '')).kind, 'gone')
    t.match(await resets.open(newer ?? ''), { kind: 'open', account: { name: 'alice' } })
    for (let i = 0; i < 5; i++) resets.request('alice', CONTEXT)
    await resets.work()
    t.equal(told.length, 3, 'three in an hour')
    clock.advance(HOUR)
    resets.request('alice', CONTEXT)
    await resets.work()
    t.equal(told.length, 4)
  },
)

t.test('request() is paid for by network, and refuses nobody for who is asked about', async (t) => {
  const { resets } = await linkWorld(t, { rate: 5 })
  const kinds = (name: string, address: string) =>
    Array.from({ length: 6 }, () => resets.request(name, { ...CONTEXT, address }).kind)
  const six = [...Array(5).fill('noted'), 'limited']
  t.strictSame(kinds('alice', '192.0.2.1'), six)
  t.strictSame(kinds('alice', '192.0.2.2'), six)
})

t.test(
  'work() keeps what the store did not take, and takes no more than it can keep',
  async (t) => {
    const { resets, told, withAddress, store } = await linkWorld(t, { rate: 100_000 })
    await withAddress('alice', 'alice@example.com')
    resets.request('alice', CONTEXT)
    const { byName } = store.accounts
    const out = new Error('the store is out')
    Object.assign(store.accounts, { byName: () => Promise.reject(out) })
    await t.rejects(resets.work(), out)
    Object.assign(store.accounts, { byName })
    await resets.work()
    t.equal(told.length, 1)
    for (let i = 0; i < 1000; i++) resets.request('nobody', CONTEXT)
    t.strictSame(resets.request('nobody', CONTEXT), { kind: 'busy' })
    await resets.work()
    t.strictSame(resets.request('nobody', CONTEXT), { kind: 'noted' })
  },
)

t.test('accept() says what is wrong, and the invitation still works', async (t) => {
  const { links, accept, addAccount, store, invitations, named } = await linkWorld(t)
  await addAccount('alice')
  const token = tokenOf(await links.invite({ email: 'a@example.com', name: '', groups: [] }))
  t.match(await accept(token, 'Alice'), {
    kind: 'invalid',
    problems: [{ field: 'username', problem: 'taken' }],
  })
  t.match(await accept(token, 'al ice', 'short'), {
    kind: 'invalid',
    problems: [{ field: 'username' }, { field: 'password' }],
  })
  const made = await accept(token, 'Alice2')
  if (made.kind !== 'created') throw new Error(made.kind)
  t.match(made.account, { name: 'alice2', email: 'a@example.com', displayName: 'Alice2' })
  t.equal(levelOf(made.issued.session.factors), 'one_factor')
  t.equal((await accept(token, 'alice3')).kind, 'gone')
  t.strictSame(named(), [
    'link.used success',
    'account.created success',
    'session.created success',
    'link.used failure',
  ])

  const given = { email: 'c@example.com', name: 'carol', groups: ['admins'] }
  const first = tokenOf(await links.invite(given))
  t.match(await accept(first, 'mallory'), { kind: 'created', account: { name: 'carol' } })
  const second = tokenOf(await links.invite({ ...given, email: 'd@example.com' }))
  t.match(await invitations.open(second), { kind: 'open', name: '' }, 'the name is taken by now')
  t.match(await accept(second, 'dave'), { kind: 'created', account: { name: 'dave' } })
  t.equal((await store.accounts.list()).length, 4)
})

t.test('no token is in the store', async (t) => {
  const { links, addAccount, dir } = await linkWorld(t)
  const alice = await addAccount('alice')
  const tokens = [
    tokenOf(await links.issue('reset', alice.id)),
    tokenOf(await links.issue('sign_in', alice.id)),
    tokenOf(await links.invite({ email: 'b@example.com', name: '', groups: [] })),
  ]
  const bytes = ['sallyport.db', 'sallyport.db-wal']
    .map((name) => readFileSync(join(dir, name), 'latin1'))
    .join('')
  t.ok(bytes.includes('b@example.com'), 'the rows are in there')
  for (const token of tokens) t.notOk(bytes.includes(token))
})

t.test('a sign-in link opens nothing for an account disabled as it is spent', async (t) => {
  const { links, addAccount, store, clock, signInLinksOver, sessions, events } = await linkWorld(t)
  const alice = await addAccount('alice')
  const token = tokenOf(await links.issue('sign_in', alice.id))
  const signInLinks = signInLinksOver({
    spendSignIn: async (...given) => {
      const spent = await store.links.spendSignIn(...given)
      await store.accounts.setDisabled(alice.id, true, clock.now())
      return spent
    },
  })
  t.strictSame(await signInLinks.use(token, CONTEXT), { kind: 'gone' })
  t.match(events, [
    { event: 'auth.link', outcome: 'failure', reason: 'disabled' },
    { event: 'link.used', outcome: 'failure' },
  ])
  await store.accounts.setDisabled(alice.id, false, clock.now())
  t.strictSame(await sessions.ofUser(alice.id), [])
})

t.test('an invitation gives nobody the address of another for a name', async (t) => {
  const { links, accept, withAddress, store } = await linkWorld(t)
  await withAddress('boss', 'Boss@example.com')
  const invited = { email: 'eve@elsewhere.test', name: '', groups: [] }
  const token = tokenOf(await links.invite(invited))
  t.match(await accept(token, 'boss@EXAMPLE.com'), {
    kind: 'invalid',
    problems: [{ field: 'username', problem: 'taken' }],
  })
  t.equal(await store.accounts.count(), 1)
  t.match(await accept(token, 'eve@elsewhere.test'), { kind: 'created' }, 'her own she may')
})
