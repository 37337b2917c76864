import t from 'tap'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { tempDir } from '../support/temp-dir.ts'

t.test('spend() is true for one caller, of many at once and after a restart', async (t) => {
  const dir = tempDir()
  t.teardown(dir.remove)
  const path = dir.at('s.db')
  const store = await openSqlStore({ path })
  const tries = Array.from({ length: 50 }, () => store.spent.spend('webhook', 'a', 100))
  t.equal((await Promise.all(tries)).filter((first) => first).length, 1)
  t.equal(await store.spent.spend('return', 'a', 100), true, 'each kind by itself')
  await store.close()

  await using again = await openSqlStore({ path })
  t.equal(await again.spent.spend('webhook', 'a', 900), false)
  t.equal(await again.spent.spend('webhook', 'b', 101), true)
  t.equal(await again.spent.forget(99), 0)
  t.equal(await again.spent.forget(100), 2, 'what would be refused by now anyway')
  t.equal(await again.spent.spend('webhook', 'b', 101), false, 'and nothing else')
  t.equal(await again.spent.spend('webhook', 'a', 200), true)
})
