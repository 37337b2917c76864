import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { addPerson } from '../support/people.ts'
import type { RawResponse } from '../support/raw-http.ts'
import { addBob, sessionOf, startGate, type Wanted } from './gate.ts'

/** Guessing passwords: locked after a while, without telling who exists (F2, F3, F9, F14, O6). */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const NETWORKS = { wrong: '127.0.3.1', owner: '127.0.3.2', far: '127.0.3.3' }

const login = (
  username: string,
  password: string,
  more: Pick<Wanted, 'from' | 'cookie'> = {},
): Promise<RawResponse> => gate.submit('/.sallyport/login', { username, password }, more)

/** An answer without what differs in every answer, and without the name that was typed. */
function likeness({ status, headers, text }: RawResponse, username: string): string {
  const varies =
    /(?<=ref">)[\w-]+|(?<=form_token" value=")[^"]+|(?<=-form=)[\w-]+|(?<=challenge&quot;:&quot;)[\w-]+/g
  const head = headers
    .filter(([name]) => name !== 'Date')
    .map(([name, value]) => `${name}: ${value.replace(varies, '*')}`)
  return [status, ...head, text.replace(varies, '*').replaceAll(username, 'NAME')].join('\n')
}

t.test('unknown, wrong, disabled and locked are one answer (F2, F14)', async (t) => {
  for (const name of ['dead', 'shut', 'some']) await addPerson(gate.dataDir, name, { totp: false })
  await addPerson(gate.dataDir, 'both')
  await using vault = await openVault({ store: { path: `${gate.dataDir}/sallyport.db` } })
  const dead = await vault.store.accounts.byName('dead')
  if (dead !== undefined) await vault.store.accounts.setDisabled(dead.id, true, Date.now())
  for (const name of ['shut', 'nobf']) {
    for (let i = 0; i < 10; i++) await login(name, 'wrong password')
  }
  const right = bob.password
  const answers = {
    unknown: likeness(await login('nobd', 'wrong password'), 'nobd'),
    'unknown, right for others': likeness(await login('nobe', right), 'nobe'),
    wrong: likeness(await login('some', 'wrong password'), 'some'),
    'wrong, second factor': likeness(await login('both', 'wrong password'), 'both'),
    'disabled, wrong': likeness(await login('dead', 'wrong password'), 'dead'),
    'disabled, right': likeness(await login('dead', right), 'dead'),
    'locked, right': likeness(await login('shut', right), 'shut'),
    'locked, wrong': likeness(await login('shut', 'wrong password'), 'shut'),
    'unknown and locked': likeness(await login('nobf', right), 'nobf'),
    'too long': likeness(await login('long', 'x'.repeat(5000)), 'long'),
  }
  const [first, ...others] = Object.entries(answers)
  t.match(first?.[1], /^422\n/)
  for (const [name, answer] of others) t.equal(answer, first?.[1], name)
})

t.test('every spelling of a name is one account with one lock (F3)', async (t) => {
  await addPerson(gate.dataDir, 'zoé', { totp: false })
  const from = NETWORKS.wrong
  const spelled = [
    'zoé',
    'ZOÉ',
    ' zoé',
    'zoé ',
    'zoe\u0301',
    'ＺＯＥ\u0301',
    'zoé\u00a0',
    '\u2003Zoé',
  ]
  for (const name of [...spelled, 'zOé', 'zoÉ']) await login(name, 'wrong password', { from })
  t.equal((await login('zoé', bob.password, { from })).status, 422, 'ten in all: locked there')
  t.equal((await login('zoé\0', bob.password, { from })).status, 400)
  const far = await login('zoé', bob.password, { from: NETWORKS.far })
  t.ok(sessionOf(far), 'the owner gets in from elsewhere')
  const line = gate.sallyport().logs.filter(({ event }) => event === 'auth.locked')
  t.equal(line.filter(({ user }) => user === 'zoé').length, 1, 'and the log says it once')
})

t.test('whoever locks an account does not keep out a browser it knows (F9)', async (t) => {
  const from = NETWORKS.owner
  const home = await login(bob.name, bob.password, { from })
  const device = home
    .all('set-cookie')
    .find((value) => value.includes('-device='))
    ?.split(';')[0]
  t.ok(device)
  for (let i = 0; i < 12; i++) await login(bob.name, 'wrong password', { from })
  t.equal(
    sessionOf(await login(bob.name, bob.password, { from })),
    undefined,
    'locked for strangers',
  )
  const forged = [
    `${device}x`,
    device?.replace('usr_', 'usr_x') ?? '',
    '__Secure-sallyport-device=a.b.c',
  ]
  for (const cookie of forged) {
    t.equal(sessionOf(await login(bob.name, bob.password, { from, cookie })), undefined)
  }
  t.ok(sessionOf(await login(bob.name, bob.password, { from, cookie: device ?? '' })))
  for (let i = 0; i < 10; i++) await login(bob.name, 'wrong', { from, cookie: device ?? '' })
  const own = await login(bob.name, bob.password, { from, cookie: device ?? '' })
  t.equal(sessionOf(own), undefined, 'it is locked by its own failures')
})
