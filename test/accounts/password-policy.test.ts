import t from 'tap'
import { checkPassword } from '../../src/accounts/password-policy.ts'
import { Secret } from '../../src/lib/secret.ts'

const judge = (password: string, accountName = 'alice.martin', minLength?: number) => {
  const verdict = checkPassword(new Secret(password), {
    accountName,
    ...(minLength === undefined ? {} : { minLength }),
  })
  return verdict.kind === 'ok' ? 'ok' : verdict.problem
}

t.test('checkPassword() counts code points after NFC, and bytes at the other end', async (t) => {
  t.same(checkPassword(new Secret('elevenchars'), { accountName: 'alice' }), {
    kind: 'refused',
    problem: 'too_short',
    detail: 12,
  })
  t.equal(judge('twelve chars'), 'ok')
  t.equal(judge('eight ch', 'alice', 8), 'ok')
  t.equal(judge('seven c', 'alice', 8), 'too_short')
  t.equal(judge(''), 'empty')
  t.equal(judge('🐈🐕🐁🐂🐃🐄🐅🐆🐇🐉🐊'), 'too_short', 'eleven code points of two units')
  t.equal(judge('🐈🐕🐁🐂🐃🐄🐅🐆🐇🐉🐊🐋'), 'ok')
  t.equal(judge('e\u0301a\u0300'.repeat(5)), 'too_short', 'ten characters after NFC')
  t.equal(judge('🐈🐕'.repeat(32)), 'ok', '64 emoji')
  t.equal(judge('ab'.repeat(512)), 'ok', '1024 bytes')
  t.equal(judge(`${'ab'.repeat(512)}c`), 'too_long')
  t.equal(judge('é€'.repeat(300)), 'too_long', '1500 bytes')
  t.equal(judge('x'.repeat(10_000_000)), 'too_long')
  t.equal(judge('\ud800'.repeat(20)), 'invalid')
})

t.test('V6.2.5 checkPassword() has no rules about kinds of characters', async (t) => {
  for (const password of [
    'plain lower case words',
    'ALL CAPITALS HERE',
    '8203 4417 9925 1386',
    'a b a b a b a b a b',
    'été à la plage',
    '  spaces around  ',
  ]) {
    t.equal(judge(password), 'ok', password)
  }
})

t.test('checkPassword() refuses what an attacker tries first', async (t) => {
  for (const password of [
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
    'MotDePasse2024',
    'ｐａｓｓｗｏｒｄ１２３４',
    'passwordpassword',
    'administrator',
    'administrateur75',
    'correct horse battery staple',
    'Correct-Horse-Battery-Staple!',
    'Sallyport2026!!',
    'changeme1234',
  ]) {
    t.equal(judge(password), 'too_common', password)
  }
})

t.test('checkPassword() refuses the account name in the password', async (t) => {
  t.equal(judge('my alice.martin pass'), 'contains_name')
  t.equal(judge('my ALICE.Martin pass'), 'contains_name')
  t.equal(judge('xx alice xx yy zz', 'alice@example.fr'), 'contains_name', 'before the @')
  t.equal(judge('xx zoé xx yy zz', 'zoé'), 'ok', 'three letters may be chance')
  t.equal(judge('my bobby is ok', ' BOBBY '), 'contains_name', 'in any spelling')
})
