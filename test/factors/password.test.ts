import t from 'tap'
import { createKdf, type KdfCost } from '../../src/factors/kdf.ts'
import { createPasswordHasher, PASSWORD_COST } from '../../src/factors/password.ts'
import { formatPhc, parsePhc } from '../../src/factors/phc.ts'
import { Secret } from '../../src/lib/secret.ts'

const CHEAP: KdfCost = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 }
const secret = (text: string) => new Secret(text)

const newHasher = (cost: KdfCost = CHEAP) => {
  const kdf = createKdf()
  return { kdf, ...createPasswordHasher({ kdf }, { cost }) }
}

const phcOf = async (hasher: ReturnType<typeof newHasher>, password: string) => {
  const hashed = await hasher.hash(secret(password))
  if (hashed.kind !== 'hashed') throw new Error('busy')
  return hashed.phc
}

t.test('hash() and verify() at the real cost', async (t) => {
  const hasher = newHasher(PASSWORD_COST)
  const phc = await phcOf(hasher, 'correct horse')
  t.match(phc, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  const start = performance.now()
  t.same(await hasher.verify(secret('correct horse'), phc), { kind: 'right', needsRehash: false })
  t.comment(`${(performance.now() - start).toFixed(0)} ms`)
  t.same(await hasher.verify(secret('correct horsf'), phc), { kind: 'wrong' })
})

t.test('hash() salts: the same password never looks the same', async (t) => {
  const hasher = newHasher()
  t.not(await phcOf(hasher, 'same'), await phcOf(hasher, 'same'))
})

t.test(
  'F1 verify() runs the KDF once in every case, and is wrong without a good hash',
  async (t) => {
    const hasher = newHasher()
    const phc = await phcOf(hasher, 'right')
    const dash = await phcOf(hasher, '-')
    const cases: readonly (readonly [string, string, string | undefined, string])[] = [
      ['right', 'right', phc, 'right'],
      ['wrong', 'wrong', phc, 'wrong'],
      ['unknown account', 'right', undefined, 'wrong'],
      ['empty', '', phc, 'wrong'],
      ['empty, unknown', '', undefined, 'wrong'],
      ['too long', 'x'.repeat(1025), phc, 'wrong'],
      ['far too long', 'x'.repeat(5_000_000), phc, 'wrong'],
      ['1 kB', 'x'.repeat(1024), phc, 'wrong'],
      ['an unreadable hash', 'right', 'plain text', 'wrong'],
      ['a hash of another kind', 'right', '$2b$10$abcdefghijklmnopqrstuv', 'wrong'],
      ['the stand-in for what is too long', '-', dash, 'right'],
      ['empty, where it is the password', '', dash, 'wrong'],
      ['too long, where it is the password', 'x'.repeat(1025), dash, 'wrong'],
    ]
    for (const [name, password, kept, kind] of cases) {
      const before = hasher.kdf.runs()
      t.equal((await hasher.verify(secret(password), kept)).kind, kind, name)
      t.equal(hasher.kdf.runs() - before, 1, `${name}: one run`)
    }
  },
)

t.test('F11 verify() cuts nothing off, and takes NFC and NFD for the same', async (t) => {
  const hasher = newHasher()
  const long = 'x'.repeat(72)
  const phc = await phcOf(hasher, `${long}a`)
  t.equal((await hasher.verify(secret(`${long}b`), phc)).kind, 'wrong')
  t.equal((await hasher.verify(secret(`${long}a`), phc)).kind, 'right')
  const composed = await phcOf(hasher, 'Zo\u00e9 a d\u00een\u00e9')
  t.equal((await hasher.verify(secret('Zoe\u0301 a di\u0302ne\u0301'), composed)).kind, 'right')
  t.equal((await hasher.verify(secret('Zoe a dine'), composed)).kind, 'wrong')
  const spaced = await phcOf(hasher, ' right ')
  t.equal((await hasher.verify(secret('right'), spaced)).kind, 'wrong', 'spaces count')
})

t.test('hash() refuses what verify() would never accept', async (t) => {
  const hasher = newHasher()
  await t.rejects(hasher.hash(secret('')), { code: 'usage' })
  await t.rejects(hasher.hash(secret('x'.repeat(1025))), { code: 'usage' })
  t.equal(hasher.kdf.runs(), 0)
})

t.test('V11.2.2 verify() asks for a new hash when the kept one has another cost', async (t) => {
  const old = newHasher({ ...CHEAP, passes: 2 })
  const phc = await phcOf(old, 'right')
  const hasher = newHasher()
  t.same(await hasher.verify(secret('right'), phc), { kind: 'right', needsRehash: true })
  t.same(await hasher.verify(secret('wrong'), phc), { kind: 'wrong' })
})

t.test('parsePhc() reads what formatPhc() writes, and refuses the rest', async (t) => {
  const hash = { cost: CHEAP, salt: Buffer.alloc(16, 1), tag: Buffer.alloc(32, 2) }
  const phc = formatPhc(hash)
  t.same(parsePhc(phc), hash)
  for (const bad of [
    '',
    `${phc}\n`,
    ` ${phc}`,
    `${phc}=`,
    phc.replace('argon2id', 'argon2i'),
    phc.replace('v=19', 'v=16'),
    phc.replace('m=64', 'm=9999999'),
    phc.replace('m=64', 'm=7'),
    phc.replace('t=1', 't=0'),
    phc.replace('t=1', 't=17'),
    phc.replace('p=1', 'p=0'),
    phc.replace('p=1', 'p=99'),
    phc.replace(/\$[^$]*$/, '$AAAA'),
    phc.replace(/\$[^$]*$/, ''),
    `${phc}${'A'.repeat(1_000_000)}`,
  ]) {
    t.equal(parsePhc(bad), undefined, bad.slice(0, 60))
  }
  t.ok(
    parsePhc('$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b9dWRWJTmaaJObG'),
    'another program’s hash',
  )
})

t.test('createKdf() runs one job at a time and refuses more than may wait', async (t) => {
  const kdf = createKdf({ concurrency: 1, queueLimit: 2 })
  const run = (signal?: AbortSignal) =>
    kdf.run(Buffer.from('x'), Buffer.alloc(16), CHEAP, signal).then(({ kind }) => kind)
  const jobs = Array.from({ length: 5 }, () => run())
  t.equal(kdf.waiting(), 2)
  t.same(await Promise.all(jobs), ['done', 'done', 'done', 'busy', 'busy'])
  t.equal(kdf.runs(), 3)
  t.equal(kdf.waiting(), 0)
  t.equal(await run(), 'done', 'places are given back')
})

t.test('createKdf() runs as many at a time as told', async (t) => {
  const kdf = createKdf({ concurrency: 3, queueLimit: 0 })
  const jobs = Array.from({ length: 4 }, () =>
    kdf.run(Buffer.from('x'), Buffer.alloc(16), CHEAP).then(({ kind }) => kind),
  )
  t.same(await Promise.all(jobs), ['done', 'done', 'done', 'busy'])
})

t.test('L21 a signal takes a waiting job out of the queue and makes its place free', async (t) => {
  const kdf = createKdf({ concurrency: 1, queueLimit: 1 })
  const run = (signal?: AbortSignal) =>
    kdf.run(Buffer.from('x'), Buffer.alloc(16), CHEAP, signal).then(({ kind }) => kind)
  const running = new AbortController()
  const waiting = new AbortController()
  const first = run(running.signal)
  const second = run(waiting.signal)
  waiting.abort()
  running.abort()
  t.equal(kdf.waiting(), 0)
  const third = run()
  t.equal(await second, 'busy')
  t.equal(await first, 'done', 'one that runs is finished')
  t.equal(await third, 'done')
  t.equal(await run(AbortSignal.abort()), 'busy')
  t.equal(kdf.runs(), 2, 'nothing was computed for those who gave up')
})

t.test('createKdf() gives the place back when a run fails', async (t) => {
  const kdf = createKdf({ concurrency: 1, queueLimit: 1 })
  const broken = { ...CHEAP, memory: 0 }
  await t.rejects(kdf.run(Buffer.from('x'), Buffer.alloc(16), broken), { code: 'busy' })
  t.equal((await kdf.run(Buffer.from('x'), Buffer.alloc(16), CHEAP)).kind, 'done')
})

t.test('verify() agrees with the reference implementation of Argon2id', async (t) => {
  // Made with the reference implementation: argon2id, m=64 MiB, t=2, p=1, "password", "somesalt".
  const phc =
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  const hasher = newHasher()
  t.same(await hasher.verify(secret('password'), phc), { kind: 'right', needsRehash: true })
})
