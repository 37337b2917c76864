import t, { type Test } from 'tap'
import {
  parseAccountName,
  parseDisplayName,
  parseEmail,
  parseGroupName,
} from '../../src/accounts/account-name.ts'
import { newUserId } from '../../src/accounts/user-id.ts'
import { parseUserId } from '../../src/identity/principal.ts'
import { foldName } from '../../src/lib/fold.ts'

type Expectation = readonly [typed: string, outcome: string]

/** For the test's name: one line, whatever is in it. */
const shown = (typed: string) =>
  JSON.stringify(typed.slice(0, 40)).replace(
    /\P{ASCII}/gu,
    (c) => `U+${c.codePointAt(0)?.toString(16)}`,
  )

const check = (
  t: Test,
  parse: (text: string) => { kind: 'ok'; value: string } | { kind: 'refused'; problem: string },
  table: readonly Expectation[],
) => {
  for (const [typed, outcome] of table) {
    const parsed = parse(typed)
    const got = parsed.kind === 'ok' ? parsed.value : `! ${parsed.problem}`
    t.equal(got, outcome, shown(typed))
  }
}

t.test('F3 parseAccountName() gives one name for every spelling', async (t) => {
  for (const typed of [
    'bob',
    'Bob',
    'BOB',
    ' bob ',
    'bob\u00a0',
    '\u3000ｂｏｂ',
    'Ｂｏｂ',
    '\tbob\n',
  ]) {
    t.same(parseAccountName(typed), { kind: 'ok', value: 'bob' }, shown(typed))
  }
  t.same(parseAccountName('Zoe\u0301'), parseAccountName('ZOÉ'))
})

t.test('parseAccountName() takes names of any script and refuses what misleads', async (t) => {
  check(t, parseAccountName, [
    ['alice.martin-2_x+y', 'alice.martin-2_x+y'],
    ['alice@example.fr', 'alice@example.fr'],
    ['_service', '_service'],
    ['7of9', '7of9'],
    ['дмитрий', 'дмитрий'],
    ['αλίκη', 'αλίκη'],
    ['अनुराधा', 'अनुराधा'],
    ['王小明', '王小明'],
    ['x'.repeat(64), 'x'.repeat(64)],
    ['\u{1F600}'.repeat(64), '! invalid'],
    ['x'.repeat(65), '! too_long'],
    ['x'.repeat(1_000_000), '! too_long'],
    ['\ufdfa'.repeat(200), '! too_long'],
    ['', '! empty'],
    ['   ', '! empty'],
    ['\u00a0', '! empty'],
    ['-alice', '! invalid'],
    ['.alice', '! invalid'],
    ['a@b@c', '! invalid'],
    ['alice martin', '! invalid'],
    ['alice,bob', '! invalid'],
    ['alice|bob', '! invalid'],
    ['alice;bob', '! invalid'],
    ['alice/bob', '! invalid'],
    ['alice\\bob', '! invalid'],
    ['alice"', '! invalid'],
    ['alice<b>', '! invalid'],
    ['alice%00', '! invalid'],
    ['alice\0', '! invalid'],
    ['ali\r\nce', '! invalid'],
    ['ali\u202ece', '! invalid'],
    ['ali\u200bce', '! invalid'],
    ['ali\u00adce', '! invalid'],
    ['ali\u3164ce', '! invalid'],
    ['ali\u0338ce', '! invalid'],
    ['ali\ud800ce', '! invalid'],
    ['аdmin', '! invalid'], // Cyrillic а
    ['admιn', '! invalid'], // Greek ι
    ['pаypal@example.fr', '! invalid'],
  ])
})

t.test('parseAccountName() gives what foldName() leaves alone', async (t) => {
  for (const typed of ['ǅungla', 'Straße', 'ΣΊΣΥΦΟΣ', 'ﬁona', '①②③', 'ĳsbrand', 'ſam']) {
    const parsed = parseAccountName(typed)
    t.equal(parsed.kind, 'ok', typed)
    if (parsed.kind === 'ok') t.equal(foldName(parsed.value), parsed.value, typed)
  }
})

t.test('parseGroupName() refuses what separates names in a header', async (t) => {
  check(t, parseGroupName, [
    ['Admins', 'admins'],
    ['équipe/dev', 'équipe/dev'],
    ['role:admin_2.x-y', 'role:admin_2.x-y'],
    ['', '! empty'],
    ['a b', '! invalid'],
    ['a,b', '! invalid'],
    ['a|b', '! invalid'],
    ['a;b', '! invalid'],
    ['a@b', '! invalid'],
    ['аdmins', '! invalid'],
    ['x'.repeat(65), '! too_long'],
  ])
})

t.test('parseEmail()', async (t) => {
  check(t, parseEmail, [
    ['alice@example.fr', 'alice@example.fr'],
    [' Alice.Martin+tag@Example.FR ', 'Alice.Martin+tag@example.fr'],
    ['élodie@exemple.fr', 'élodie@exemple.fr'],
    ['root@localhost', 'root@localhost'],
    [`${'x'.repeat(64)}@example.fr`, `${'x'.repeat(64)}@example.fr`],
    ['', '! empty'],
    ['alice', '! invalid'],
    ['@example.fr', '! invalid'],
    ['alice@', '! invalid'],
    ['a@b@c', '! invalid'],
    ['alice@example.fr.', '! invalid'],
    ['alice@.example.fr', '! invalid'],
    ['alice@example..fr', '! invalid'],
    ['alice.@example.fr', '! invalid'],
    ['"alice"@example.fr', '! invalid'],
    ['al ice@example.fr', '! invalid'],
    ['alice@example.fr\r\nBcc: x@y', '! invalid'],
    ['alice\0@example.fr', '! invalid'],
    ['al\u202eice@example.fr', '! invalid'],
    ['alice@exa mple.fr', '! invalid'],
    ['alice@example.fr,bob@example.fr', '! invalid'],
    [`${'x'.repeat(65)}@example.fr`, '! invalid'],
    [`alice@${'x'.repeat(250)}.fr`, '! too_long'],
    ['x'.repeat(1_000_000), '! too_long'],
  ])
})

t.test('parseDisplayName()', async (t) => {
  check(t, parseDisplayName, [
    [' Zoe\u0301 O’Brien-Łukasz ', 'Zoé O’Brien-Łukasz'],
    ['李小龍', '李小龍'],
    ['👩‍💻 Ada', '👩‍💻 Ada'],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['x'.repeat(129), '! too_long'],
    ['', '! empty'],
    ['  \u00a0 ', '! empty'],
    ['\u200b', '! invalid'],
    ['a\nb', '! invalid'],
    ['a\u2028b', '! invalid'],
    ['a\0b', '! invalid'],
    ['a\u007fb', '! invalid'],
    ['a\u202eb', '! invalid'],
    ['a\u2066b', '! invalid'],
    ['a\udfffb', '! invalid'],
  ])
})

t.test('newUserId() gives ids that parseUserId() reads, each once', async (t) => {
  const ids = Array.from({ length: 1000 }, newUserId)
  t.equal(new Set(ids).size, 1000)
  for (const id of ids) if (parseUserId(id) !== id) t.fail(id)
})
