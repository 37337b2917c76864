import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import t, { type Test } from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { openVault, type Vault } from '../../src/compose/vault.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { DAY, HOUR, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { type DataKeyId, markOf } from '../../src/tokens/data-key.ts'
import { newDataKey } from '../../src/tokens/data-key-making.ts'
import { IN_FLIGHT, LEAD, MAX_LIVE } from '../../src/tokens/key-rotation.ts'
import { createKeyUpkeep, OVERLAP } from '../../src/tokens/key-upkeep.ts'
import { PURPOSES, type Purpose } from '../../src/tokens/purpose.ts'
import { SEALED_COLUMNS, type SealedColumn, sealedRow } from '../../src/tokens/sealed-column.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { type TempDir, tempDir } from '../support/temp-dir.ts'

type World = {
  readonly dir: TempDir
  readonly clock: FakeClock
  readonly path: string
  /** Opens the database as another process would; closed with the test. */
  readonly open: () => Promise<Vault>
  /** The file itself. */
  readonly raw: () => SqliteDatabase.Database
}

function world(t: Test): World {
  const dir = tempDir()
  const clock = fakeClock()
  const path = dir.at('sallyport.db')
  t.teardown(dir.remove)
  return {
    dir,
    clock,
    path,
    open: async () => {
      const vault = await openVault({ store: { path } }, clock)
      t.teardown(() => vault.store.close())
      return vault
    },
    raw: () => {
      const raw = new SqliteDatabase(path, { timeout: 5_000 })
      t.teardown(() => raw.close())
      return raw
    },
  }
}

async function rotate(vault: Vault, ...purposes: readonly Purpose[]): Promise<DataKeyId> {
  const outcome = await vault.keyRotation.rotate(purposes)
  if (outcome.kind !== 'rotated') throw new Error(outcome.kind)
  const [first] = outcome.keys
  if (first === undefined) throw new Error('no key')
  return first.id
}

async function addAccount(vault: Vault, name: string) {
  const id = newUserId()
  await vault.store.accounts.add(
    { id, name, displayName: name, email: '', groups: [], passwordHash: '$argon2id$' },
    1,
  )
  return id
}

const PHONE = '+33612345678'

t.test('openVault() gives a new database random keys, in use at once', async (t) => {
  const { open, dir, clock } = world(t)
  const vault = await open()
  const keys = vault.keyRing.keys()
  t.strictSame(keys.map(({ purpose }) => purpose).sort(), [...PURPOSES].sort())
  t.ok(keys.every(({ id, activeFrom }) => /^key_[\w-]{8}$/.test(id) && activeFrom <= clock.now()))
  t.equal(new Set(keys.map(({ material }) => material.reveal().toString('hex'))).size, keys.length)
  const master = Buffer.from(readFileSync(dir.at('master.key'), 'utf8').trim(), 'base64url')
  const derived = hkdfSync('sha256', master, '', 'sallyport form v1', 32)
  t.notSame(vault.keyRing.current('form').material.reveal(), Buffer.from(derived))
  const mac = vault.keys.sign('form', 'x')
  t.match(mac, /^[\w-]{51}$/)
  t.equal(mac.slice(0, 8), markOf(vault.keyRing.current('form')))
  const other = await open()
  t.ok(other.keys.verify('form', 'x', mac), 'another process has the same ones')
  t.equal((await vault.store.dataKeys.masterMade())?.at, clock.now())
})

t.test('openVault() takes over the derived keys of an older database', async (t) => {
  const { open, dir, path } = world(t)
  const master = randomBytes(32)
  dir.write('master.key', `${master.toString('base64url')}\n`)
  const derived = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', master, '', `sallyport ${purpose} v1`, 32))
  const macOf = (purpose: string, text: string) =>
    createHmac('sha256', derived(purpose)).update(text).digest('base64url')
  const sealedOf = (text: string, place: readonly string[]) => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', derived('field'), nonce)
    cipher.setAAD(Buffer.from(JSON.stringify(place)))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return `v1.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')}`
  }
  const store = await openSqlStore({ path })
  await store.meta.setIfAbsent('key_check', macOf('ticket', 'sallyport key check'))
  await store.close()

  const wrong = openVault({
    store: { path },
    masterKey: new Secret(randomBytes(32).toString('hex')),
  })
  await t.rejects(wrong, { code: 'keys_unavailable', message: /not the one .* was made with/ })

  const vault = await open()
  const { keys } = vault
  const at = { table: 'phones', row: 'usr_1', column: 'sealed_number' }
  const old = sealedOf(PHONE, ['phones', 'usr_1', 'sealed_number'])
  t.equal(keys.open(old, at), PHONE)
  t.throws(() => keys.open(old, { ...at, row: 'usr_2' }), { code: 'keys_unavailable' })
  for (const purpose of ['ticket', 'form', 'device', 'digest', 'challenge'] as const) {
    t.ok(keys.verify(purpose, 'text', macOf(purpose, 'text')), purpose)
    t.notOk(keys.verify(purpose, 'text', macOf('field', 'text')), purpose)
  }
  t.ok(keys.signatures('digest', 'text').includes(macOf('digest', 'text')), 'it can be looked up')
  t.match(keys.seal('x', at), /^v2\.[\w-]{8}\./)

  const again = await open()
  t.equal(again.keys.open(old, at), PHONE, 'and at every later start')
  await rotate(again, 'form')
  const before = macOf('form', 'text')
  t.ok(again.keys.verify('form', 'text', before), 'a rotation leaves it as it is')
})

t.test('openVault() refuses another master key, whichever way it is given', async (t) => {
  const { open, dir, path } = world(t)
  await (await open()).store.close()
  const wrong = openVault({
    store: { path },
    masterKey: new Secret(randomBytes(32).toString('hex')),
  })
  await t.rejects(wrong, { code: 'keys_unavailable', message: /not the one .* was made with/ })
  writeFileSync(dir.at('master.key'), randomBytes(32).toString('base64url'))
  await t.rejects(open(), { code: 'keys_unavailable', message: /not the one .* was made with/ })
})

t.test('a first start refuses a key file that is not random [H6]', async (t) => {
  const { open, dir } = world(t)
  for (const weak of [Buffer.alloc(32), Buffer.alloc(32, 'ab'), Buffer.alloc(32, 7)]) {
    dir.write('master.key', weak.toString('hex'))
    await t.rejects(open(), { code: 'keys_unavailable', message: /not random/ })
  }
  dir.write('master.key', 'changeme')
  await t.rejects(open(), { code: 'keys_unavailable', message: /does not hold 32 bytes/ })
})

t.test('every sealed column is on the list, and no value opens anywhere else', async (t) => {
  const { open, raw } = world(t)
  const { keys } = await open()
  const columns: readonly SealedColumn[] = SEALED_COLUMNS
  const inSchema = raw()
    .prepare<[], string>(
      `select m.name || '.' || c.name from sqlite_schema m, pragma_table_info(m.name) c
       where m.type = 'table' and c.name like 'sealed%' and m.name != 'data_key_seals'`,
    )
    .pluck()
    .all()
  t.strictSame(columns.map(({ table, column }) => `${table}.${column}`).sort(), inSchema.sort())
  for (const column of columns) {
    const key = raw().pragma(`table_info(${column.table})`) as { name: string; pk: number }[]
    const names = key.filter(({ pk }) => pk > 0).map(({ name }) => name)
    t.strictSame([...column.key], names, `${column.table} is read by its primary key`)
    const at = { ...column, row: sealedRow(column.key.map((name) => `${name}-1`)) }
    const sealed = keys.seal('value', at)
    t.equal(keys.open(sealed, at), 'value')
    const elsewhere = [
      { ...at, row: sealedRow(column.key.map((name) => `${name}-2`)) },
      { ...at, column: `${at.column}2` },
      { ...at, table: columns.find(({ table }) => table !== at.table)?.table ?? '' },
    ]
    for (const place of elsewhere)
      t.throws(() => keys.open(sealed, place), { code: 'keys_unavailable' })
    t.throws(() => keys.open(`${sealed.slice(0, -2)}AA`, at), { code: 'keys_unavailable' })
  }
  t.not(sealedRow(['a b', 'c']), sealedRow(['a', 'b c']))
})

t.test('rotate() makes keys that nobody uses before everybody can have read them', async (t) => {
  const { open, clock } = world(t)
  const server = await open()
  const command = await open()
  const old = server.keyRing.current('form').id
  const id = await rotate(command, 'form', 'access')
  t.equal(command.keyRing.current('form').id, old)
  await server.keyRing.refresh()
  t.equal(server.keyRing.current('form').id, old)
  const before = server.keys.sign('form', 'x')
  t.strictSame(
    server.keys.verificationKeys('access').map((key) => key.id),
    server.keyRing.all('access').map((key) => key.id),
  )
  await rotate(server, 'assertion')
  const published = server.keyRing.current('assertion').id
  clock.advance(LEAD)
  t.equal(server.keyRing.current('assertion').id, published, 'apps keep the list for a while')
  t.equal(server.keys.verificationKeys('assertion').length, 2, 'it is in it by then')
  t.equal(server.keyRing.current('form').id, id)
  t.equal(command.keyRing.current('form').id, id)
  t.ok(command.keys.verify('form', 'x', server.keys.sign('form', 'x')))
  t.ok(server.keys.verify('form', 'x', before), 'what the old one made is good')
  const [current, previous] = server.keys.verificationKeys('access')
  t.equal(current?.id, server.keys.signingKey('access').id)
  t.ok(server.keys.verificationKey('access', previous?.id ?? ''))
  t.notOk(server.keys.verificationKey('assertion', previous?.id ?? ''), 'of its own purpose only')
  for (const kid of [
    '',
    'key_',
    '__proto__',
    '../x',
    `${current?.id}A`,
    `KEY_${current?.id.slice(4)}`,
  ]) {
    t.equal(server.keys.verificationKey('access', kid), undefined, kid)
  }
})

t.test('a ring that meets an id it does not know asks to be read again', async (t) => {
  const { open, clock } = world(t)
  const server = await open()
  const command = await open()
  await rotate(command, 'ticket')
  clock.advance(LEAD)
  const ticket = command.keys.sign('ticket', 'x')
  t.notOk(server.keyRing.isStale())
  t.notOk(server.keys.verify('ticket', 'x', ticket))
  t.ok(server.keyRing.isStale())
  await server.keyRing.refresh()
  t.notOk(server.keyRing.isStale())
  t.ok(server.keys.verify('ticket', 'x', ticket))
  t.notOk(server.keys.verify('ticket', 'x', `AAAAAAAA${ticket.slice(8)}`))
  t.notOk(server.keyRing.isStale(), 'once a second at most, whatever is sent')
})

t.test('rotate() at the same moment by two processes gives both their keys', async (t) => {
  const { open, clock } = world(t)
  const both = [await open(), await open()] as const
  const ids = await Promise.all(both.map((vault) => rotate(vault, 'form', 'ticket')))
  t.equal(new Set(ids).size, 2)
  for (const vault of both) await vault.keyRing.refresh()
  clock.advance(LEAD + SECOND)
  t.equal(both[0].keyRing.current('form').id, both[1].keyRing.current('form').id)
  t.equal(both[0].keyRing.all('ticket').length, 3)

  const master = both[0].keyRing.master()
  const [newest, before] = both[0].keyRing.all('form')
  const made = (after?: DataKeyId) =>
    newDataKey('form', { now: clock.now(), master, ...(after === undefined ? {} : { after }) })
  const { add } = both[0].store.dataKeys
  t.equal(await add([made(before?.id)], master), 'changed', 'who knows the newest only')
  t.equal(await add([made()], master), 'changed')
  t.equal(await add([made(newest?.id)], { id: 'mk_AAAAAAAA' }), 'other_master')
  t.equal(await add([made(newest?.id)], { id: master.id }), 'added')
})

t.test('rotate() stops before the keys of a purpose are too many', async (t) => {
  const { open } = world(t)
  const vault = await open()
  for (let made = 1; made < MAX_LIVE; made++) await rotate(vault, 'form')
  t.strictSame(await vault.keyRotation.rotate(['form']), { kind: 'full', purpose: 'form' })
  t.equal((await vault.keyRotation.rotate(['ticket'])).kind, 'rotated')
})

t.test('retire() makes a key good for nothing, everywhere, for ever [H10]', async (t) => {
  const { open, clock, raw } = world(t)
  const server = await open()
  const command = await open()
  const { id } = server.keyRing.current('ticket')
  const access = server.keyRing.current('access').id
  const ticket = server.keys.sign('ticket', 'x')
  const { retire } = command.keyRotation
  t.strictSame(await retire(id), { kind: 'current' })
  const next = await rotate(command, 'ticket')
  await rotate(command, 'access')
  t.strictSame(await retire(id), { kind: 'current' }, 'its successor is not in use yet')
  t.strictSame(await retire(next), { kind: 'current' })
  clock.advance(LEAD)
  t.strictSame(await retire(id), { kind: 'retired', purpose: 'ticket' })
  t.strictSame(await retire(id), { kind: 'gone' })
  t.strictSame(await retire(access), { kind: 'retired', purpose: 'access' })
  await server.keyRing.refresh()
  for (const vault of [server, command, await open()]) {
    t.notOk(vault.keys.verify('ticket', 'x', ticket))
    t.equal(vault.keys.verificationKey('access', access), undefined)
    t.equal(vault.keys.verificationKeys('access').length, 1)
  }
  const left = raw().prepare('select count(*) from data_key_seals where key_id = ?').pluck()
  t.equal(left.get(id), 0, 'its material is deleted')
  const listed = (await server.store.dataKeys.list()).find((key) => key.id === id)
  t.equal(listed?.retiredAt, clock.now(), 'it stays on the list')
})

t.test('a clock that goes back does not take the keys away [L23]', async (t) => {
  const { open, path } = world(t)
  const vault = await open()
  const past = fakeClock(Date.UTC(2020, 0, 1))
  const earlier = await openVault({ store: { path } }, past)
  t.teardown(() => earlier.store.close())
  t.ok(earlier.keys.verify('form', 'x', vault.keys.sign('form', 'x')))
  t.ok(vault.keys.verify('form', 'x', earlier.keys.sign('form', 'x')))
})

/** Steps until there is nothing to do now. */
async function reseal(vault: Vault) {
  for (;;) {
    const step = await vault.reEncryption.step()
    if (step.kind !== 'working') return step
  }
}

t.test(
  'stored values are sealed anew with the new key, and only then it may be retired',
  async (t) => {
    const { open, clock, raw } = world(t)
    const server = await open()
    const { keys, store } = server
    const sql = raw()
    const users: UserId[] = []
    for (let n = 0; n < 300; n++) users.push(await addAccount(server, `user${n}`))
    const sealed = (table: string, row: string, column: string) =>
      keys.seal(`${row} ${column}`, { table, row, column })
    sql.transaction(() => {
      for (const id of users) {
        const device = `totp_${id}`
        sql
          .prepare('insert into totp_devices values (?, ?, ?, ?, 1, 0, 0)')
          .run(device, id, 'a', sealed('totp_devices', device, 'sealed_secret'))
      }
    })()
    const [ada, bob] = users
    if (ada === undefined || bob === undefined) throw new Error('nobody')
    await store.totp.startEnrolment({
      userId: ada,
      sealedSecret: sealed('totp_enrolments', ada, 'sealed_secret'),
      expiresAt: clock.now() + HOUR,
    })
    sql
      .prepare('insert into upstream_logins values (?, ?, ?, 1)')
      .run('Wiki', bob, sealed('upstream_logins', sealedRow(['Wiki', bob]), 'sealed_login'))
    const digest = keys.sign('digest', `phone ${PHONE}`)
    await store.phones.set({
      userId: ada,
      sealedNumber: keys.seal(PHONE, { table: 'phones', row: ada, column: 'sealed_number' }),
      numberDigest: digest,
      verifiedAt: 1,
    })
    t.strictSame(await server.reEncryption.step(), { kind: 'idle' })

    const old = { field: server.keyRing.current('field'), digest: server.keyRing.current('digest') }
    await rotate(server, 'field', 'digest')
    clock.advance(LEAD)
    t.strictSame((await server.keyRotation.retire(old.field.id)).kind, 'too_soon')
    t.equal(await server.reEncryption.rowsOf(old.field), 303)
    t.equal(await server.reEncryption.rowsOf(old.digest), 1)
    t.ok(keys.signatures('digest', `phone ${PHONE}`).includes(digest), 'it is found meanwhile')

    // A process that is killed half-way; another one goes on, and passes over what is done.
    for (let step = 0; step < 2; step++) await server.reEncryption.step()
    const half = await server.reEncryption.rowsOf(old.field)
    t.ok(half > 0 && half < 303, `${half}`)
    const next = await open()
    t.match(await reseal(next), { kind: 'waiting', unopened: 0, resting: 1 })
    t.equal(next.reEncryption.left(), 1)
    clock.advance(IN_FLIGHT)
    t.strictSame(await next.keyRotation.retire(old.field.id), {
      kind: 'in_use',
      purpose: 'field',
      rows: 1,
    })
    t.strictSame(await next.keyRotation.retire(old.digest.id), {
      kind: 'retired',
      purpose: 'digest',
    })
    clock.advance(HOUR)
    t.match(await reseal(next), { kind: 'done', resealed: half })
    t.strictSame(await reseal(next), { kind: 'idle' })
    t.equal(await next.reEncryption.rowsOf(old.field), 0)
    t.strictSame(await next.keyRotation.retire(old.field.id), { kind: 'retired', purpose: 'field' })

    await server.keyRing.refresh()
    const read = (table: string, row: string, column: string, where: string) => {
      const value = sql.prepare(`select ${column} from ${table} where ${where}`).pluck().get()
      return keys.open(String(value), { table, row, column })
    }
    for (const id of users) {
      const device = `totp_${id}`
      const text = read('totp_devices', device, 'sealed_secret', `id = '${device}'`)
      if (text !== `${device} sealed_secret`) t.fail(device)
    }
    t.equal(read('phones', ada, 'sealed_number', '1'), PHONE)
    t.equal(
      read('upstream_logins', sealedRow(['Wiki', bob]), 'sealed_login', '1'),
      `${sealedRow(['Wiki', bob])} sealed_login`,
    )
    const renewed = (await store.phones.of(ada))?.numberDigest ?? ''
    t.equal(renewed, keys.sign('digest', `phone ${PHONE}`))
  },
)

t.test(
  'a value that changes meanwhile is not overwritten, one that was moved does not stop the rest',
  async (t) => {
    const { open, clock, raw } = world(t)
    const vault = await open()
    const { keys } = vault
    const sql = raw()
    const put = sql.prepare('insert into totp_devices values (?, ?, ?, ?, 1, 0, 0)')
    const user = await addAccount(vault, 'ada')
    const at = (row: string) => ({ table: 'totp_devices', row, column: 'sealed_secret' })
    put.run('a', user, '', keys.seal('a', at('a')))
    put.run('b', user, '', keys.seal('a', at('a')))
    put.run('c', user, '', keys.seal('c', at('c')))
    const old = vault.keyRing.current('field')
    await rotate(vault, 'field')
    clock.advance(LEAD + IN_FLIGHT)
    const { replace, page } = vault.store.sealedValues
    const [column] = SEALED_COLUMNS
    const [row] = await page(column, undefined, 1)
    if (row === undefined) throw new Error('no row')
    const newer = keys.seal('newer', at('a'))
    sql.prepare(`update totp_devices set sealed_secret = ? where id = 'a'`).run(newer)
    t.equal(
      await replace(column, [{ key: row.key, from: row, to: { value: 'older', digest: '' } }]),
      0,
    )
    t.match(await reseal(vault), { kind: 'waiting', unopened: 1, resting: 0 })
    const of = (id: string) =>
      String(sql.prepare('select sealed_secret from totp_devices where id = ?').pluck().get(id))
    t.equal(of('a'), newer)
    t.equal(keys.open(of('c'), at('c')), 'c')
    t.ok(of('c').startsWith(`v2.${markOf(vault.keyRing.current('field'))}.`))
    t.match(await vault.keyRotation.retire(old.id), { kind: 'in_use', rows: 1 })
  },
)

t.test(
  'createKeyUpkeep() rotates what is old enough and retires what nothing depends on',
  async (t) => {
    const { open, clock } = world(t)
    const vault = await open()
    const { keyRing: ring, keyRotation: rotation } = vault
    const upkeep = createKeyUpkeep(
      { ring, rotation, clock },
      { rotateEvery: 30 * DAY, warnAfter: 20 * DAY },
    )
    const off = createKeyUpkeep({ ring, rotation, clock }, { warnAfter: 90 * DAY })
    t.strictSame(await upkeep.work(), [])
    t.strictSame(upkeep.overdue(), [])
    clock.advance(21 * DAY)
    t.strictSame([...upkeep.overdue()].sort(), [...PURPOSES].sort())
    t.strictSame(upkeep.overdue(), [], 'once a day')
    clock.advance(DAY)
    t.equal(upkeep.overdue().length, PURPOSES.length)
    clock.advance(8 * DAY)
    t.strictSame(await off.work(), [])
    t.equal((await upkeep.work()).filter(({ kind }) => kind === 'rotated').length, PURPOSES.length)
    t.strictSame(await upkeep.work(), [], 'once')
    clock.advance(LEAD + OVERLAP.challenge)
    t.match(await upkeep.work(), [{ kind: 'retired', purpose: 'challenge' }])
    await reseal(vault)
    clock.advance(OVERLAP.ticket)
    const retired = (await upkeep.work()).map((change) =>
      'purpose' in change ? change.purpose : '',
    )
    t.strictSame(retired.sort(), ['access', 'digest', 'field', 'form', 'ticket'])
    clock.advance(366 * DAY)
    const changes = await upkeep.work()
    t.ok(changes.some((one) => one.kind === 'retired' && one.purpose === 'device'))
  },
)

t.test('a key file that others may read is noticed', async (t) => {
  const { open, dir } = world(t)
  const vault = await open()
  t.notOk(await vault.isMasterExposed())
  chmodSync(dir.at('master.key'), 0o640)
  t.ok(await vault.isMasterExposed())
})
