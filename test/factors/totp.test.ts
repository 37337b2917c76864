import { readFileSync } from 'node:fs'
import { Secret as OtpSecret, TOTP } from 'otpauth'
import { decodeQR } from 'qr/decode.js'
import t from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { freeLabel, readLabel } from '../../src/factors/device-label.ts'
import {
  createTotp,
  otpauthUri,
  parseTotpCode,
  type TotpSecret,
} from '../../src/factors/totp/totp.ts'
import {
  matchingStep,
  newTotpSecret,
  parseTotpSecret,
} from '../../src/factors/totp/totp-algorithm.ts'
import { totpQrSvg, totpQrTerminal } from '../../src/factors/totp/totp-qr.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(dir.remove)
const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
let files = 0

/** The code an app with this secret shows at that time. */
const codeAt = (secret: TotpSecret, timestamp: number) =>
  TOTP.generate({ secret: OtpSecret.fromBase32(secret.reveal()), timestamp })

const addAccount = async (store: SqlStore, name = 'alice'): Promise<UserId> => {
  const id = newUserId()
  await store.accounts.add(
    { id, name, displayName: '', email: '', groups: [], passwordHash: 'x' },
    0,
  )
  return id
}

const setUp = async () => {
  const store = await openSqlStore({ path: dir.at(`${files++}.db`) })
  const clock = fakeClock()
  const totp = createTotp({ store: store.totp, keys, clock })
  const userId = await addAccount(store)
  return { store, clock, totp, userId, [Symbol.asyncDispose]: store.close }
}

/** An account whose device was added directly: no step is spent yet. */
const withDevice = async () => {
  const parts = await setUp()
  const secret = newTotpSecret()
  await parts.totp.addSecret(parts.userId, secret.reveal(), 'phone')
  const code = (offset = 0) => codeAt(secret, parts.clock.now() + offset)
  return { ...parts, secret, code }
}

const steps = (clock: FakeClock, count: number) => clock.advance(count * 30 * SECOND)

t.test('RFC 6238 appendix B: the codes of its test vectors are accepted', async (t) => {
  const secret = new Secret(OtpSecret.fromLatin1('12345678901234567890').base32)
  // The RFC prints eight digits; the last six are the six-digit code (RFC 4226, 5.3).
  const vectors = [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ] as const
  for (const [seconds, code] of vectors) {
    t.equal(matchingStep(secret, code, seconds * SECOND), Math.floor(seconds / 30), code)
  }
  t.equal(matchingStep(secret, '287083', 59 * SECOND), undefined)
  t.equal(matchingStep(secret, '287082', 0), 1, 'no step before the epoch is looked at')
})

t.test('parseTotpCode() gives one spelling, or says what is missing', async (t) => {
  for (const typed of [
    '012345',
    ' 012345 ',
    '012 345',
    '012-345',
    '0 1 2 3 4 5',
    '012\u00a0345',
    '012\u202f345\n',
    '012\u2013345',
    '０１２３４５',
    '012\u2011345',
  ]) {
    t.same(parseTotpCode(typed), { kind: 'ok', code: '012345' }, JSON.stringify(typed))
  }
  for (const typed of ['', '   ', '\u00a0', ' - ']) {
    t.same(parseTotpCode(typed), { kind: 'empty' }, JSON.stringify(typed))
  }
  for (const typed of [
    '12345',
    '1234567',
    '12345a',
    '+12345',
    '1e5',
    '0x1234',
    '12345.',
    '٠١٢٣٤٥',
    '012345\0',
    '012345,012345',
    `012345${' '.repeat(100_000)}`,
  ]) {
    t.same(parseTotpCode(typed), { kind: 'format' }, JSON.stringify(typed.slice(0, 20)))
  }
})

t.test('parseTotpSecret() reads what other programs print', async (t) => {
  const read = (text: string) => {
    const parsed = parseTotpSecret(text)
    return parsed.kind === 'ok' ? parsed.secret.reveal() : parsed.problem
  }
  t.equal(read('jbsw y3dp ehpk 3pxp'), 'JBSWY3DPEHPK3PXP')
  t.equal(read('JBSW-Y3DP-EHPK-3PXP=='), 'JBSWY3DPEHPK3PXP')
  t.equal(read(''), 'empty')
  t.equal(read(' - '), 'empty')
  t.equal(read('JBSWY3DPEHPK3PX'), 'too_short', '75 bits')
  t.equal(read('JBSWY3DPEHPK3PX0'), 'invalid')
  t.equal(read('JBSWY3DPEHPK3PXPA'), 'invalid', 'no whole byte at the end')
  t.equal(read('A'.repeat(100_000)), 'invalid')
  const fresh = newTotpSecret().reveal()
  t.match(fresh, /^[A-Z2-7]{32}$/, '160 bits')
  t.equal(read(fresh), fresh)
  t.equal(new Set(Array.from({ length: 500 }, () => newTotpSecret().reveal())).size, 500)
})

t.test('enrolment: the secret becomes a device only when its code is proved', async (t) => {
  await using parts = await setUp()
  const { totp, userId, clock, store } = parts
  t.equal(await totp.enrolmentOf(userId), undefined)
  t.same(await totp.finishEnrolment(userId, '000000', ''), { kind: 'expired' })
  const earlier = await totp.startEnrolment(userId)
  const secret = await totp.startEnrolment(userId)
  t.not(earlier.reveal(), secret.reveal())
  t.equal((await totp.enrolmentOf(userId))?.reveal(), secret.reveal())
  t.equal(await totp.hasDevice(userId), false, 'G6 an abandoned enrolment gates nothing')
  t.same(await totp.verify(userId, codeAt(secret, clock.now())), { kind: 'no_device' })

  const code = codeAt(secret, clock.now())
  t.same(await totp.finishEnrolment(userId, codeAt(earlier, clock.now()), ''), { kind: 'wrong' })
  t.same(await totp.finishEnrolment(userId, code, 'phone'), { kind: 'right', label: 'phone' })
  t.same(await totp.finishEnrolment(userId, code, 'phone'), { kind: 'expired' }, 'turned already')
  t.equal(await totp.enrolmentOf(userId), undefined)
  t.match(await totp.devices(userId), [{ label: 'phone', createdAt: clock.now() }])
  t.equal(await totp.hasDevice(userId), true)
  t.same(await totp.verify(userId, code), { kind: 'spent' }, 'G1 the code that enrolled is spent')
  steps(clock, 1)
  t.same(await totp.verify(userId, codeAt(secret, clock.now())), { kind: 'right' })

  const [device] = await store.totp.devices(userId)
  const at = { table: 'totp_devices', row: device?.id ?? '', column: 'sealed_secret' }
  t.equal(keys.open(device?.sealedSecret ?? '', at), secret.reveal(), 'sealed for its own row')
})

t.test('enrolment: a secret that was shown can be proved for 15 minutes', async (t) => {
  await using parts = await setUp()
  const { totp, userId, clock } = parts
  const secret = await totp.startEnrolment(userId)
  clock.advance(15 * MINUTE - 1)
  t.equal((await totp.enrolmentOf(userId))?.reveal(), secret.reveal())
  clock.advance(1)
  t.equal(await totp.enrolmentOf(userId), undefined)
  t.same(await totp.finishEnrolment(userId, codeAt(secret, clock.now()), ''), { kind: 'expired' })
  t.equal(await totp.hasDevice(userId), false)
})

t.test('G5 verify() accepts the present step and its two neighbours only', async (t) => {
  for (const [offset, kind] of [
    [-11, 'wrong'],
    [-2, 'drift'],
    [-1, 'right'],
    [0, 'right'],
    [1, 'right'],
    [2, 'drift'],
    [11, 'wrong'],
  ] as const) {
    await using parts = await withDevice()
    const code = parts.code(offset * 30 * SECOND)
    t.equal((await parts.totp.verify(parts.userId, code)).kind, kind, `step ${offset}`)
  }
})

t.test('G1 verify() refuses a code that was used, in the next step and after it too', async (t) => {
  await using parts = await withDevice()
  const { totp, userId, clock } = parts
  const older = parts.code(-30 * SECOND)
  const code = parts.code()
  t.same(await totp.verify(userId, code), { kind: 'right' })
  t.same(await totp.verify(userId, code), { kind: 'spent' })
  t.same(await totp.verify(userId, older), { kind: 'spent' }, 'an older one is dead with it')
  steps(clock, 1)
  t.same(await totp.verify(userId, code), { kind: 'spent' })
  t.same(await totp.verify(userId, parts.code()), { kind: 'right' })
  steps(clock, 1)
  t.same(await totp.verify(userId, code), { kind: 'wrong' })
  const reopened = createTotp({ store: parts.store.totp, keys, clock: fakeClock() })
  t.same(await reopened.verify(userId, code), { kind: 'spent' }, 'L23 when the clock goes back')
})

t.test('verify() tells how far the clock of a device is off, up to ten steps', async (t) => {
  for (const steps of [-10, -6, -2, 2, 6, 10]) {
    await using parts = await withDevice()
    await parts.totp.addSecret(parts.userId, newTotpSecret().reveal(), 'another')
    const code = parts.code(steps * 30 * SECOND)
    const by = steps * 30 * SECOND
    t.same(await parts.totp.verify(parts.userId, code), { kind: 'drift', by })
    t.same(await parts.totp.verify(parts.userId, parts.code()), { kind: 'right' }, 'spends nothing')
  }
})

t.test('verify() never accepts a code whose time it told before it came', async (t) => {
  await using parts = await withDevice()
  const { totp, userId, clock, store } = parts
  const guess = parts.code(6 * 30 * SECOND)
  t.match(await totp.verify(userId, guess), { kind: 'drift' })
  const reopened = createTotp({ store: store.totp, keys, clock })
  steps(clock, 5)
  for (let step = 5; step <= 7; step++) {
    t.same(await reopened.verify(userId, guess), { kind: 'spent' }, `${step} steps later`)
    steps(clock, 1)
  }
  t.same(await totp.verify(userId, parts.code()), { kind: 'right' })
  t.equal(await store.spent.forget(clock.now()), 1, 'and then it is forgotten')
})

t.test('verify() calls a code that was used wrong, not late', async (t) => {
  await using parts = await withDevice()
  const code = parts.code()
  await parts.totp.verify(parts.userId, code)
  steps(parts.clock, 4)
  t.same(await parts.totp.verify(parts.userId, code), { kind: 'wrong' })
})

t.test('devices have names of their own, ten at most', async (t) => {
  await using parts = await setUp()
  const { totp, userId, clock } = parts
  const enrol = async (label: string) => {
    const secret = await totp.startEnrolment(userId)
    return totp.finishEnrolment(userId, codeAt(secret, clock.now()), label)
  }
  t.same(await enrol('My phone'), { kind: 'right', label: 'My phone' })
  t.same(await enrol('my PHONE'), { kind: 'right', label: 'my PHONE 2' })
  t.same(await enrol('My phone'), { kind: 'right', label: 'My phone 3' })
  const devices = await totp.devices(userId)
  const id = devices.find(({ label }) => label === 'My phone')?.id ?? ''
  t.equal(await totp.rename(userId, id, 'My phone'), 'My phone', 'its own name is free')
  t.equal(await totp.rename(userId, id, 'My phone 3'), 'My phone 3 2')
  t.equal(await totp.rename(await addAccount(parts.store, 'bob'), id, 'x'), undefined)
  for (let i = 4; i <= 10; i++) t.equal((await enrol('Tablet')).kind, 'right')
  const secret = await totp.startEnrolment(userId)
  t.same(await totp.finishEnrolment(userId, codeAt(secret, clock.now()), 'x'), { kind: 'full' })
  t.equal((await totp.devices(userId)).length, 10)
  const drifted = codeAt(secret, clock.now() + 4 * 30 * SECOND)
  t.match(await totp.finishEnrolment(userId, drifted, 'x'), { kind: 'drift', by: 2 * MINUTE })
})

t.test('readLabel() makes one line of whatever is typed', async (t) => {
  t.equal(readLabel('  Mon\n téléphone\u202e \u200b'), 'Mon téléphone')
  t.equal(readLabel('e\u0301'), 'é')
  t.equal(readLabel(' \u200b\u0000 '), '')
  t.equal(readLabel('a'.repeat(1_000_000)).length, 40)
  t.equal(readLabel(`${'a'.repeat(39)}😀`), 'a'.repeat(39), 'cut between characters')
  t.equal(freeLabel('a'.repeat(40), ['A'.repeat(40)]), `${'a'.repeat(36)} 2`)
})

t.test('G2 verify() takes nothing but six digits', async (t) => {
  await using parts = await withDevice()
  for (const code of ['', ` ${parts.code()}`, `${parts.code()}\n`, '０１２３４５']) {
    t.same(await parts.totp.verify(parts.userId, code), { kind: 'wrong' })
  }
})

t.test('verify() tries every device of the account, and no other account’s', async (t) => {
  await using parts = await withDevice()
  const { totp, userId, store } = parts
  const second = newTotpSecret()
  const added = await totp.addSecret(userId, second.reveal().toLowerCase(), 'tablet')
  t.equal(added.kind, 'added')
  const code = codeAt(second, parts.clock.now())
  const bob = await addAccount(store, 'bob')
  t.same(await totp.verify(bob, code), { kind: 'no_device' })
  t.same(await totp.verify(userId, code), { kind: 'right' })
  t.same(await totp.verify(userId, parts.code()), { kind: 'right' }, 'a step is spent by device')
  const deviceId = added.kind === 'added' ? added.deviceId : ''
  t.equal(await totp.remove(bob, deviceId), false, 'G9 another account’s device')
  t.equal(await totp.remove(userId, deviceId), true)
  steps(parts.clock, 1)
  t.same(await totp.verify(userId, codeAt(second, parts.clock.now())), { kind: 'wrong' })
  t.same(await totp.addSecret(userId, 'ABCD', ''), { kind: 'refused', problem: 'too_short' })
})

t.test('a secret that was sealed for another row or with another key opens nowhere', async (t) => {
  await using parts = await withDevice()
  const { store, clock, userId } = parts
  const [device] = await store.totp.devices(userId)
  if (device === undefined) return t.fail('no device')
  const bob = await addAccount(store, 'bob')
  await store.totp.add({ ...device, id: 'otp_copied', userId: bob })
  await t.rejects(parts.totp.verify(bob, parts.code()), { code: 'keys_unavailable' })
  const otherKeys = createKeys(new Secret(Buffer.alloc(32, 8)))
  const other = createTotp({ store: store.totp, keys: otherKeys, clock })
  await t.rejects(other.verify(userId, parts.code()), { code: 'keys_unavailable' })
})

t.test('G3 one code in 50 parallel requests over two stores succeeds once', async (t) => {
  await using parts = await withDevice()
  const path = dir.at(`${files - 1}.db`)
  await using twin = await openSqlStore({ path })
  const both = [parts.totp, createTotp({ store: twin.totp, keys, clock: parts.clock })] as const
  const code = parts.code()
  const verdicts = await Promise.all(
    Array.from({ length: 50 }, (_, i) => both[i % 2 === 0 ? 0 : 1].verify(parts.userId, code)),
  )
  t.equal(verdicts.filter(({ kind }) => kind === 'right').length, 1)
  t.equal(verdicts.filter(({ kind }) => kind === 'spent').length, 49)

  const secret = await parts.totp.startEnrolment(parts.userId)
  const proof = codeAt(secret, parts.clock.now())
  const enrolled = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      both[i % 2 === 0 ? 0 : 1].finishEnrolment(parts.userId, proof, ''),
    ),
  )
  t.equal(enrolled.filter(({ kind }) => kind === 'right').length, 1)
  t.equal((await twin.totp.devices(parts.userId)).length, 2)
})

t.test('G11 the database files contain no secret in clear', async (t) => {
  const parts = await withDevice()
  const shown = await parts.totp.startEnrolment(parts.userId)
  const names = ['', '-wal'].map((end) => dir.at(`${files - 1}.db${end}`))
  const bytes = () => Buffer.concat(names.map((name) => readFileSync(name, { flag: 'a+' })))
  await parts.store.ping()
  const live = bytes()
  t.ok(live.includes(parts.userId), 'the write-ahead log is looked at')
  await parts.store.close()
  for (const secret of [parts.secret, shown]) {
    const { bytes: raw, base32, hex } = OtpSecret.fromBase32(secret.reveal())
    for (const form of [base32, base32.toLowerCase(), hex, Buffer.from(raw).toString('base64')]) {
      t.notOk(live.includes(form))
      t.notOk(bytes().includes(form))
    }
    t.notOk(live.includes(Buffer.from(raw)))
  }
})

t.test('otpauthUri() is read back by an authenticator app’s rules', async (t) => {
  const secret = newTotpSecret()
  const uri = otpauthUri({ issuer: 'Maison: Été', account: 'alice@example.fr', secret })
  t.match(uri, /^otpauth:\/\/totp\/Maison%3A%20%C3%89t%C3%A9:alice%40example.fr\?/)
  const query = new URL(uri).searchParams
  t.equal(query.get('secret'), secret.reveal())
  t.equal(query.get('issuer'), 'Maison: Été')
  t.equal(query.get('algorithm'), 'SHA1')
  t.equal(query.get('digits'), '6')
  t.equal(query.get('period'), '30')
})

/** Reads the symbol as a camera would: rows of light and dark modules, drawn as pixels. */
const readModules = (rows: readonly (readonly boolean[])[]) => {
  const scale = 4
  const size = rows.length * scale
  const data = new Uint8Array(size * size * 4).fill(255)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (rows[Math.floor(y / scale)]?.[Math.floor(x / scale)] !== true) continue
      data.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3)
    }
  }
  return decodeQR({ width: size, height: size, data })
}

t.test('totpQrSvg() draws a symbol that reads as the URI, with its quiet zone', async (t) => {
  const uri = otpauthUri({ issuer: 'Sallyport', account: 'alice', secret: newTotpSecret() })
  const svg = totpQrSvg(uri)
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1])
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => false))
  for (const [, x, y, length, back] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) {
    t.equal(length, back)
    rows[Number(y)]?.fill(true, Number(x), Number(x) + Number(length))
  }
  t.equal(readModules(rows), uri)
  const edge = rows.flatMap((row, y) =>
    row.filter((_, x) => Math.min(x, y, size - 1 - x, size - 1 - y) < 4),
  )
  t.notOk(edge.includes(true), 'four light modules on each side')
  t.ok(rows[4]?.[4], 'and no more')
  t.notMatch(svg, /style|script|href|url\(|\son\w+=/i, 'nothing a strict policy would block')
  t.match(svg, /<rect [^>]*fill="#fff"\/><path [^>]*fill="#000"\/>/)
})

t.test('totpQrTerminal() prints the same symbol in half blocks', async (t) => {
  const uri = otpauthUri({ issuer: 'Sallyport', account: 'alice', secret: newTotpSecret() })
  const lines = totpQrTerminal(uri).trimEnd().split('\n')
  const rows = lines.flatMap((line) => [
    [...line].map((half) => half !== '█' && half !== '▀'),
    [...line].map((half) => half !== '█' && half !== '▄'),
  ])
  rows.length = rows[0]?.length ?? 0
  t.equal(readModules(rows), uri)
  t.match(totpQrTerminal(uri), /^[█▀▄ \n]+$/)
})
