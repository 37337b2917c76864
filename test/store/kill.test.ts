import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import SqliteDatabase from 'better-sqlite3'
import { newUserId } from '../../src/accounts/user-id.ts'
import { parseSessionId, type SessionId, type UserId } from '../../src/identity/principal.ts'
import { randomBelow, randomToken } from '../../src/lib/random.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { startChild } from '../support/child-program.ts'
import { tempDir } from '../support/temp-dir.ts'

const NOW = 1_767_603_600_000
const ROUNDS = 15

/** One acknowledged round of writes; `i` is the TOTP step that was spent. */
type Ack = {
  readonly i: number
  readonly userId: UserId
  readonly signedOut: SessionId
  readonly signedIn: SessionId
}

/** Writes for ever; says so on standard output after each round of writes. */
async function writeForEver(path: string): Promise<void> {
  const store = await openSqlStore({ path })
  for (let i = 1; ; i++) {
    const userId = newUserId()
    await store.accounts.add(
      { id: userId, name: userId, displayName: '', email: '', groups: [], passwordHash: 'old' },
      NOW,
    )
    await store.accounts.setPasswordHash(userId, 'new', NOW)
    const set = { id: `rcs_${userId}`, userId, salt: 's', createdAt: NOW, total: 2 }
    await store.recoveryCodes.replace({ ...set, unused: ['spent', 'unused'] })
    await store.recoveryCodes.spend(set.id, 'spent', NOW)
    const device = { id: `otp_${userId}`, userId, label: '', sealedSecret: 'v1.', createdAt: NOW }
    await store.totp.add({ ...device, lastStep: 0, lastUsedAt: 0 })
    await store.totp.spendStep(device.id, i, NOW)
    const signedOut = await addSession(store, userId)
    await store.sessions.remove(signedOut)
    const signedIn = await addSession(store, userId)
    writeSync(1, `${JSON.stringify({ i, userId, signedOut, signedIn } satisfies Ack)}\n`)
  }
}

async function addSession(store: SqlStore, userId: UserId): Promise<SessionId> {
  const id = parseSessionId(`ses_${randomToken(16)}`) as SessionId
  await store.sessions.add({
    id,
    tokenHash: randomToken(),
    userId,
    stage: 'complete',
    factors: [],
    createdAt: NOW,
    lastSeenAt: NOW,
    idle: 1000,
    endsAt: NOW + 1000,
    remember: false,
    address: '',
    userAgent: '',
    client: 'browser',
  })
  return id
}

async function testKills(): Promise<void> {
  // Here, because the writer starts quicker without it.
  const { default: t } = await import('tap')
  const dir = tempDir()
  t.teardown(dir.remove)

  t.test('L1 a store that is killed at random has everything it acknowledged', async (t) => {
    const path = dir.at('sallyport.db')
    let total = 0
    for (let round = 0; round < ROUNDS; round++) {
      const acks: Ack[] = []
      const child = startChild(process.execPath, [fileURLToPath(import.meta.url)], {
        env: { SALLYPORT_TEST_WRITE_TO: path, NODE_OPTIONS: undefined },
      })
      const first = Promise.withResolvers<void>()
      child.onLine((line, from) => {
        if (from === 'stdout') acks.push(JSON.parse(line) as Ack)
        first.resolve()
      })
      await Promise.race([first.promise, child.exited])
      await delay(randomBelow(50))
      child.kill('SIGKILL')
      t.equal((await child.exited).signal, 'SIGKILL', `round ${round}: killed`)
      total += acks.length

      const store = await openSqlStore({ path })
      const lost: string[] = []
      for (const { i, userId, signedIn, signedOut } of acks) {
        if ((await store.accounts.passwordHash(userId)) !== 'new') lost.push('password')
        const codes = await store.recoveryCodes.current(userId)
        if (codes?.unused.join() !== 'unused') lost.push('recovery code')
        if (await store.totp.spendStep(`otp_${userId}`, i, NOW)) lost.push('TOTP step')
        if ((await store.sessions.byId(signedIn)) === undefined) lost.push('session')
        if ((await store.sessions.byId(signedOut)) !== undefined) lost.push('sign-out')
      }
      t.same(lost, [], `round ${round}: ${acks.length} acknowledged`)
      await store.close()
      const raw = new SqliteDatabase(path, { readonly: true })
      t.equal(raw.pragma('integrity_check', { simple: true }), 'ok')
      t.same(raw.pragma('foreign_key_check'), [])
      raw.close()
    }
    t.ok(total >= ROUNDS, `${total} rounds of writes were acknowledged`)
  })

  t.test('L6 a store killed while its tables are made opens at the next start', async (t) => {
    for (let round = 0; round < 3; round++) {
      const path = dir.at(`fresh-${round}.db`)
      const child = startChild(process.execPath, [fileURLToPath(import.meta.url)], {
        env: { SALLYPORT_TEST_WRITE_TO: path, NODE_OPTIONS: undefined },
      })
      await delay(60 + randomBelow(140))
      child.kill('SIGKILL')
      await child.exited
      await using store = await openSqlStore({ path })
      t.ok(await store.accounts.list())
    }
  })
}

const target = process.env['SALLYPORT_TEST_WRITE_TO']
if (target === undefined) await testKills()
else await writeForEver(target)
