import { join } from 'node:path'
import t from 'tap'
import { tellingAccounts } from '../../src/accounts/telling-accounts.ts'
import { newUserId } from '../../src/accounts/user-id.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { tempDir } from '../support/temp-dir.ts'

t.test('tellingAccounts() tells of every change and of no reading', async (t) => {
  const dir = tempDir()
  const store = await openSqlStore({ path: join(dir.path, 'sallyport.db') })
  let told = 0
  const accounts = tellingAccounts(store.accounts, () => {
    told++
  })
  const id = newUserId()
  const bob = { id, name: 'bob', displayName: '', email: '', groups: [], passwordHash: '-' }
  t.equal(await accounts.add(bob, 1), true)
  t.equal(told, 1)
  t.match(await accounts.byId(id), { name: 'bob' })
  await accounts.byName('bob')
  await accounts.isNameFree('bob')
  await accounts.list()
  await accounts.passwordHash(id)
  t.equal(told, 1)
  await accounts.setDisabled(id, true, 2)
  await accounts.setPasswordDue(id, 'leaked', 2)
  await accounts.change(id, { groups: ['admins'] }, 2)
  t.equal(told, 4)
  await store.close()
  await t.rejects(accounts.setDisabled(id, false, 3), { code: 'store_unavailable' })
  t.equal(told, 5, 'it may have happened')
  dir.remove()
})
