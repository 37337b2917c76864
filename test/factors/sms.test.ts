import { join } from 'node:path'
import t, { type Test } from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { maskPhoneNumber, readPhoneNumber } from '../../src/factors/sms/phone-number.ts'
import { createPhones } from '../../src/factors/sms/phones.ts'
import { createSmsCodes, type SmsPlace } from '../../src/factors/sms/sms-codes.ts'
import { createSmsDispatch } from '../../src/factors/sms/sms-dispatch.ts'
import type { SmsResult } from '../../src/factors/sms/sms-sender.ts'
import { gsmText, septets, smsText } from '../../src/factors/sms/sms-text.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const ALICE = new Secret('+33612345642')
const BOB = new Secret('+33612345643')
const OPTIONS = { brand: 'Exemple SA', host: 'auth.example.fr' }

/** Codes over a real store; what would be sent is kept, and providers answer as told. */
async function world(t: Test) {
  const dir = tempDir()
  const path = join(dir.path, 'sallyport.db')
  const store = await openSqlStore({ path })
  t.teardown(async () => {
    await store.close()
    dir.remove()
  })
  const clock = fakeClock()
  const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
  const sent: { readonly to: string; readonly text: string }[] = []
  const state: { answer: SmsResult } = { answer: { kind: 'sent' } }
  const dispatch = createSmsDispatch([
    {
      name: 'test',
      send: async ({ to, text }) => {
        if (state.answer.kind === 'sent') sent.push({ to: to.reveal(), text: text.reveal() })
        return state.answer
      },
    },
  ])
  const codes = createSmsCodes({ store: store.sentCodes, keys, dispatch, clock }, OPTIONS)
  const phones = createPhones({ store: store.phones, keys, clock })
  const account = async (name: string) => {
    const id = newUserId()
    const rest = { displayName: '', email: '', groups: [], passwordHash: 'x' }
    await store.accounts.add({ id, name, ...rest }, clock.now())
    return id
  }
  const send = (place: SmsPlace, to = ALICE) =>
    codes.send(place, to, { language: 'fr', onResult: () => {} })
  const lastCode = () => sent.at(-1)?.text.slice(0, 6) ?? ''
  return { store, path, clock, keys, sent, state, codes, phones, account, send, lastCode }
}

const at = (userId: UserId, boundTo = 'ses_1'): SmsPlace => ({ userId, purpose: 'login', boundTo })
const otherThan = (code: string) => (code === '000000' ? '000001' : '000000')

t.test('send() keeps to one a minute and three an hour, by account and by number', async (t) => {
  const { clock, send, account, sent } = await world(t)
  const alice = await account('alice')
  const bob = await account('bob')
  const start = clock.now()
  t.strictSame(await send(at(alice)), { kind: 'sent' })
  t.strictSame(await send(at(alice)), { kind: 'limited', retryAt: start + MINUTE })
  t.strictSame(await send(at(alice, 'ses_2'), BOB), { kind: 'limited', retryAt: start + MINUTE })
  t.strictSame(await send(at(bob)), { kind: 'limited', retryAt: start + MINUTE }, 'same number')
  t.strictSame(await send(at(bob), BOB), { kind: 'sent' }, 'somebody else may')
  clock.advance(MINUTE - 1)
  t.equal((await send(at(alice))).kind, 'limited')
  clock.advance(1)
  t.equal((await send(at(alice))).kind, 'sent')
  clock.advance(MINUTE)
  t.equal((await send({ ...at(alice, ''), purpose: 'phone' })).kind, 'sent')
  clock.advance(MINUTE)
  t.strictSame(await send(at(alice)), { kind: 'limited', retryAt: start + HOUR })
  const eve = await account('eve')
  t.strictSame(await send(at(eve)), { kind: 'limited', retryAt: start + HOUR })
  clock.advance(HOUR - 3 * MINUTE)
  t.equal((await send(at(alice))).kind, 'sent')
  t.equal(sent.length, 5)
})

t.test('send() lets one of 50 parallel requests through', async (t) => {
  const { send, account, sent } = await world(t)
  const alice = await account('alice')
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => send(at(alice))))
  t.equal(outcomes.filter(({ kind }) => kind === 'sent').length, 1)
  t.equal(sent.length, 1)
})

t.test('send() counts what may have been sent, and not what was refused', async (t) => {
  const { send, account, state, clock, codes, sent } = await world(t)
  const alice = await account('alice')
  state.answer = { kind: 'refused', reason: 'no' }
  t.strictSame(await send(at(alice)), { kind: 'failed' })
  state.answer = { kind: 'unreachable', reason: 'ECONNREFUSED', mayHaveSent: false }
  t.strictSame(await send(at(alice)), { kind: 'failed' })
  t.equal(await codes.waiting(at(alice)), undefined)
  state.answer = { kind: 'unreachable', reason: 'timeout', mayHaveSent: true }
  t.strictSame(await send(at(alice)), { kind: 'failed' })
  t.ok(await codes.waiting(at(alice)), 'should it arrive, it is good')
  state.answer = { kind: 'sent' }
  t.equal((await send(at(alice))).kind, 'limited')
  clock.advance(MINUTE)
  t.equal((await send(at(alice))).kind, 'sent')
  t.equal(sent.length, 1)
})

t.test('verify() takes a code once, in its own place, for five minutes', async (t) => {
  const { clock, codes, send, account, lastCode } = await world(t)
  const alice = await account('alice')
  await send(at(alice))
  const code = lastCode()
  t.strictSame(await codes.verify(at(alice, 'ses_2'), code), { kind: 'expired' }, 'other session')
  t.strictSame(await codes.verify({ ...at(alice), purpose: 'confirm' }, code), { kind: 'expired' })
  t.strictSame(await codes.verify(at(await account('bob')), code), { kind: 'expired' })
  t.strictSame(await codes.verify(at(alice), otherThan(code)), { kind: 'wrong' })
  clock.advance(5 * MINUTE - 1)
  const tries = await Promise.all(Array.from({ length: 50 }, () => codes.verify(at(alice), code)))
  t.equal(tries.filter(({ kind }) => kind === 'right').length, 1, '50 parallel: one')
  t.strictSame(await codes.verify(at(alice), code), { kind: 'expired' })

  await send(at(alice))
  const next = lastCode()
  clock.advance(5 * MINUTE)
  t.strictSame(await codes.verify(at(alice), next), { kind: 'expired' })
})

t.test(
  'verify() takes an old code until its own end, and no other after a right one',
  async (t) => {
    const { clock, codes, send, account, lastCode } = await world(t)
    const alice = await account('alice')
    await send(at(alice))
    const first = lastCode()
    clock.advance(MINUTE)
    await send(at(alice))
    const second = lastCode()
    t.match(await codes.waiting(at(alice)), {
      expiresAt: clock.now() + 5 * MINUTE,
      nextAt: clock.now() + MINUTE,
    })
    t.equal((await codes.verify(at(alice), first)).kind, 'right')
    t.equal((await codes.verify(at(alice), second)).kind, 'expired')
  },
)

t.test('verify() takes no code after five wrong ones (G4)', async (t) => {
  const { clock, codes, send, account, lastCode } = await world(t)
  const alice = await account('alice')
  await send(at(alice))
  const first = lastCode()
  for (let i = 0; i < 4; i++) await codes.verify(at(alice), otherThan(first))
  clock.advance(MINUTE)
  await send(at(alice))
  const second = lastCode()
  const wrong = ['000000', '000001', '000002'].find((one) => one !== first && one !== second) ?? ''
  t.strictSame(await codes.verify(at(alice), wrong), { kind: 'wrong' })
  t.strictSame(await codes.verify(at(alice), first), { kind: 'wrong' }, 'the first is used up')
  for (let i = 0; i < 3; i++) await codes.verify(at(alice), wrong)
  t.strictSame(await codes.verify(at(alice), second), { kind: 'expired' }, 'and the second')
})

t.test('set() replaces a number, and voids what was sent to the earlier one', async (t) => {
  const { codes, phones, send, account, lastCode, clock } = await world(t)
  const alice = await account('alice')
  t.equal(await phones.shown(alice), undefined)
  await phones.set(alice, ALICE)
  await send(at(alice))
  const code = lastCode()
  await phones.set(alice, BOB)
  t.strictSame(await codes.verify(at(alice), code), { kind: 'expired' })
  t.equal((await phones.numberOf(alice))?.reveal(), BOB.reveal())
  t.strictSame(await phones.shown(alice), {
    masked: '+33 · ·· ·· ·· 43',
    verifiedAt: clock.now(),
  })
  clock.advance(MINUTE)
  await send(at(alice), BOB)
  t.equal(await phones.remove(alice), true)
  t.equal(await phones.remove(alice), false)
  t.strictSame(await codes.verify(at(alice), lastCode()), { kind: 'expired' })
})

t.test('verify() gives the number that a code was sent to', async (t) => {
  const { codes, send, account, lastCode } = await world(t)
  const place: SmsPlace = { userId: await account('alice'), purpose: 'phone', boundTo: '' }
  await send(place, BOB)
  t.equal((await codes.waiting(place))?.number?.reveal(), BOB.reveal())
  const verdict = await codes.verify(place, lastCode())
  t.equal(verdict.kind === 'right' && verdict.number?.reveal(), BOB.reveal())
})

t.test('sweep() forgets what no limit counts any more', async (t) => {
  const { codes, send, account, clock } = await world(t)
  const alice = await account('alice')
  await send(at(alice))
  clock.advance(HOUR - 1)
  t.equal(await codes.sweep(), 0)
  clock.advance(1)
  t.equal(await codes.sweep(), 1)
})

t.test('createSmsDispatch() asks one after the other until one takes it', async (t) => {
  const asked: string[] = []
  const sender = (name: string, result: SmsResult) => ({
    name,
    send: async () => {
      asked.push(name)
      return result
    },
  })
  const refused = sender('refused', { kind: 'refused', reason: 'no' })
  const unsure = sender('unsure', { kind: 'unreachable', reason: 'timeout', mayHaveSent: true })
  const well = sender('well', { kind: 'sent' })
  const results: unknown[] = []
  const run = (...senders: (typeof well)[]) =>
    createSmsDispatch(senders)({ to: ALICE, text: ALICE }, (name, { kind }) =>
      results.push([name, kind]),
    )
  t.strictSame(await run(refused, unsure, well, refused), { kind: 'sent' })
  t.strictSame(asked, ['refused', 'unsure', 'well'], 'and nobody after that')
  t.strictSame(results.length, 3)
  t.strictSame(await run(refused), { kind: 'failed', mayHaveSent: false })
  t.strictSame(await run(unsure, refused), { kind: 'failed', mayHaveSent: true })
  t.strictSame(await run(), { kind: 'failed', mayHaveSent: false })
})

t.test('smsText() is one GSM message that ends with the host it is for', async (t) => {
  const message = { code: '012345', brand: 'Exemple SA', host: 'auth.example.fr' }
  t.equal(
    smsText({ ...message, language: 'fr' }),
    '012345 est votre code Exemple SA\n\n@auth.example.fr #012345',
  )
  t.equal(
    smsText({ ...message, language: 'en' }),
    '012345 is your code for Exemple SA\n\n@auth.example.fr #012345',
  )
  for (const brand of [
    '[€]'.repeat(80),
    'é'.repeat(200),
    '中文'.repeat(99),
    'L’Œuvre «\u00a0ê\u00a0»\n',
  ]) {
    for (const host of ['a.fr', `${'long.'.repeat(40)}fr`]) {
      for (const language of ['fr', 'en'] as const) {
        const text = smsText({ code: '012345', brand, host, language })
        t.ok(septets(text) <= 160, text)
        t.equal(gsmText(text), text, 'all of it in the alphabet')
        t.match(text, /^012345 /)
        if (host === 'a.fr') t.match(text, /\n\n@a\.fr #012345$/)
      }
    }
  }
  t.equal(gsmText('Œuvre d’été, où ça\u202f?'), "OEuvre d'été, où ca ?")
})

t.test('readPhoneNumber() takes mobile numbers as people write them', async (t) => {
  const read = async (text: string, country?: string) => {
    const outcome = await readPhoneNumber(text, country)
    return outcome.kind === 'ok' ? outcome.number.reveal() : outcome.kind
  }
  for (const [text, country, wanted] of [
    ['06 12 34 56 42', 'FR', '+33612345642'],
    ['06.12.34.56.42', 'FR', '+33612345642'],
    ['+33 (0)6 12 34 56 42', undefined, '+33612345642'],
    ['0033612345642', 'FR', '+33612345642'],
    ['０６１２３４５６４２', 'FR', '+33612345642'],
    ['07400 123456', 'GB', '+447400123456'],
    ['+32 470 12 34 56', 'FR', '+32470123456'],
    ['(415) 555-2671', 'US', '+14155552671'],
    ['06 12 34 56 42', undefined, 'invalid'],
    ['06 12 34 56 42', 'XX', 'invalid'],
    ['01 42 34 56 78', 'FR', 'not_mobile'],
    ['+33 6 12 34', undefined, 'invalid'],
    ['  ', 'FR', 'empty'],
    ['allô', 'FR', 'invalid'],
    ['+33612345642;ext=1', 'FR', 'invalid'],
    ['1'.repeat(10_000), 'FR', 'invalid'],
  ] as const) {
    t.equal(await read(text, country), wanted, text.slice(0, 40))
  }
  t.equal(await maskPhoneNumber(new Secret('+14155552671')), '+1 ··· ··· ··71')
})

t.test('sent codes and numbers are in the database under seal alone (G11)', async (t) => {
  const { path, codes, phones, send, account, sent, clock } = await world(t)
  const alice = await account('alice')
  await phones.set(alice, ALICE)
  await send(at(alice))
  clock.advance(SECOND)
  await send({ userId: await account('bob'), purpose: 'phone', boundTo: '' }, BOB)
  await codes.sweep()
  const { readFileSync, existsSync } = await import('node:fs')
  const files = [path, `${path}-wal`].filter(existsSync).map((file) => readFileSync(file, 'latin1'))
  t.equal(sent.length, 2)
  t.ok(
    files.some((file) => file.includes('v2.')),
    'sealed values are where it looks',
  )
  for (const { to, text } of sent) {
    for (const secret of [to, to.slice(1), to.slice(3), `"${text.slice(0, 6)}"`]) {
      t.notOk(
        files.some((file) => file.includes(secret)),
        'not in clear',
      )
    }
  }
})
