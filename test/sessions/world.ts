import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Test } from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { DAY, HOUR, MINUTE } from '../../src/lib/duration.ts'
import {
  createSessions,
  type Issued,
  type Resolution,
  type Sessions,
} from '../../src/sessions/sessions.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

export const OPTIONS = { idle: 30 * MINUTE, absolute: 12 * HOUR, remember: 30 * DAY }

/** Sessions over a database of their own, with bob in it. */
export type World = {
  readonly clock: FakeClock
  readonly store: SqlStore
  readonly sessions: Sessions
  readonly bob: UserId
  /** The same database as another process would open it. */
  readonly elsewhere: () => Promise<SqlStore>
  /** A second program over the same database: nothing in memory, nothing to flush. */
  readonly another: () => Promise<Sessions>
  readonly open: (change?: Partial<Parameters<Sessions['open']>[0]>) => Promise<Issued>
  /** What the token stands for, asked in a turn of its own, as requests come. */
  readonly kindOf: (token: string, sessions?: Sessions) => Promise<Resolution['kind']>
}

export async function createWorld(t: Test): Promise<World> {
  const dir = tempDir()
  const path = join(dir.path, 'sallyport.db')
  const opened: SqlStore[] = []
  t.teardown(async () => {
    for (const store of opened) await store.close()
    dir.remove()
  })
  const elsewhere = async () => {
    const store = await openSqlStore({ path })
    opened.push(store)
    return store
  }
  const clock = fakeClock()
  const over = (store: SqlStore) =>
    createSessions(
      {
        store: store.sessions,
        accountById: store.accounts.byId,
        foreignWrites: store.foreignWrites,
        clock,
      },
      OPTIONS,
    )
  const store = await elsewhere()
  const bob = newUserId()
  await store.accounts.add(
    { id: bob, name: 'bob', displayName: 'Bob', email: '', groups: ['staff'], passwordHash: '-' },
    clock.now(),
  )
  const sessions = over(store)
  return {
    clock,
    store,
    sessions,
    bob,
    elsewhere,
    another: async () => over(await elsewhere()),
    open: async (change = {}) => {
      const issued = await sessions.open({
        userId: bob,
        stage: 'complete',
        factors: [{ kind: 'password', at: clock.now() }],
        remember: false,
        address: '192.0.2.1',
        userAgent: 'test',
        ...change,
      })
      if (issued === undefined) throw new Error('no session')
      return issued
    },
    kindOf: async (token, asked = sessions) => {
      await nextTurn()
      return (await asked.resolve(token)).kind
    },
  }
}
