import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Test } from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { createApiTokenParts } from '../../src/compose/api-tokens.ts'
import { protectSettings } from '../../src/config/protect.ts'
import type { PersonalTokenSettings } from '../../src/config/sections/api-tokens.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { DAY } from '../../src/lib/duration.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import type { ApiTokenOrder } from '../../src/tokens/api-token-order.ts'
import type { ApiTokens } from '../../src/tokens/api-tokens.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const OPEN = { apps: [], methods: [], paths: [] }

/** Tokens over a database of their own, with bob and eve in it. */
export async function createWorld(
  t: Test,
  personal: Partial<PersonalTokenSettings> = {},
  secondFactorDue?: () => number,
) {
  const dir = tempDir()
  const path = join(dir.path, 'sallyport.db')
  const clock = fakeClock()
  const store = await openSqlStore({ path })
  const elsewhere = await openSqlStore({ path })
  t.teardown(async () => {
    await store.close()
    await elsewhere.close()
    dir.remove()
  })
  const settings = protectSettings({ upstream: 'http://127.0.0.1:1', dataDir: dir.path })
  const app = settings.apps[0]?.name ?? ''
  const add = async (name: string): Promise<UserId> => {
    const id = newUserId()
    const words = { displayName: name, email: `${name}@example.com`, groups: ['staff'] }
    await store.accounts.add({ id, name, ...words, passwordHash: '-' }, clock.now())
    return id
  }
  const { apiTokens } = createApiTokenParts(
    {
      store,
      changes: store.foreignWrites,
      clock,
      ...(secondFactorDue === undefined ? {} : { secondFactorDue }),
    },
    { ...settings, personalTokens: { ...settings.personalTokens, ...personal } },
  )
  const bob = await add('bob')
  const personalOrder = (change: Partial<ApiTokenOrder> = {}): ApiTokenOrder => ({
    kind: 'personal',
    owner: bob,
    factors: [{ kind: 'password', at: clock.now() }],
    name: 'backup',
    lifetime: 90 * DAY,
    scope: OPEN,
    // What is changed is of the same kind.
    ...(change as object),
  })
  /** Makes a token, or fails. */
  const make = async (order: ApiTokenOrder = personalOrder(), tokens: ApiTokens = apiTokens) => {
    const made = await tokens.create(order)
    if (made.kind !== 'created') throw new Error(made.kind)
    return { text: made.text.reveal(), token: made.token }
  }
  return {
    dir: dir.path,
    app,
    clock,
    store,
    /** The same database as another process has it open. */
    elsewhere,
    apiTokens,
    bob,
    eve: await add('eve'),
    personalOrder,
    make,
    /** What the token stands for, asked in a turn of its own, as requests come. */
    resolve: async (text: string, address = '192.0.2.1') => {
      await nextTurn()
      return apiTokens.resolve(text, address)
    },
    kindOf: async (text: string) => {
      await nextTurn()
      return (await apiTokens.resolve(text, '192.0.2.1')).kind
    },
  }
}

export const SERVICE = {
  kind: 'service',
  name: 'Backup',
  groups: ['operators'],
  lifetime: 'never',
  scope: OPEN,
} as const satisfies ApiTokenOrder
