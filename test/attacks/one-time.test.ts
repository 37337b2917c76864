import { join } from 'node:path'
import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { createKdf } from '../../src/factors/kdf.ts'
import { createRecoveryCodes } from '../../src/factors/recovery-codes.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { addPerson } from '../support/people.ts'
import type { RawResponse } from '../support/raw-http.ts'
import { PORTAL, sessionOf, startGate } from './gate.ts'

/** What works once works once, however many ask at the same time over real connections (G1-G4, I4). */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())

const isSignedIn = (answer: RawResponse) => sessionOf(answer) !== undefined
const inParallel = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))

const vault = () => openVault({ store: { path: join(gate.dataDir, 'sallyport.db') } })

async function passwordOnly(name: string): Promise<string> {
  const fields = { username: name, password: 'correct horse battery' }
  const cookie = sessionOf(await gate.submit('/.sallyport/login', fields))
  if (cookie === undefined) throw new Error(`${name} cannot sign in`)
  return cookie
}

t.test('50 parallel claims of the setup link make one account (G3)', async (t) => {
  const link = new URL(await gate.sallyport().untilSetupLink())
  const token = link.searchParams.get('token') ?? ''
  for (const odd of ['', token.slice(1), token.toLowerCase(), `${token}=`]) {
    const target = `/.sallyport/setup?token=${odd}`
    t.equal((await gate.ask({ target, host: PORTAL })).status, 404)
  }
  const open = await gate.ask({ target: link.pathname + link.search, host: PORTAL })
  t.equal(open.status, 200, 'looking at it spends nothing')
  const answers = await inParallel(50, (i) =>
    gate.submit('/.sallyport/setup', {
      token,
      username: `ada${i}`,
      display_name: '',
      email: '',
      password: 'correct horse battery',
    }),
  )
  t.equal(answers.filter(isSignedIn).length, 1)
  const others = new Set(answers.filter((one) => !isSignedIn(one)).map(({ status }) => status))
  t.ok([...others].every((status) => status === 404 || status === 503))
  await using store = await vault()
  t.equal(await store.store.accounts.count(), 1)
  const again = await gate.submit('/.sallyport/setup', {
    token,
    username: 'eve',
    password: 'correct horse battery',
  })
  t.equal(again.status, 404)
})

t.test('50 parallel uses of one TOTP code open one session (G3)', async (t) => {
  const carol = await addPerson(gate.dataDir, 'carol')
  const sessions = await inParallel(5, () => passwordOnly('carol'))
  const totp = (await carol.authenticator?.next()) ?? ''
  const answers = await inParallel(50, (i) =>
    gate.submit('/.sallyport/login/totp', { totp }, { cookie: sessions[i % 5] ?? '' }),
  )
  t.equal(answers.filter(isSignedIn).length, 1)
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([303, 422, 429]))
})

t.test('a code that was used is used in every spelling of it (G2)', async (t) => {
  const dora = await addPerson(gate.dataDir, 'dora')
  const first = await passwordOnly('dora')
  const totp = (await dora.authenticator?.next()) ?? ''
  const wide = [...totp].map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join('')
  t.ok(isSignedIn(await gate.submit('/.sallyport/login/totp', { totp: wide }, { cookie: first })))
  const cookie = await passwordOnly('dora')
  for (const spelled of [totp, ` ${totp} `, `${totp.slice(0, 3)} ${totp.slice(3)}`, wide]) {
    const answer = await gate.submit('/.sallyport/login/totp', { totp: spelled }, { cookie })
    t.strictSame([answer.status, isSignedIn(answer)], [422, false], spelled)
  }
})

t.test('50 parallel uses of one recovery code open one session (G3)', async (t) => {
  await addPerson(gate.dataDir, 'erin')
  await using store = await vault()
  const { recoveryCodes, accounts } = store.store
  const erin = await accounts.byName('erin')
  if (erin === undefined) throw new Error('no erin')
  const service = createRecoveryCodes({
    store: recoveryCodes,
    kdf: createKdf(),
    clock: systemClock,
  })
  const made = await service.create(erin.id)
  const code = made.kind === 'created' ? (made.codes[0] ?? '') : ''
  const sessions = await inParallel(5, () => passwordOnly('erin'))
  const spellings = [code, code.toLowerCase(), code.replaceAll('-', ''), ` ${code}`, `${code}-`]
  const answers = await inParallel(50, (i) =>
    gate.submit(
      '/.sallyport/login/recovery',
      { recovery_code: spellings[i % 5] ?? '' },
      { cookie: sessions[i % 5] ?? '' },
    ),
  )
  t.equal(answers.filter(isSignedIn).length, 1)
  t.match(await service.left(erin.id), { left: 9, total: 10 })
})

t.test(
  'the second factor is counted by account, and a new password login refills nothing (F10, G4)',
  async (t) => {
    await addPerson(gate.dataDir, 'finn')
    const statuses: Record<string, number[]> = { totp: [], recovery: [] }
    for (let i = 0; i < 14; i++) {
      const from = `127.0.1.${i + 1}`
      const fields = { username: 'finn', password: 'correct horse battery' }
      const cookie = sessionOf(await gate.submit('/.sallyport/login', fields, { from })) ?? ''
      const form = i % 2 === 0 ? { totp: '000000' } : { recovery_code: '00000-00000-00000' }
      const path = i % 2 === 0 ? 'totp' : 'recovery'
      const answer = await gate.submit(`/.sallyport/login/${path}`, form, { cookie, from })
      statuses[path]?.push(answer.status)
    }
    const [, ...sixFirst] = statuses['totp'] ?? []
    t.strictSame(sixFirst, [422, 422, 422, 422, 429, 429])
    // One of these comes back every twelve seconds, which a slow machine may need for the rounds.
    t.strictSame(statuses['recovery']?.slice(0, 5), Array(5).fill(422))
    t.ok(statuses['recovery']?.includes(429))
  },
)
