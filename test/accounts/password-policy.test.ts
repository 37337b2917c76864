import t, { type Test } from 'tap'
import { createPasswordBlocklist } from '../../src/accounts/password-blocklist.ts'
import type { LeakedPasswords } from '../../src/accounts/password-leaks.ts'
import {
  createPasswordPolicy,
  MAX_PASSWORD_BYTES,
  type PasswordPolicy,
} from '../../src/accounts/password-policy.ts'
import { PASSWORD_PRESETS, type PasswordPreset } from '../../src/accounts/password-presets.ts'
import { Secret } from '../../src/lib/secret.ts'

const NOBODY = { accountName: 'zz', email: '', displayName: '' }
/** Read once for all of them. */
const blocklist = createPasswordBlocklist()
const nist = createPasswordPolicy({ blocklist })

/** `ok`, or the problem and whose name it is about. */
async function judge(password: string, policy: PasswordPolicy = nist, owner = NOBODY) {
  const verdict = await policy.check(new Secret(password), owner)
  if (verdict.kind === 'ok') return 'ok'
  return verdict.problem === 'contains_name' ? `name of ${verdict.what}` : verdict.problem
}

async function eachIs(
  t: Test,
  wanted: string,
  passwords: readonly string[],
  policy?: PasswordPolicy,
  owner?: typeof NOBODY,
) {
  for (const password of passwords) t.equal(await judge(password, policy, owner), wanted, password)
}

t.test('check() counts code points after NFC, and bytes at the other end', async (t) => {
  t.same(await nist.check(new Secret('elevenchars'), NOBODY), {
    kind: 'refused',
    problem: 'too_short',
    detail: 12,
  })
  const short = createPasswordPolicy({ blocklist }, { minLength: 8 })
  t.equal(await judge('twelve chars'), 'ok')
  t.equal(await judge('eight ch', short), 'ok')
  t.equal(await judge('seven c', short), 'too_short')
  t.equal(await judge(''), 'empty')
  t.equal(await judge('🐈🐕🐁🐂🐃🐄🐅🐆🐇🐉🐊'), 'too_short', 'eleven code points of two units')
  t.equal(await judge('🐈🐕🐁🐂🐃🐄🐅🐆🐇🐉🐊🐋'), 'ok')
  t.equal(await judge('e\u0301a\u0300'.repeat(5)), 'too_short', 'ten characters after NFC')
  t.equal(await judge('🐈🐕'.repeat(32)), 'ok', '64 emoji')
  t.equal(await judge('ab'.repeat(512)), 'ok', '1024 bytes')
  t.equal(await judge(`${'ab'.repeat(512)}c`), 'too_long')
  t.equal(await judge('é€'.repeat(300)), 'too_long', '1500 bytes')
  t.equal(await judge('x'.repeat(10_000_000)), 'too_long')
  t.equal(await judge('\ud800'.repeat(20)), 'invalid')
  t.equal(MAX_PASSWORD_BYTES, 1024)
})

t.test('V6.2.5 nist has no rules about kinds of characters', async (t) => {
  await eachIs(t, 'ok', [
    'plain lower case words',
    'ALL CAPITALS HERE',
    '8203 4417 9925 1386',
    'a b a b a b a b a b',
    'été à la plage',
    '  spaces around  ',
    '8203 cat 4417 9925',
    'soleil 4417 9925 1386',
  ])
})

t.test('check() refuses what an attacker tries first, in English and in French', async (t) => {
  await eachIs(t, 'too_common', [
    'aaaaaaaaaaaaaaaa',
    '🐈'.repeat(12),
    '123456789012',
    '098765432109',
    'abcdefghijklmn',
    'ZYXWVUTSRQPONM',
    'qwertyuiopas',
    'AzertyUiopQs',
    'password1234',
    'Password2024!',
    '1234password1234',
    'pass word 2024',
    'P@ssw0rd2024!',
    'MotDePasse2024',
    'ｐａｓｓｗｏｒｄ１２３４',
    'passwordpassword',
    'administrator',
    'administrateur75',
    'correct horse battery staple',
    'Correct-Horse-Battery-Staple!',
    'changeme1234',
    'soleil 1234567890123',
    'leavemealone',
    '1qaz2wsx3edc',
    'Dragon!20240101',
    'Jean-Baptiste75',
    'Frédérique2024!',
    'frederique!2024',
    'Gouvernement!75',
    'immédiatement',
    'soleilsoleilsoleil',
  ])
})

t.test('check() lets generated phrases and passwords pass under every preset', async (t) => {
  // Six and seven words of a list for dice, and what a manager makes: 16 letters, digits, signs.
  const phrases = [
    'bitten gravel unmasked parchment dial oxidize tweed',
    'reshape-acorn-banknote-trifle-utensil-mongoose-clay',
    'tulipe gravier moteur anchois fenouil brouette cendre',
    'Sillon.Pivoine.Écluse.Rabot.Merlan.Cuvette.Osier',
  ]
  const made = ['vK7!rq2Zp_9xTd4m', 'Wq8#nB3$yL6&cR1@', '4hTz-9QwX-b7Kp-Vm2s', 'gX5~Rn8+Jc3=Fs6%']
  for (const preset of Object.keys(PASSWORD_PRESETS) as PasswordPreset[]) {
    const policy = createPasswordPolicy({ blocklist }, { preset })
    await eachIs(t, 'ok', made, policy)
    if (preset !== 'owasp') await eachIs(t, 'ok', phrases, policy)
  }
})

t.test('each preset asks for what its author does, length and list first', async (t) => {
  const rows: readonly [password: string, ...verdicts: readonly string[]][] = [
    ['password', 'nist', 'cnil-50', 'cnil-80', 'owasp'],
    // seven characters
    ['vK7!rq2', 'too_short', 'too_short', 'too_short', 'too_short'],
    // eight of four kinds, of three, of two
    ['vK7!rq2Z', 'too_short', 'ok', 'too_short', 'ok'],
    ['vK7wrq2Z', 'too_short', 'ok', 'too_short', 'too_simple'],
    ['vk7wrq2z', 'too_short', 'too_simple', 'too_short', 'too_simple'],
    // the same with a space for a sign
    ['vk7wr q2z', 'too_short', 'ok', 'too_short', 'too_simple'],
    // twelve of four kinds, of three; fourteen
    ['vK7!rq2Zp_9x', 'ok', 'ok', 'ok', 'ok'],
    ['vK7wrq2Zpc9x', 'ok', 'ok', 'too_simple', 'too_simple'],
    ['vK7wrq2Zpc9xTd', 'ok', 'ok', 'ok', 'too_simple'],
    ['vk7wrq2zpc9xtd', 'ok', 'too_simple', 'too_simple', 'too_simple'],
    // digits alone
    ['829417663052914', 'ok', 'too_simple', 'too_simple', 'too_simple'],
    ['8294176630529148', 'ok', 'ok', 'too_simple', 'too_simple'],
    // four words, five, seven; the same word five times, words of a letter
    ['acorn tweed gravel dial', 'ok', 'too_simple', 'too_simple', 'too_simple'],
    ['acorn tweed gravel dial clay', 'ok', 'ok', 'too_simple', 'too_simple'],
    ['acorn tweed gravel dial clay oxide bank', 'ok', 'ok', 'ok', 'too_simple'],
    ['acorn acorn acorn acorn tweed', 'ok', 'too_simple', 'too_simple', 'too_simple'],
    ['a b c d e f g h i j k l m', 'ok', 'too_simple', 'too_simple', 'too_simple'],
    // made up as asked, and common
    ['Password2024!', 'too_common', 'too_common', 'too_common', 'too_common'],
  ]
  const [[, ...presets] = [], ...cases] = rows
  for (const [column, preset] of presets.entries()) {
    const policy = createPasswordPolicy({ blocklist }, { preset: preset as PasswordPreset })
    for (const [password, ...verdicts] of cases) {
      t.equal(await judge(password, policy), verdicts[column], `${preset}: ${password}`)
    }
  }
})

t.test('min_length raises what a preset asks for, and never lowers it', async (t) => {
  const longer = createPasswordPolicy({ blocklist }, { preset: 'cnil-50', minLength: 14 })
  t.same(longer.asked, { preset: 'cnil-50', minLength: 14, leaks: false })
  t.equal(await judge('vK7!rq2Zp_9x', longer), 'too_short')
  const lower = createPasswordPolicy({ blocklist }, { preset: 'cnil-80', minLength: 8 })
  t.equal(lower.asked.minLength, 12)
})

t.test('check() refuses names of the owner and of the service, and says whose', async (t) => {
  const policy = createPasswordPolicy(
    { blocklist },
    {
      service: {
        names: ['Exemple SA', 'auth.exemple.fr'],
        apps: ['Wiki', 'wiki.exemple.fr', 'Comptabilité'],
      },
    },
  )
  const owner = {
    accountName: 'alice.martin',
    email: 'a.durand@courrier.net',
    displayName: 'Zoé Lefèvre',
  }
  const rows: readonly [wanted: string, password: string][] = [
    ['name of username', 'my alice.martin pass'],
    ['name of username', 'my ALICE.Martin pass'],
    ['name of email', 'take a.durand along now'],
    ['name of display_name', 'Lefevre!2024'],
    ['name of display_name', 'ZOÉ lefèvre 20'],
    ['name of service', 'ExempleSA-2024'],
    ['name of service', '2024 Sallyport!!'],
    ['name of app', 'wikiwikiwiki1'],
    ['name of app', 'comptabilite!75'],
    ['name of app', 'wikipassword'],
    ['ok', 'my wiki is full of cats'],
    ['ok', 'lefèvre pêche au bord de la rivière'],
  ]
  for (const [wanted, password] of rows)
    t.equal(await judge(password, policy, owner), wanted, password)
  const short = { ...owner, accountName: 'zoé', email: '', displayName: '' }
  t.equal(await judge('xx zoé xx yy zz', policy, short), 'ok', 'three letters may be chance')
  const address = { ...short, accountName: ' BOBBY@example.fr ' }
  t.equal(await judge('my bobby is ok then', policy, address), 'name of username', 'before the @')
})

t.test('check() asks for leaks last, and an error is what the configuration says', async (t) => {
  const asked: string[] = []
  const answers: { kind: Awaited<ReturnType<LeakedPasswords['find']>>['kind'] } = { kind: 'leaked' }
  const causes: unknown[] = []
  const leaked: LeakedPasswords = {
    find: async (password) => {
      asked.push(password.reveal())
      return answers.kind === 'unreachable'
        ? { kind: 'unreachable', cause: 'no network' }
        : { kind: answers.kind }
    },
  }
  const deps = { blocklist, leaked, onUnreachable: (cause: unknown) => causes.push(cause) }
  const accepting = createPasswordPolicy(deps, { ifUnreachable: 'accept' })
  const refusing = createPasswordPolicy(deps, { ifUnreachable: 'refuse' })
  t.ok(accepting.asked.leaks)
  t.equal(await judge('password1234', accepting), 'too_common')
  t.same(asked, [], 'what is refused anyway is asked of nobody')
  t.equal(await judge('e\u0301te\u0301 a\u0300 la plage', accepting), 'leaked')
  t.same(asked, ['été à la plage'], 'in NFC')
  answers.kind = 'not_found'
  t.equal(await judge('plain lower case words', refusing), 'ok')
  answers.kind = 'unreachable'
  t.equal(await judge('plain lower case words', accepting), 'ok')
  t.equal(await judge('plain lower case words', refusing), 'unchecked')
  t.same(causes, ['no network', 'no network'])
})

t.test('J5 check() takes no longer for a text made to be hard', async (t) => {
  const hard = ['a1'.repeat(512), '-'.repeat(1024), `${'a'.repeat(1023)}!`, `${'ab '.repeat(341)}!`]
  await judge('the lists are read before')
  const start = process.hrtime.bigint()
  for (const text of hard) await judge(text)
  const took = Number(process.hrtime.bigint() - start) / 1e6
  t.ok(took < 500, `${took} ms`)
})
