import Database from 'better-sqlite3'
import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { createAppIdentity } from '../../src/gate/app-identity.ts'
import { Secret } from '../../src/lib/secret.ts'
import { DEFAULT_DENY } from '../../src/policy/match.ts'
import { basicAuthorization } from '../../src/tokens/upstream-login.ts'
import { createUpstreamLogins } from '../../src/tokens/upstream-logins.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { addPerson } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(() => dir.remove())
const path = dir.at('sallyport.db')
await addPerson(dir.path, 'alice', { totp: false })
await addPerson(dir.path, 'bob', { totp: false })
const vault = await openVault({ store: { path } })
t.teardown(() => vault.store.close())
const idOf = async (name: string) => {
  const account = await vault.store.accounts.byName(name)
  if (account === undefined) throw new Error(name)
  return account.id
}
const [alice, bob] = [await idOf('alice'), await idOf('bob')]
const clock = fakeClock(1_000)
const logins = createUpstreamLogins({ store: vault.store.upstreamLogins, keys: vault.keys, clock })
const login = (user: string, password: string) => ({ user, password: new Secret(password) })
const shown = async (app: string, userId: typeof alice) => {
  const found = await logins.of(app, userId)
  return found && `${found.user}:${found.password.reveal()}`
}

t.test('set() keeps one login for each app and account, in the place of an earlier', async (t) => {
  t.equal(await shown('Wiki', alice), undefined)
  const before = logins.changes()
  t.strictSame(await logins.set('Wiki', alice, login('al', 'one')), { kind: 'set' })
  clock.advance(1_000)
  t.strictSame(await logins.set('Wiki', alice, login('al', 'motdepasse-é')), { kind: 'set' })
  t.ok(logins.changes() > before)
  t.strictSame(await logins.set('Wiki', bob, login('bobby', 'two')), { kind: 'set' })
  t.equal(await shown('Wiki', alice), 'al:motdepasse-é')
  t.equal(await shown('Wiki', bob), 'bobby:two')
  t.equal(await shown('wiki', alice), undefined)
  t.strictSame(await logins.list(alice), [
    { app: 'Wiki', userId: alice, updatedAt: 2_000, user: 'al' },
  ])
  t.equal((await logins.list()).length, 2)
})

t.test('createAppIdentity() reads a login once, and again after a change of ours', async (t) => {
  let reads = 0
  const counting = {
    changes: logins.changes,
    of: (...args: Parameters<typeof logins.of>) => {
      reads++
      return logins.of(...args)
    },
  }
  const identity = createAppIdentity(
    { name: 'Wiki', identityHeaders: {}, upstreamLogin: { kind: 'personal' } },
    { assertions: { of: () => 'a.b.c' }, logins: counting },
  )
  const account = await vault.store.accounts.byName('bob')
  if (account === undefined) throw new Error('bob is gone')
  const principal = {
    ...account,
    userId: bob,
    level: 'one_factor' as const,
    proved: [],
    secondFactorDue: undefined,
  }
  const ask = async () => {
    const [header] = await identity.of({
      kind: 'decided',
      app: { name: 'Wiki', rules: [], hasCapitals: false },
      decision: { kind: 'allow', rule: DEFAULT_DENY, principal },
      resolution: { kind: 'none' },
    })
    return header
  }
  t.strictSame(await ask(), ['Authorization', basicAuthorization(login('bobby', 'two'))])
  t.equal(await ask(), await ask(), 'the same headers')
  t.equal(reads, 1)
  await logins.remove('Wiki', bob)
  t.strictSame(await ask(), ['Authorization', ''])
  await logins.set('Wiki', bob, login('bobby', 'three'))
  t.strictSame(await ask(), ['Authorization', basicAuthorization(login('bobby', 'three'))])
  t.equal(reads, 3)
})

t.test('set() refuses what cannot be sent as HTTP Basic, and keeps what was there', async (t) => {
  for (const user of ['', 'a:b', 'a\nb', 'a\u0085', 'x'.repeat(257), '\ud800']) {
    t.strictSame(await logins.set('Wiki', alice, login(user, 'x')), {
      kind: 'refused',
      fault: 'user',
    })
  }
  for (const password of ['', 'a\r\nb', 'x'.repeat(1025), '\udfff']) {
    t.strictSame(await logins.set('Wiki', alice, login('al', password)), {
      kind: 'refused',
      fault: 'password',
    })
  }
  t.equal(await shown('Wiki', alice), 'al:motdepasse-é')
  t.equal(
    basicAuthorization(login('al', 'a:é')),
    `Basic ${Buffer.from('al:a:é').toString('base64')}`,
  )
})

t.test('of() opens no value that was moved to another row, or is not sealed', async (t) => {
  using file = open(path)
  const sealed = file.db.prepare('SELECT sealed_login AS it FROM upstream_logins WHERE user_id = ?')
  const row = sealed.get(bob)
  const text = typeof row === 'object' && row !== null && 'it' in row ? String(row.it) : ''
  t.notMatch(text, /bobby|two/)
  const move = file.db.prepare('UPDATE upstream_logins SET sealed_login = ? WHERE user_id = ?')
  move.run(text, alice)
  await t.rejects(logins.of('Wiki', alice), { code: 'keys_unavailable' })
  move.run('["al","plain"]', alice)
  await t.rejects(logins.of('Wiki', alice), { code: 'keys_unavailable' })
})

t.test('remove() tells whether there was one; an account takes its logins with it', async (t) => {
  t.equal(await logins.remove('Wiki', alice), true)
  t.equal(await logins.remove('Wiki', alice), false)
  using file = open(path)
  file.db.pragma('foreign_keys = ON')
  file.db.prepare('DELETE FROM accounts WHERE id = ?').run(bob)
  t.strictSame(await logins.list(), [])
})

function open(name: string) {
  const db = new Database(name, { timeout: 5_000 })
  return { db, [Symbol.dispose]: () => db.close() }
}
