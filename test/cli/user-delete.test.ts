import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { DAY } from '../../src/lib/duration.ts'
import { createLinks } from '../../src/login/links.ts'
import { runCommandHere } from '../support/command-line.ts'
import { addPerson } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(() => dir.remove())
const path = join(dir.path, 'sallyport.db')
const run = (...args: readonly string[]) => runCommandHere([...args, '--data', dir.path])

/** Every table that names the account anywhere. */
function tablesWith(id: string): readonly string[] {
  const db = new Database(path, { timeout: 5_000 })
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table'").all()
    return tables
      .map((row) => String(Object(row).name))
      .filter((name) => JSON.stringify(db.prepare(`select * from "${name}"`).all()).includes(id))
      .sort()
  } finally {
    db.close()
  }
}

t.test('`user delete` takes everything but what happened, once it is sure', async (t) => {
  await addPerson(dir.path, 'ada')
  await addPerson(dir.path, 'bob', { totp: false })
  await run('user', 'unlock', 'ada')
  let id = ''
  {
    await using vault = await openVault({ store: { path } })
    const { store } = vault
    const ada = await store.accounts.byName('ada')
    if (ada === undefined) throw new Error('no ada')
    id = ada.id
    const lifetimes = { reset: DAY, invitation: DAY, signIn: DAY }
    await createLinks({ store: store.links, clock: systemClock }, lifetimes).issue('reset', ada.id)
    await store.failureStreaks.add(ada.id, 'totp', 100)
  }
  const before = tablesWith(id)
  t.ok(before.length >= 5, before.join(' '))

  const unsure = await run('user', 'delete', 'ada')
  t.equal(unsure.code, 2)
  t.match(unsure.stderr, '--yes')
  t.strictSame(tablesWith(id), before)

  t.match(await run('user', 'delete', 'ADA', '--yes'), { code: 0, stdout: 'ada is deleted.\n' })
  t.strictSame(tablesWith(id), ['audit_events'])
  t.equal((await run('user', 'delete', 'ada', '--yes')).code, 1)
  t.match((await run('audit', 'list')).stdout, 'account.deleted')
  const left: unknown = JSON.parse((await run('user', 'list', '--json')).stdout)
  t.match(left, [{ name: 'bob' }])
})

t.test('`session revoke --app` knows the apps and takes one thing at a time', async (t) => {
  const unknown = await run('session', 'revoke', '--app', 'Wiki')
  t.equal(unknown.code, 1)
  t.match(unknown.stderr, 'There are: 127.0.0.1:80')
  t.equal((await run('session', 'revoke', '--app', '127.0.0.1:80', '--all')).code, 2)
  t.match(await run('session', 'revoke', '--app', '127.0.0.1:80'), {
    code: 0,
    stdout: '127.0.0.1:80 asks everybody again who they are.\n',
  })
  t.match((await run('audit', 'list')).stdout, 'app.revoked')
})
