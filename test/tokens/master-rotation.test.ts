import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import t, { type Test } from 'tap'
import { rotateMaster } from '../../src/compose/master-rotation.ts'
import { openVault, type Vault } from '../../src/compose/vault.ts'
import { Secret } from '../../src/lib/secret.ts'
import { makeMasterKey, nextMasterKeyPath, promoteMasterKey } from '../../src/secrets/master-key.ts'
import { LEAD } from '../../src/tokens/key-rotation.ts'
import { masterKey } from '../../src/tokens/master-key.ts'
import { type CommandResult, runCommandHere } from '../support/command-line.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const AT = { table: 'phones', row: 'usr_1', column: 'sealed_number' }

function world(t: Test) {
  const dir = tempDir()
  t.teardown(dir.remove)
  const clock = fakeClock()
  const store = { path: dir.at('sallyport.db') }
  const open = async (configured?: string) => {
    const key = configured === undefined ? {} : { masterKey: new Secret(configured) }
    const vault = await openVault({ store, ...key }, clock)
    t.teardown(() => vault.store.close())
    return vault
  }
  const key = (...args: readonly string[]): Promise<CommandResult> =>
    runCommandHere(['key', ...args, '--data', dir.path])
  return {
    dir,
    clock,
    store,
    open,
    key,
    file: () => readFileSync(dir.at('master.key'), 'utf8').trim(),
  }
}

/** One step more each: where a change of the key file can be broken off. */
const STEPS: readonly [string, (vault: Vault, dir: string) => Promise<unknown>][] = [
  ['the next key is on disk', (_, dir) => makeMasterKey(nextMasterKeyPath(dir))],
  [
    'every data key is sealed under it',
    async (vault, dir) =>
      vault.masterRotation.sealUnder(await makeMasterKey(nextMasterKeyPath(dir))),
  ],
  ['it is in place', async (_, dir) => promoteMasterKey(dir)],
]

t.test('rotateMaster() can be broken off anywhere, and goes on at the next call', async (t) => {
  for (let broken = 0; broken <= STEPS.length; broken++) {
    const { dir, open, store, clock } = world(t)
    const server = await open()
    const before = server.keyRing.master().id
    const sealed = server.keys.seal('secret', AT)
    const command = await open()
    for (const [, step] of STEPS.slice(0, broken)) await step(command, dir.path)
    const name = STEPS[broken - 1]?.[0] ?? 'nothing was done'

    const started = await open()
    t.equal(started.keys.open(sealed, AT), 'secret', `${name}: it starts`)
    const outcome = await rotateMaster(started, { store })
    t.equal(outcome.kind, broken === STEPS.length ? 'finished' : 'rotated', name)
    const { current, others, newest } = await started.masterRotation.state()
    t.not(current, before)
    t.strictSame(others, [])
    t.equal(newest?.id, current)
    t.notOk(existsSync(nextMasterKeyPath(dir.path)))
    t.equal((await open()).keys.open(sealed, AT), 'secret', `${name}: it starts afterwards`)

    // The server that was there all the time follows.
    await server.keyRing.refresh()
    t.equal((await started.keyRotation.rotate(['field'])).kind, 'rotated')
    await server.keyRing.refresh()
    clock.advance(LEAD)
    t.equal(server.keyRing.master().id, current)
    t.equal(server.keys.open(started.keys.seal('new', AT), AT), 'new')
    t.equal((await server.keyRotation.rotate(['form'])).kind, 'rotated')
  }
})

t.test('rotateMaster() takes no copy of the present key for a new one', async (t) => {
  const { dir, open, store } = world(t)
  const vault = await open()
  const file = nextMasterKeyPath(dir.path)
  copyFileSync(dir.at('master.key'), file)
  t.strictSame(await rotateMaster(vault, { store }), { kind: 'same', file })
  t.ok(existsSync(file), 'whoever put it there has to say what it is for')
})

t.test('rotateMaster() by two processes at once leaves a database that opens', async (t) => {
  for (let round = 0; round < 3; round++) {
    const { open, store } = world(t)
    const vaults = await Promise.all([open(), open()])
    const sealed = vaults[0].keys.seal('secret', AT)
    await Promise.allSettled(vaults.map((vault) => rotateMaster(vault, { store })))
    t.equal((await open()).keys.open(sealed, AT), 'secret')
    await rotateMaster(await open(), { store })
    t.equal((await open()).keys.open(sealed, AT), 'secret')
  }
})

t.test('the old seals stay while a data key lacks a new one', async (t) => {
  const { dir, open, store } = world(t)
  const vault = await open()
  const next = await makeMasterKey(dir.at('next'))
  await vault.masterRotation.sealUnder(next)
  const { id } = masterKey(next)
  const raw = new SqliteDatabase(store.path, { timeout: 5_000 })
  raw
    .prepare(
      'delete from data_key_seals where master_id = ? and rowid = (select max(rowid) from data_key_seals)',
    )
    .run(id)
  raw.close()
  t.notOk(await vault.masterRotation.keepOnly(id))
  t.ok(await open(), 'the old one still opens everything')
})

t.test('the old master key opens nothing once another has taken over', async (t) => {
  const { dir, open, key } = world(t)
  const { store } = await open()
  await store.close()
  copyFileSync(dir.at('master.key'), dir.at('old'))
  t.equal((await key('rotate', '--master')).code, 0)
  await (await open()).store.close()
  copyFileSync(dir.at('old'), dir.at('master.key'))
  await t.rejects(open(), { code: 'keys_unavailable', message: /not the one/ })
  rmSync(dir.at('master.key'))
  await t.rejects(open(), { code: 'keys_unavailable', message: /is missing/ })
  t.notOk(existsSync(dir.at('master.key')), 'none is made in its place')
})

t.test('a process whose key file is lost makes no new one', async (t) => {
  const { dir, open } = world(t)
  const vault = await open()
  rmSync(dir.at('master.key'))
  await t.rejects(vault.keyRing.reload(), { code: 'keys_unavailable' })
  t.notOk(existsSync(dir.at('master.key')))
  t.equal(vault.keys.open(vault.keys.seal('x', AT), AT), 'x', 'what it has read serves on')
})

t.test(
  'a configured master key hands over to another one in a file, either starts meanwhile',
  async (t) => {
    const { dir, open, store, clock } = world(t)
    const old = masterText()
    const first = await open(old)
    const sealed = first.keys.seal('secret', AT)
    const settings = { store, masterKey: new Secret(old) }
    t.strictSame(await rotateMaster(first, settings), { kind: 'file_needed' })
    const file = dir.at('new.key')
    t.match(await rotateMaster(first, settings, file), { kind: 'begun', file })
    t.match(await rotateMaster(first, settings, file), { kind: 'begun' }, 'again is the same')
    const next = readFileSync(file, 'utf8').trim()
    t.equal((await open(old)).keys.open(sealed, AT), 'secret')
    const second = await open(next)
    t.equal(second.keys.open(sealed, AT), 'secret')
    for (const vault of [first, second]) {
      t.strictSame(await vault.keyRotation.rotate(['form']), { kind: 'master_pending' })
    }
    t.notOk(await first.masterRotation.keepOnly(first.keyRing.master().id), 'the new one stays')
    t.ok(await second.masterRotation.keepOnly(second.keyRing.master().id))
    await t.rejects(open(old), { code: 'keys_unavailable', message: /not the one/ })
    t.equal((await open(next)).keys.open(sealed, AT), 'secret')
    t.match(await rotateMaster(second, { ...settings, masterKey: new Secret(next) }, file), {
      kind: 'same',
    })

    // Who still runs with the old one goes on, makes no keys, and says so once when it meets new ones.
    await first.keyRing.refresh()
    t.equal(first.keys.open(sealed, AT), 'secret')
    await t.rejects(first.keyRotation.rotate(['form']), { code: 'keys_unavailable' })
    t.equal((await second.keyRotation.rotate(['form'])).kind, 'rotated')
    clock.advance(LEAD)
    await t.rejects(first.keyRing.refresh(), { code: 'keys_unavailable', message: /Restart it/ })
    await first.keyRing.refresh()
    t.ok(first.keys.verify('form', 'x', first.keys.sign('form', 'x')))
  },
)

t.test('a data key opens under its own id and purpose only', async (t) => {
  const { open, file } = world(t)
  const { store } = await open()
  const master = masterKey(new Secret(Buffer.from(file(), 'base64url')))
  const [one, other] = await store.dataKeys.list()
  const sealed = one?.seals[0]?.sealed ?? ''
  if (one === undefined || other === undefined) throw new Error('no keys')
  const key = { id: one.id, purpose: 'access' as const }
  t.equal(one.purpose, key.purpose)
  t.equal(master.open(key, sealed).reveal().length, 32)
  t.throws(() => master.open({ ...key, id: other.id }, sealed))
  t.throws(() => master.open({ ...key, purpose: 'form' }, sealed))
})

function masterText(): string {
  return Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 37 + 11) % 256)).toString('hex')
}

t.test('sallyport key says what it did, what it refuses and why', async (t) => {
  const { key, open } = world(t)
  const vault = await open()
  const refusals: readonly [readonly string[], number, RegExp][] = [
    [['rotate'], 2, /Say which/],
    [['rotate', 'forms'], 2, /no purpose/],
    [['rotate', '--to', 'x', 'form'], 2, /--to goes with --master/],
    [['rotate', '--master', 'form'], 2, /one after the other/],
    [['rotate', '--all', 'form'], 2, /or --all/],
    [['retire', 'key_AAAAAAAA', '--yes'], 1, /There is no key/],
    [['retire', '../x', '--yes'], 1, /There is no key/],
    [['retire', 'master', '--yes'], 1, /one master key only/],
  ]
  for (const [args, code, words] of refusals) {
    const result = await key(...args)
    t.equal(result.code, code, args.join(' '))
    t.match(result.stderr, words)
  }
  const made = await key('rotate', 'form', 'ticket')
  t.match(made.stdout, /^form: key_[\w-]{8}, in use from \S+Z\nticket: key_/)
  const list = await key('list')
  t.match(list.stdout, /key_[\w-]{8} +form +next/)
  const { keys } = JSON.parse((await key('list', '--json')).stdout)
  const current = keys.find(
    (one: { state: string; purpose: string }) => one.purpose === 'form' && one.state === 'current',
  )
  t.match((await key('retire', current.id)).stderr, /is in use/)
  t.match((await key('retire', current.id, '--yes')).stderr, /is in use/)
  const events = await vault.store.audit.find({ event: 'key.rotated', limit: 10 })
  t.equal(events.length, 2)
  t.notMatch(JSON.stringify(list) + JSON.stringify(keys), /v1\./, 'no sealed material is shown')
})
